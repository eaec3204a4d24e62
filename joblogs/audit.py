"""Reads of log text are recorded: who, through which channel, of what, how much (DESIGN §5)."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import Error
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from joblogs import database, metrics
from joblogs.models import LogRead, StepInstance

logger = logging.getLogger(__name__)

SQLITE_PATIENCE_SECONDS = 1.0


class Channel(TextChoices):
    """Every way by which log text is read (docs/security.md)."""

    PAGE = "page log", _("page of a log")
    FOLLOW = "page follow", _("following a log")
    DOWNLOAD = "page download", _("download of a log")
    COMPARE = "page compare", _("comparison")
    SEARCH = "page search", _("search in a step")
    STEP = "page step", _("samples on the page of a step")
    BATCH = "batch_get_job_instance_ip_log", "batch_get_job_instance_ip_log"
    IP_LOG = "get_job_instance_ip_log", "get_job_instance_ip_log"
    STEP_STATUS = "get_step_instance_status", "get_step_instance_status"
    OBJECT_LOG = (
        "v4_batch_get_job_instance_execute_object_log",
        "v4_batch_get_job_instance_execute_object_log",
    )
    RAW = "raw log", _("raw log")
    EXPORT = "export_logs", "export_logs"
    APP_EXPORT = "export", _("export by an app")
    PAGE_EXPORT = "page export", _("export from the pages")
    ADMIN_EXPORT = "admin export", _("export from the admin")


class Told:
    """What an answer with log text is besides: it tells, once, when it has been sent."""

    sent: Callable[[], None] | None = None

    def close(self) -> None:
        # Before super: that hands the database connection back, and nobody would a second one.
        sent, self.sent = self.sent, None
        try:
            if sent is not None:
                sent()
        finally:
            super().close()  # type: ignore[misc]


def record_read(
    *, who: str, app_code: str, channel: Channel, step: StepInstance, host_count: int, size: int
) -> None:
    """Write down one read of a step's logs; `size` is in bytes, and without any nothing was read.

    Called when the answer is sent: what cannot be recorded then is logged as lost, because nothing
    can be taken back any more.
    """
    if not size:
        return
    metrics.text_read(channel=channel, hosts=host_count, size=size)
    scope = step.job.scope
    read = LogRead(
        at=timezone.now(),
        who=who[:256],
        app_code=app_code,
        channel=channel,
        scope_type=scope.scope_type,
        scope_id=scope.scope_id,
        job_instance_id=step.job.job_instance_id,
        step_instance_id=step.step_instance_id,
        host_count=host_count,
        size=size,
    )
    try:
        with database.waiting_at_most(SQLITE_PATIENCE_SECONDS):
            database.insert_unhurried(read)
    except Error as error:
        metrics.read_lost()
        logger.error(
            "lost the record of a read (%s): %r of app %r through %s, job %s, step %s, "
            "%s hosts, %s bytes",
            type(error).__name__,
            read.who,
            app_code,
            channel,
            read.job_instance_id,
            read.step_instance_id,
            host_count,
            size,
        )
