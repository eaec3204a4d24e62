"""Model of the files that steps moved from and to hosts."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from joblogs.choices import FileMode, FileStatus

from .hosts import ADDRESS_LENGTH, HostResult
from .jobs import StepInstance
from .logs import StoredLog


class FileLogQuerySet(models.QuerySet["FileLog"]):
    """QuerySet of file logs."""

    def for_step(self, step: StepInstance) -> FileLogQuerySet:
        """Filter to the file logs of a step, of all hosts and attempts."""
        return self.filter(step=step)

    def downloads(self) -> FileLogQuerySet:
        """Filter to the files that were moved to a target host."""
        return self.filter(mode=FileMode.DOWNLOAD)

    def of_results(self, host_results: Iterable[HostResult | int]) -> FileLogQuerySet:
        """Filter to the file logs of these host results, given as rows or keys."""
        return self.filter(host_result__in=list(host_results))


class FileLog(StoredLog):
    """One file moved to or from one host.

    Its host result, mode, source, target and paths never change.
    """

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
    # If it held a secret: masked, with a digest that keeps it unique (ingest/task_keys.py).
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
    day = models.DateField(_("day"), editable=False)

    objects = FileLogQuerySet.as_manager()

    class Meta:
        verbose_name = _("file log")
        verbose_name_plural = _("file logs")
        constraints = [
            models.UniqueConstraint(
                fields=["step", "execute_count", "batch", "task_hash"], name="filelog_task"
            ),
        ]
        indexes = [
            # The file logs of the hosts that a reader requested.
            models.Index(fields=["host_result"], name="filelog_of_host_result"),
        ]

    def __str__(self) -> str:
        return f"{self.src_path} → {self.dest_path or ''}"
