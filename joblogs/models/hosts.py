"""Machines, and what happened on each of them."""

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
"""Columns of a host result that tell something of its text as it was: they go with a mask."""


class HostQuerySet(models.QuerySet["Host"]):
    """QuerySet of identities of machines."""

    def keys(
        self, *names: str, scopes: Iterable[Scope], bk_host_ids: Collection[int] = ()
    ) -> models.QuerySet[Host, Any]:
        """Keys of the identities in these scopes that have one of these names, in any case, one of
        these addresses in any spelling, or one of these ids: for `identity__in`.

        Each way to be called is looked up by its own index, so what other scopes hold is not read.
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
        """Those in these scopes."""
        # By value: a planner that sees another question there takes all scopes for equally large.
        return self.filter(scope__in=[scope.pk for scope in scopes]).order_by()

    def referenced(self) -> HostQuerySet:
        """Those that a host result points to: no other is shown."""
        return self.filter(Exists(_results_of_host()))

    def unreferenced(self) -> HostQuerySet:
        """Those that no host result points to any more."""
        # One look into the index for each: NOT EXISTS may become a walk of all results.
        result = Subquery(_results_of_host().values("pk")[:1])
        return self.alias(result=result).filter(result=None)


def _results_of_host() -> models.QuerySet[HostResult]:
    return HostResult.objects.filter(identity=OuterRef("pk"))


def fold_name(name: str) -> str:
    """A host name as it is compared: by Python, since the databases' lower() differ."""
    return name.casefold()


def one_spelling(text: str) -> str:
    """An address as records store it; a text that is none stays as it is."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


class Host(models.Model):
    """An identity of a machine in one scope: what its runs there were called.

    A machine that was renamed, or that had another address, has several. Host results point to
    theirs; one that none points to is never shown, and `maintain_logs` deletes it. A later job says
    nothing about the runs before it, and no scope about another.
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
    # The name by `fold_name`, which makes at most three characters of one.
    folded_name = models.CharField(max_length=768, null=True, editable=False)  # noqa: DJ001 - as above

    objects = HostQuerySet.as_manager()

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        constraints = [
            # Ingest finds or makes the identity of each host result.
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
        """Those of a step, of all attempts and roles."""
        return self.filter(step=step)

    def of_jobs(self, jobs: Iterable[JobInstance]) -> HostResultQuerySet:
        """Those of the steps of these jobs, a QuerySet or rows."""
        return self.filter(step__job__in=jobs)

    def on_hosts(
        self, *names: str, scopes: Iterable[Scope], bk_host_ids: Collection[int] = ()
    ) -> HostResultQuerySet:
        """Those on hosts that had one of these names, addresses or ids when they ran."""
        keys = Host.objects.keys(*names, scopes=scopes, bk_host_ids=bk_host_ids)
        return self.filter(identity__in=keys)

    def in_role(self, role: Role) -> HostResultQuerySet:
        """Those of hosts that a step ran on, or sent files to, or of those that sent them."""
        return self.filter(role=role)

    def targets(self) -> HostResultQuerySet:
        """Those of hosts that a step ran on, or sent files to."""
        return self.filter(role=Role.TARGET)

    def of_attempts(self, execute_count: int | None, batch: int | None) -> HostResultQuerySet:
        """Those up to an execute count, and of one rolling batch; None: of all."""
        results = self if execute_count is None else self.filter(execute_count__lte=execute_count)
        return results if batch is None else results.filter(batch=batch)

    def latest_attempts(self) -> HostResultQuerySet:
        """Those of targets of which the step has no later attempt or batch on the host."""
        later = Q(execute_count__gt=OuterRef("execute_count")) | Q(
            execute_count=OuterRef("execute_count"), batch__gt=OuterRef("batch")
        )
        same = HostResult.objects.targets().filter(
            later, step=OuterRef("step"), host_id=OuterRef("host_id")
        )
        return self.targets().filter(~Exists(same))

    def finished(self) -> HostResultQuerySet:
        """Those that have ended, however."""
        return self.exclude(status__in=HOST_UNFINISHED)

    def unfinished(self) -> HostResultQuerySet:
        """Those that wait or run."""
        return self.filter(status__in=HOST_UNFINISHED)

    def jobs(self) -> models.QuerySet[HostResult, Any]:
        """Keys of the jobs that these are of: for `pk__in`."""
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
    # What it was called in this run. No database constraint: each new row would lock the row of its
    # machine, which all jobs share. Who writes it and who deletes identities exclude each other.
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
    # What no record has of it is taken from its host's previous result in the step.
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

    # What the producer says that the whole is. A digest would let guess what is masked, so that of
    # a log with masks is forgotten (`forget_digests`).
    declared_size = models.BigIntegerField(_("declared size"), null=True)
    declared_sha256 = models.BinaryField(_("declared digest"), max_length=32, null=True)
    lines = models.BigIntegerField(_("stored newlines"), default=0)
    # Where the text lies: in chunks, or from a byte of a pack of the step on (`logtext.store`).
    pack = models.IntegerField(null=True, editable=False)
    pack_start = models.IntegerField(null=True, editable=False)
    # The held size with which it was packed.
    packed_size = models.BigIntegerField(null=True, editable=False)

    # Of the first `fingerprint_size` bytes; they count only while that is the held size.
    fingerprint_size = models.BigIntegerField(null=True)
    digest = models.BinaryField(_("digest"), max_length=32, null=True)
    # Of release 1.0, which may still run beside this one; LogFeatures replaced them. Nothing reads
    # them; what is there goes with a mask. To be dropped with the release after the next.
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
            # A program of a release that knows no packs would add to a log in chunks, and whoever
            # reads it in its pack would go on in another host's.
            models.CheckConstraint(
                condition=models.Q(pack=None) | models.Q(packed_size=models.F("held_size")),
                name="hostresult_packed_whole",
            ),
        ]
        indexes = [
            # Everything that ran on a machine, newest first: the host page; jobs by machine.
            models.Index(fields=["identity", "-day", "-id"], name="hostresult_of_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.display_name} · {self.execute_count}"

    def forget_digests(self) -> None:
        """Set the columns of DIGESTS to none: the text changed that they were computed of."""
        for column in DIGESTS:
            setattr(self, column, None)
