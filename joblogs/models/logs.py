"""Log text. `logtext.store` is the only code that reads or writes LogChunk and LogPack."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class StoredLog(models.Model):
    """Abstract model of a log: how much of it has arrived, and what is masked in it."""

    # What has arrived: the next offset expected. It never shrinks.
    received_size = models.BigIntegerField(_("received size"), default=0)
    # What is kept: less than received_size past LOG_MAX_BYTES and after expiry.
    held_size = models.BigIntegerField(_("stored size"), default=0)
    truncated = models.BooleanField(_("truncated"), default=False)
    redacted = models.JSONField(_("masked ranges"), null=True)
    # Secrets that were masked, and what is remembered of the end of what is held: bytes that may
    # begin one; the rule whose mask goes on; the part of a rule's beginning
    # (`logtext.secret_scanner.State`).
    masked = models.IntegerField(_("places masked"), default=0)
    mask_pending = models.SmallIntegerField(default=0)
    mask_rule = models.CharField(max_length=64, default="")
    mask_prefix = models.BinaryField(max_length=200, default=bytes)

    class Meta:
        abstract = True

    @property
    def unsettled_size(self) -> int:
        """Bytes at the end that a later piece may turn into a part of a mask."""
        return self.mask_pending or (0 if self.mask_rule else len(self.mask_prefix))

    @property
    def is_masked(self) -> bool:
        """Whether text of the log was masked, here or before it was imported."""
        return bool(self.masked or self.redacted)


class LogChunk(models.Model):
    """Consecutive bytes of one host result's log.

    Partitioned by day on PostgreSQL. No foreign key points here or away, so that days can be
    dropped, and the table distributed by host_result_id, without asking another table.
    """

    pk = models.CompositePrimaryKey("day", "host_result_id", "offset")
    day = models.DateField()
    host_result_id = models.BigIntegerField()
    offset = models.BigIntegerField()
    size = models.IntegerField()
    newlines = models.IntegerField()
    codec = models.SmallIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = _("log chunk")
        verbose_name_plural = _("log chunks")

    def __str__(self) -> str:
        return f"{self.host_result_id} @ {self.offset}"


class LogPack(models.Model):
    """Script logs of one finished step, one after the other: up to 256 KiB of text together. A
    longer log has packs of its own, up to 1 MiB of text each, by consecutive numbers.

    Where a log lies says its host result. A number is given out once (`StepInstance.last_pack`). By
    day and without foreign keys, as LogChunk is, and to be distributed by step_id.
    """

    pk = models.CompositePrimaryKey("day", "step_id", "number")
    day = models.DateField()
    step_id = models.BigIntegerField()
    number = models.IntegerField()
    size = models.IntegerField()
    newlines = models.IntegerField()
    codec = models.SmallIntegerField()
    data = models.BinaryField()
    # Of one whose bytes lie in an object (StoredObject) and not here: where in it, how many, and
    # what they are compared with.
    object_id = models.BigIntegerField(null=True)
    object_start = models.BigIntegerField(null=True)
    object_size = models.IntegerField(null=True)
    object_checksum = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("log pack")
        verbose_name_plural = _("log packs")
        indexes = [
            # maintain_logs: what is still to be moved to object storage
            models.Index(
                fields=["day", "step_id"],
                name="logpack_in_database",
                condition=models.Q(object_id__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step_id}: {self.number}"


class LogFeatures(models.Model):
    """What grouping keeps of one host result's log (`grouping.features`).

    It holds for the `size` bytes that the log had, and counts only while that is the held size. By
    day and without foreign keys, as LogChunk is.
    """

    pk = models.CompositePrimaryKey("day", "host_result_id")
    day = models.DateField()
    host_result_id = models.BigIntegerField()
    size = models.BigIntegerField()
    version = models.SmallIntegerField()
    data = models.BinaryField(max_length=2048)

    class Meta:
        verbose_name = _("features of a log")
        verbose_name_plural = _("features of logs")

    def __str__(self) -> str:
        return f"{self.host_result_id}: {self.size}"


class KeptGroups(models.Model):
    """The groups of a finished step, and the lines that its page shows of them (`step_groups`).

    They count only while `facts`, a hash of what its host results say, is the same. By day and
    without foreign keys, as LogChunk is, and to be distributed by step_id.
    """

    pk = models.CompositePrimaryKey("day", "step_id")
    day = models.DateField()
    step_id = models.BigIntegerField()
    facts = models.BinaryField(max_length=16)
    data = models.BinaryField()

    class Meta:
        verbose_name = _("groups of a step")
        verbose_name_plural = _("groups of steps")

    def __str__(self) -> str:
        return str(self.step_id)


class LogConflict(models.Model):
    """When pieces by an app that may not read a log disagreed with it. Plain values, for a day.

    The log is a host result's or, `is_file`, a file log's.
    """

    app_id = models.BigIntegerField()
    is_file = models.BooleanField()
    log_id = models.BigIntegerField()
    times = models.JSONField(default=list)
    """Milliseconds since the epoch, ascending."""
    latest = models.BigIntegerField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["app_id", "is_file", "log_id"], name="logconflict_app_and_log"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.app_id}: {self.log_id}"
