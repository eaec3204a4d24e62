"""Machines, and what happened on each of them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from joblogs.choices import HostStatus, Role

from .jobs import StepInstance
from .reading import AsRead

ADDRESS_LENGTH = 64
DIGESTS = (
    "declared_sha256",
    *("fingerprint_size", "digest", "shape", "shape_version", "telling"),
)
"""Columns of a host result that tell something of its text as it was: they go with a mask."""


class Host(models.Model):
    """A machine as the newest job saw it. Readers meet it only through results they may see."""

    bk_host_id = models.BigIntegerField(_("host id"), primary_key=True)
    bk_cloud_id = models.BigIntegerField(_("cloud area"), default=0)
    ip = models.CharField(_("IPv4 address"), max_length=ADDRESS_LENGTH, null=True, blank=True)  # noqa: DJ001 - null is what the wire says for "none"
    ipv6 = models.CharField(_("IPv6 address"), max_length=ADDRESS_LENGTH, null=True, blank=True)  # noqa: DJ001 - as above
    name = models.CharField(_("name"), max_length=256, blank=True, default="")
    # Create time (ms) of the job that described it last: only a newer job replaces it.
    seen_at = models.BigIntegerField(_("seen"), default=0)

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        indexes = [
            # Search by address and by name.
            models.Index(fields=["ip"], name="host_ip"),
            models.Index(fields=["ipv6"], name="host_ipv6"),
            models.Index(fields=["name"], name="host_name"),
        ]

    def __str__(self) -> str:
        return self.name or self.ip or self.ipv6 or str(self.bk_host_id)


class HostResult(AsRead):
    """One attempt of a step on one host, with the host's addresses as of the run."""

    step = models.ForeignKey(
        StepInstance,
        models.DO_NOTHING,
        related_name="host_results",
        verbose_name=_("step"),
        db_index=False,
    )
    # No database constraint: machines come and go without touching what happened on them, and
    # writers of different jobs need not meet on a machine's row.
    host = models.ForeignKey(
        Host,
        models.DO_NOTHING,
        db_column="bk_host_id",
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

    # What has arrived: the next offset expected. It never shrinks.
    received_size = models.BigIntegerField(_("received size"), default=0)
    # What is kept: less than received_size past LOG_MAX_BYTES and after expiry.
    held_size = models.BigIntegerField(_("held size"), default=0)
    # What the producer says that the whole is. A digest would let guess what is masked, so that of
    # a log with masks is forgotten (`forget_digests`).
    declared_size = models.BigIntegerField(_("declared size"), null=True)
    declared_sha256 = models.BinaryField(_("declared digest"), max_length=32, null=True)
    lines = models.BigIntegerField(_("newlines held"), default=0)
    truncated = models.BooleanField(_("truncated"), default=False)
    redacted = models.JSONField(_("masked ranges"), null=True)
    # Secrets that were masked, and what is remembered of the end of what is held: bytes that may
    # begin one; the rule whose mask goes on; the part of a rule's beginning (content/secrets.py).
    masked = models.IntegerField(_("places masked"), default=0)
    unsettled = models.SmallIntegerField(default=0)
    masking = models.CharField(max_length=64, default="")
    begun = models.BinaryField(max_length=200, default=bytes)

    # Of the first `fingerprint_size` bytes; they count only while that is the held size.
    fingerprint_size = models.BigIntegerField(null=True)
    digest = models.BinaryField(_("digest"), max_length=32, null=True)
    shape = models.BinaryField(_("shape"), max_length=32, null=True)
    shape_version = models.SmallIntegerField(null=True)
    # Hashes of the first hidden values that may tell hosts apart (`shape.Fingerprint.telling`).
    telling = models.BinaryField(_("telling values"), max_length=256, null=True)
    day = models.DateField(_("day"), editable=False)

    class Meta:
        verbose_name = _("host result")
        verbose_name_plural = _("host results")
        constraints = [
            # Also the index of every read of a step by hosts.
            models.UniqueConstraint(
                fields=["step", "host", "execute_count", "batch", "role"],
                name="hostresult_step_host_attempt",
            ),
        ]
        indexes = [
            # Everything that ran on one machine, newest first: the host page.
            models.Index(fields=["host", "-day", "-id"], name="hostresult_of_host"),
        ]

    def __str__(self) -> str:
        return f"{self.host_name or self.ip or self.ipv6 or self.host_id} · {self.execute_count}"

    @property
    def is_masked(self) -> bool:
        """Whether text of the log was masked, here or before it was imported."""
        return bool(self.masked or self.redacted)

    def forget_digests(self) -> None:
        """Set the columns of DIGESTS to none: the text changed that they were computed of."""
        for column in DIGESTS:
            setattr(self, column, None)
