"""Models of machines and of the results of steps on them."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from joblogs.choices import HOST_UNFINISHED, HostStatus, Inherited, Role

from .access import Scope
from .base import FastLoadModel
from .jobs import JobInstance, StepInstance
from .logs import StoredLog
from .result_properties import ResultProperties

ADDRESS_LENGTH = 64
DIGESTS = (
    "declared_sha256",
    *("fingerprint_size", "digest", "shape", "shape_version", "value_hashes"),
)
"""Columns of a host result derived from its original text; masking the text clears them."""


class HostQuerySet(models.QuerySet["Host"]):
    """QuerySet of the identities of machines."""

    def keys(
        self, *names: str, scopes: Iterable[Scope], bk_host_ids: Collection[int] = ()
    ) -> models.QuerySet[Host, Any]:
        """Return keys of identities in these scopes by name, address or id, for `identity__in`.

        Names match in any case, addresses in any spelling. Names, addresses and ids are looked up
        separately, each by an index that begins with the scope, so that no rows of other scopes
        are read.
        """
        here = self.in_scopes(scopes)
        addresses = {one_spelling(name) for name in names}
        ways = [
            Q(folded_name__in={fold_name(name) for name in names}),
            Q(ip__in=addresses),
            Q(ipv6__in=addresses),
            Q(bk_host_id__in=bk_host_ids),
        ]
        chosen = ways[:3] * bool(names) + ways[3:] * bool(bk_host_ids)
        if not chosen:
            return self.none().values("pk")
        first, *others = (here.filter(way).values("pk") for way in chosen)
        return first.union(*others, all=True) if others else first

    def in_scopes(self, scopes: Iterable[Scope]) -> HostQuerySet:
        """Filter to these scopes."""
        # As values: given a subquery, the planner assumes that all scopes are equally large.
        return self.filter(scope__in=[scope.pk for scope in scopes]).order_by()

    def referenced(self) -> HostQuerySet:
        """Filter to identities that a host result points to: only these are shown."""
        return self.filter(Exists(_results_of_host()))

    def with_one_of(self, results: models.QuerySet[HostResult]) -> HostQuerySet:
        """Filter to identities that one of these host results points to."""
        # One index lookup for each, as below.
        own = results.filter(identity=OuterRef("pk")).order_by()
        return self.alias(result=Subquery(own.values("pk")[:1])).exclude(result=None)

    def unreferenced(self) -> HostQuerySet:
        """Filter to identities that no host result points to any more."""
        # One index lookup for each: NOT EXISTS may be planned as a scan of all host results.
        result = Subquery(_results_of_host().values("pk")[:1])
        return self.alias(result=result).filter(result=None)


def _results_of_host() -> models.QuerySet[HostResult]:
    return HostResult.objects.filter(identity=OuterRef("pk"))


def fold_name(name: str) -> str:
    """Return a host name in the form in which names are compared.

    Folded in Python, because lower() differs between databases.
    """
    return name.casefold()


def one_spelling(text: str) -> str:
    """Return an IP address in the spelling that records store; other text is unchanged."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


class Host(models.Model):
    """Identity of a machine in one scope: its id, name and addresses as of a run.

    A machine that was renamed, or got another address, has several. Host results point to the
    identity that held when they ran. An identity without host results is never shown, and
    `maintain_logs` deletes it. Identities are never shared between scopes.
    """

    scope = models.ForeignKey(
        Scope, models.CASCADE, related_name="hosts", verbose_name=_("scope"), db_index=False
    )
    # SHA-256 of id, cloud area, name and addresses as of the run, each present or absent.
    identity = models.BinaryField(max_length=32, editable=False)
    bk_host_id = models.BigIntegerField(_("host id"))
    bk_cloud_id = models.BigIntegerField(_("cloud area"), default=0)
    ip = models.CharField(_("IPv4 address"), max_length=ADDRESS_LENGTH, null=True, blank=True)  # noqa: DJ001 - null is what the wire says for "none"
    ipv6 = models.CharField(_("IPv6 address"), max_length=ADDRESS_LENGTH, null=True, blank=True)  # noqa: DJ001 - as above
    name = models.CharField(_("name"), max_length=256, null=True, blank=True)  # noqa: DJ001 - as above
    # `fold_name(name)`: folding turns one character into three at most.
    folded_name = models.CharField(max_length=768, null=True, editable=False)  # noqa: DJ001 - as above

    objects = HostQuerySet.as_manager()

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        constraints = [
            # Ingest finds or creates the identity of each host result.
            models.UniqueConstraint(fields=["scope", "identity"], name="host_scope_and_identity"),
        ]
        indexes = [
            # Which jobs ran on a machine: by its name, address or id, in the reader's scopes.
            models.Index(fields=["scope", "folded_name"], name="host_name_in_scope"),
            models.Index(fields=["scope", "ip"], name="host_ip_in_scope"),
            models.Index(fields=["scope", "ipv6"], name="host_ipv6_in_scope"),
            # Also the admin's list, and the page of a machine.
            models.Index(fields=["scope", "bk_host_id"], name="host_number_in_scope"),
        ]

    def __str__(self) -> str:
        return self.name or self.ip or self.ipv6 or str(self.bk_host_id)


class HostResultQuerySet(models.QuerySet["HostResult"]):
    """QuerySet of host results."""

    def for_step(self, step: StepInstance) -> HostResultQuerySet:
        """Filter to the results of a step, of all attempts and roles."""
        return self.filter(step=step)

    def of_jobs(self, jobs: Iterable[JobInstance]) -> HostResultQuerySet:
        """Filter to the results of these jobs, given as a QuerySet or as rows."""
        return self.filter(step__job__in=jobs)

    def on_hosts(
        self, *names: str, scopes: Iterable[Scope], bk_host_ids: Collection[int] = ()
    ) -> HostResultQuerySet:
        """Filter to hosts that had one of these names, addresses or ids at the time of the run."""
        keys = Host.objects.keys(*names, scopes=scopes, bk_host_ids=bk_host_ids)
        return self.filter(identity__in=keys)

    def in_role(self, role: Role) -> HostResultQuerySet:
        """Filter to targets of a step, or to sources of its files."""
        return self.filter(role=role)

    def targets(self) -> HostResultQuerySet:
        """Filter to hosts on which a step ran, or to which it sent files."""
        return self.filter(role=Role.TARGET)

    def of_attempts(self, execute_count: int | None, batch: int | None) -> HostResultQuerySet:
        """Filter to an execute count or lower, and to one rolling batch; None does not filter."""
        results = self if execute_count is None else self.filter(execute_count__lte=execute_count)
        return results if batch is None else results.filter(batch=batch)

    def latest_attempts(self) -> HostResultQuerySet:
        """Filter to the latest attempt and batch of each target host of a step."""
        later = Q(execute_count__gt=OuterRef("execute_count")) | Q(
            execute_count=OuterRef("execute_count"), batch__gt=OuterRef("batch")
        )
        same = HostResult.objects.targets().filter(
            later, step=OuterRef("step"), host_id=OuterRef("host_id")
        )
        return self.targets().filter(~Exists(same))

    def finished(self) -> HostResultQuerySet:
        """Filter to results that have ended, with any status."""
        return self.exclude(status__in=HOST_UNFINISHED)

    def unfinished(self) -> HostResultQuerySet:
        """Filter to results that are waiting or running."""
        return self.filter(status__in=HOST_UNFINISHED)

    def jobs(self) -> models.QuerySet[HostResult, Any]:
        """Return the keys of the jobs of these results, for `pk__in`."""
        return self.order_by().values("step__job")


class HostResult(ResultProperties, StoredLog, FastLoadModel):
    """One attempt of a step on one host, with the host's addresses as of the run."""

    step = models.ForeignKey(
        StepInstance,
        models.DO_NOTHING,
        related_name="host_results",
        verbose_name=_("step"),
        db_index=False,
    )
    host_id = models.BigIntegerField(_("host id"), db_column="bk_host_id")
    # The identity in this run. No database constraint: each new row would lock the row of its
    # machine, which all jobs share. Writing it and deleting identities exclude each other.
    identity = models.ForeignKey(
        Host,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="results",
        verbose_name=_("host"),
    )
    execute_count = models.IntegerField(_("execute count"), default=0)
    batch = models.IntegerField(_("batch"), default=0)
    role = models.SmallIntegerField(_("role"), choices=Role.choices, default=Role.TARGET)
    bk_cloud_id = models.BigIntegerField(_("cloud area"), default=0)
    ip = models.CharField(_("IPv4 address"), max_length=ADDRESS_LENGTH, null=True)  # noqa: DJ001 - null is what the wire says for "none"
    ipv6 = models.CharField(_("IPv6 address"), max_length=ADDRESS_LENGTH, null=True)  # noqa: DJ001 - as above
    host_name = models.CharField(_("host name"), max_length=256, null=True)  # noqa: DJ001 - an export tells "" from none
    # Fields that no record stated are taken from the host's previous result in the step.
    inherited = models.SmallIntegerField(
        choices=Inherited.choices,
        default=Inherited.NOTHING,
        db_default=Inherited.NOTHING,
        editable=False,
    )
    status = models.IntegerField(
        _("status"), choices=HostStatus.choices, default=HostStatus.RUNNING
    )
    tag = models.CharField(_("tag"), max_length=256, null=True)  # noqa: DJ001 - as above
    exit_code = models.IntegerField(_("exit code"), null=True)
    error_code = models.IntegerField(_("error code"), null=True)
    start_time = models.BigIntegerField(_("started"), null=True)
    end_time = models.BigIntegerField(_("ended"), null=True)
    total_time = models.BigIntegerField(_("duration"), null=True)
    update_time = models.BigIntegerField(_("updated"), null=True)
    # The attempt whose log this row stands for, when it was not executed again itself.
    actual_execute_count = models.IntegerField(_("actual execute count"), null=True)

    # Size and digest of the whole log as the producer declared them. A digest would allow guessing
    # masked text, so it is cleared when a log is masked (`forget_digests`).
    declared_size = models.BigIntegerField(_("declared size"), null=True)
    declared_sha256 = models.BinaryField(_("declared digest"), max_length=32, null=True)
    lines = models.BigIntegerField(_("stored newlines"), default=0)
    # Where the text is: in chunks, or in a pack of the step, from this byte on (`logtext.store`).
    pack = models.IntegerField(null=True, editable=False)
    pack_start = models.IntegerField(null=True, editable=False)
    # The held size when it was packed.
    packed_size = models.BigIntegerField(null=True, editable=False)

    # Computed of the first `fingerprint_size` bytes; valid only while that is the held size.
    fingerprint_size = models.BigIntegerField(null=True)
    digest = models.BinaryField(_("digest"), max_length=32, null=True)
    # Columns of release 1.0, which may still run beside this one; LogFeatures replaced them.
    # Nothing reads them; masking clears them. To be dropped with the release after the next.
    shape = models.BinaryField(_("fingerprint"), max_length=32, null=True)
    shape_version = models.SmallIntegerField(null=True)
    value_hashes = models.BinaryField(_("value hashes"), max_length=256, null=True)
    day = models.DateField(_("day"), editable=False)

    objects = HostResultQuerySet.as_manager()

    class Meta:
        verbose_name = _("host result")
        verbose_name_plural = _("host results")
        constraints = [
            # Also the index of every read of a step by hosts.
            models.UniqueConstraint(
                fields=["step", "host_id", "execute_count", "batch", "role"],
                name="hostresult_step_host_attempt",
            ),
            # A release without packs would append chunks to a packed log, and readers of the pack
            # would continue into the log of another host.
            models.CheckConstraint(
                condition=models.Q(pack=None) | models.Q(packed_size=models.F("held_size")),
                name="hostresult_packed_whole",
            ),
        ]
        indexes = [
            # All results of a machine, newest first: the host page; jobs by machine.
            models.Index(fields=["identity", "-day", "-id"], name="hostresult_of_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.display_name} · {self.execute_count}"

    def forget_digests(self) -> None:
        """Set the columns of DIGESTS to None, because their text changed."""
        for column in DIGESTS:
            setattr(self, column, None)
