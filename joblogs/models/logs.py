"""Log text. `content.store` is the only code that reads or writes ScriptChunk."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from joblogs.choices import FileMode, FileStatus

from .hosts import ADDRESS_LENGTH, HostResult
from .jobs import StepInstance


class ScriptChunk(models.Model):
    """A frame: consecutive bytes of one host result's log.

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
        verbose_name = _("log frame")
        verbose_name_plural = _("log frames")

    def __str__(self) -> str:
        return f"{self.host_result_id} @ {self.offset}"


class FileLog(models.Model):
    """One file moved to or from one host. Owner, mode, ends and paths never change."""

    step = models.ForeignKey(
        StepInstance,
        models.DO_NOTHING,
        related_name="file_logs",
        verbose_name=_("step"),
        db_index=False,
    )
    host_result = models.ForeignKey(
        HostResult,
        models.DO_NOTHING,
        related_name="file_logs",
        verbose_name=_("host result"),
        db_index=False,
    )
    execute_count = models.IntegerField(_("execute count"), default=0)
    batch = models.IntegerField(_("batch"), default=0)
    mode = models.SmallIntegerField(_("mode"), choices=FileMode.choices)
    # Masked, with a digest that tells it from others, where a secret was in it (ingest/task_keys.py).
    task_key = models.TextField(_("task key"))
    # SHA-256 of task_key: paths are longer than an index entry may be.
    task_hash = models.BinaryField(max_length=32)
    src_host_id = models.BigIntegerField(_("source host"), null=True)
    src_cloud_id = models.BigIntegerField(null=True)
    src_ip = models.CharField(max_length=ADDRESS_LENGTH, null=True)  # noqa: DJ001 - null is what the wire says for "none"
    src_ipv6 = models.CharField(max_length=ADDRESS_LENGTH, null=True)  # noqa: DJ001 - as above
    src_path = models.TextField(_("source path"))
    dest_host_id = models.BigIntegerField(_("target host"), null=True)
    dest_cloud_id = models.BigIntegerField(null=True)
    dest_ip = models.CharField(max_length=ADDRESS_LENGTH, null=True)  # noqa: DJ001 - as above
    dest_ipv6 = models.CharField(max_length=ADDRESS_LENGTH, null=True)  # noqa: DJ001 - as above
    dest_path = models.TextField(_("target path"), null=True)  # noqa: DJ001 - as above
    status = models.SmallIntegerField(
        _("status"), choices=FileStatus.choices, default=FileStatus.WAITING
    )
    size = models.CharField(_("size"), max_length=256, null=True)  # noqa: DJ001 - an export tells "" from none
    speed = models.CharField(_("speed"), max_length=256, null=True)  # noqa: DJ001 - as above
    process = models.CharField(_("progress"), max_length=256, null=True)  # noqa: DJ001 - as above
    update_time = models.BigIntegerField(_("updated"), null=True)
    content = models.BinaryField(default=bytes)
    received_size = models.BigIntegerField(_("received size"), default=0)
    held_size = models.IntegerField(_("held size"), default=0)
    truncated = models.BooleanField(_("truncated"), default=False)
    redacted = models.JSONField(_("masked ranges"), null=True)
    # Secrets that were masked, and what is remembered of the end of what is held: bytes that may
    # begin one; the rule whose mask goes on; the part of a rule's beginning
    # (logtext/secret_scanner.py).
    masked = models.IntegerField(_("places masked"), default=0)
    unsettled = models.SmallIntegerField(default=0)
    masking = models.CharField(max_length=64, default="")
    begun = models.BinaryField(max_length=200, default=bytes)
    day = models.DateField(_("day"), editable=False)

    class Meta:
        verbose_name = _("file log")
        verbose_name_plural = _("file logs")
        constraints = [
            models.UniqueConstraint(
                fields=["step", "execute_count", "batch", "task_hash"], name="filelog_task"
            ),
        ]
        indexes = [
            # The file logs of the hosts that a reader asked for.
            models.Index(fields=["host_result"], name="filelog_of_host_result"),
        ]

    def __str__(self) -> str:
        return f"{self.src_path} → {self.dest_path or ''}"


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
