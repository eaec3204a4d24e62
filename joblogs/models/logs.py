"""Models of log text. Only `logtext.store` reads or writes LogChunk and LogPack."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class StoredLog(models.Model):
    """Abstract model of a log: how much of it has arrived, and what is masked in it."""

    # Bytes received, which is the next offset expected. It never shrinks.
    received_size = models.BigIntegerField(_("received size"), default=0)
    # Bytes stored: fewer than received_size beyond LOG_MAX_BYTES and after expiry.
    held_size = models.BigIntegerField(_("stored size"), default=0)
    truncated = models.BooleanField(_("truncated"), default=False)
    redacted = models.JSONField(_("masked ranges"), null=True)
    # Number of masked secrets, and the state of the scanner at the end of the stored text: bytes
    # that may begin a secret; the rule whose mask continues; part of the beginning of a rule
    # (`logtext.secret_scanner.State`).
    masked = models.IntegerField(_("places masked"), default=0)
    mask_pending = models.SmallIntegerField(default=0)
    mask_rule = models.CharField(max_length=64, default="")
    mask_prefix = models.BinaryField(max_length=200, default=bytes)

    class Meta:
        abstract = True

    @property
    def unsettled_size(self) -> int:
        """Bytes at the end that may become part of a mask once a later piece arrives."""
        return self.mask_pending or (0 if self.mask_rule else len(self.mask_prefix))

    @property
    def is_masked(self) -> bool:
        """Whether text of the log was masked, here or before it was imported."""
        return bool(self.masked or self.redacted)


class LogChunk(models.Model):
    """Consecutive bytes of one host result's log.

    Partitioned by day on PostgreSQL. It has no foreign keys in either direction, so that days can
    be dropped, and the table distributed by host_result_id, independently of other tables.
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
    """Script logs of one finished step, concatenated: up to 256 KiB of text. A longer log has packs
    of its own, with consecutive numbers and up to 1 MiB of text each.

    The host result says where its log starts. A number is assigned once (`StepInstance.last_pack`).
    Partitioned by day and without foreign keys, like LogChunk, and to be distributed by step_id.
    """

    pk = models.CompositePrimaryKey("day", "step_id", "number")
    day = models.DateField()
    step_id = models.BigIntegerField()
    number = models.IntegerField()
    size = models.IntegerField()
    newlines = models.IntegerField()
    codec = models.SmallIntegerField()
    data = models.BinaryField()
    # If the bytes are in an object (StoredObject) instead of `data`: the object, their start and
    # number there, and a checksum to verify them.
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
    """Features of one host result's log, by which logs are grouped (`grouping.features`).

    Computed of the first `size` bytes; valid only while that is the held size. Partitioned by day
    and without foreign keys, like LogChunk.
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
    """The groups of a finished step, and the lines of them that its page shows (`step_groups`).

    Valid only while `facts`, a hash of columns of its host results, is unchanged. Partitioned by
    day and without foreign keys, like LogChunk, and to be distributed by step_id.
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
    """Times at which pieces from an app that may not read a log contradicted it, kept for a day.

    `log_id` is the key of a host result, or of a file log if `is_file`; there are no foreign keys.
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
