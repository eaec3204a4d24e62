"""Audit log of reads of log text: who read how much of which logs, through which channel.

The row is written before the first byte is sent, so that it exists even if the connection outlives
the server. A response that is complete in memory takes one statement, with final sizes; the row of
a streamed one has the planned sizes, and is corrected when the stream ends.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import Error, IntegrityError
from django.db.models import QuerySet, TextChoices
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from joblogs import database, metrics
from joblogs.errors import Unavailable
from joblogs.models import LogRead, SearchRead, StepInstance

logger = logging.getLogger(__name__)

ROW_TIMEOUT_SECONDS = 1.0
"""Longest wait of a response for its row to be written."""


class Channel(TextChoices):
    """Choices of the way by which log text is read (docs/security.md)."""

    PAGE = "page log", _("log page")
    FOLLOW = "page follow", _("following a log")
    DOWNLOAD = "page download", _("log download")
    COMPARE = "page compare", _("comparison")
    SEARCH = "page search", _("step search")
    STEP = "page step", _("excerpts on the step page")
    BATCH = "batch_get_job_instance_ip_log", "batch_get_job_instance_ip_log"
    IP_LOG = "get_job_instance_ip_log", "get_job_instance_ip_log"
    STEP_STATUS = "get_step_instance_status", "get_step_instance_status"
    OBJECT_LOG = (
        "v4_batch_get_job_instance_execute_object_log",
        "v4_batch_get_job_instance_execute_object_log",
    )
    SCRIPT_CONTEXT = "v4_get_script_task_context", "v4_get_script_task_context"
    FILE_CONTEXT = "v4_get_file_task_context", "v4_get_file_task_context"
    PLUGIN_LOG = (
        "bkci_plugin_batch_get_job_instance_execute_object_log",
        "bkci_plugin_batch_get_job_instance_execute_object_log",
    )
    RAW = "raw log", _("raw log")
    API_COMPARE = "compare", _("comparison by an app")
    API_SEARCH = "search", _("search by an app")
    HISTORY = "page history", _("search over history")
    COMMAND_HISTORY = "search_logs", "search_logs"
    API_HISTORY = "search_history", _("search over history by an app")
    SUMMARY = "summary", _("summary of a step")
    FIRST_ERRORS = "first_errors", _("first errors of a step")
    STEP_FOLLOW = "follow", _("following a step")
    EXPORT = "export_logs", "export_logs"
    APP_EXPORT = "export", _("app export")
    PAGE_EXPORT = "page export", _("page export")
    NOTICE = "notice", _("notice of a saved search")
    ADMIN_EXPORT = "admin export", _("admin export")


SETTLED_AFTER = timedelta(minutes=2)
"""Age from which a row no longer changes, unless its response is still being sent: responses to
polls are added to it for a minute, and it is written within a second."""


def settled_reads(rows: QuerySet[LogRead], *, after: int, length: int) -> list[LogRead]:
    """Return the next of these rows after an id, up to the first row that is not settled.

    Rows may become visible in another order than that of their ids, but only for a moment: a reader
    who continues after the last of these rows misses none.
    """
    latest = timezone.now() - SETTLED_AFTER
    page = rows.filter(pk__gt=after).order_by("pk")[:length]
    return list(itertools.takewhile(lambda read: read.at < latest, page))


def caller_fields(read: LogRead | SearchRead) -> dict[str, Any]:
    """Return the fields that log reads and searches have in common, with their caller and time."""
    return {
        "id": read.pk,
        "time": read.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "user": read.who,
        "user_verified": read.user_verified,
        "app": read.app_code,
        "token": read.token,
        "channel": read.channel,
    }


def fields_of(read: LogRead) -> dict[str, Any]:
    """Return the fields of a log read, as in the API and in the program's own log."""
    return {
        **caller_fields(read),
        "bk_scope_type": read.scope_type,
        "bk_scope_id": read.scope_id,
        "job_instance_id": read.job_instance_id,
        "step_instance_id": read.step_instance_id,
        "hosts": read.host_count,
        "bytes": read.size,
        "answers": read.answers,
    }


class AuditedResponse(StreamingHttpResponse):
    """Streamed response with log text. `on_sent` is called once it was sent or aborted."""

    on_sent: Callable[[], None] | None = None

    def close(self) -> None:
        # Before super().close(), which returns the database connection: nothing would return one
        # that is opened after it.
        on_sent, self.on_sent = self.on_sent, None
        try:
            if on_sent is not None:
                on_sent()
        finally:
            super().close()


@dataclass(slots=True, kw_only=True)
class ReadEntry:
    """Audit row of one read of a step's logs, with sizes in bytes.

    `search`: the logs were searched, which is a read even without a hit. `poll`: responses to polls
    of one caller, step, channel and minute share a row. `size`: bytes of log text in a streamed
    response so far, counted by the code that produces it.
    """

    who: str
    app_code: str
    user_verified: bool
    channel: Channel
    step: StepInstance
    token: str = ""
    hosts: int = 0
    search: bool = False
    poll: bool = False
    size: int = 0
    _row: int | None = field(default=None, init=False)
    _recorded: tuple[int, int] | None = field(default=None, init=False)

    def begin(self, size: int) -> None:
        """Record a read that is about to start. Raise Unavailable, as `end` does."""
        if size or self.search:
            self._write_row(size)

    def end(self, size: int) -> None:
        """Record a read, or correct the row that `begin` wrote.

        Raise Unavailable if the row cannot be inserted within ROW_TIMEOUT_SECONDS and
        AUDIT_REQUIRED is on. Otherwise the read continues: it is counted as lost, and the values
        of the row are logged.
        """
        if size or self.search:
            metrics.text_read(channel=self.channel, hosts=self.hosts, size=size)
        if size or self.search or self._recorded:
            self._write_row(size)

    def _write_row(self, size: int) -> None:
        before, sizes = self._recorded, (self.hosts, size)
        if sizes == before:
            return
        self._recorded = sizes
        try:
            with database.waiting_at_most(ROW_TIMEOUT_SECONDS):
                if before is None:
                    self._row = self._insert(size)
                elif self._row is not None:
                    changes = {"host_count": self.hosts - before[0], "size": size - before[1]}
                    database.add_to_row(LogRead, changes, where="id", value=self._row)
        except Error as error:
            self._report_loss(error, size)
            if before is None and settings.AUDIT_REQUIRED:
                raise Unavailable from error

    def _insert(self, size: int) -> int:
        job, scope = self.step.job, self.step.job.scope
        row = LogRead(
            at=timezone.now(),
            who=self.who[:256],
            app_code=self.app_code,
            token=self.token,
            user_verified=self.user_verified,
            channel=self.channel,
            scope_type=scope.scope_type,
            scope_id=scope.scope_id,
            job_instance_id=job.job_instance_id,
            step_instance_id=self.step.step_instance_id,
            host_count=self.hosts,
            size=size,
        )
        if settings.LOG_FORMAT == "json":
            fields = fields_of(row)
            del fields["id"], fields["answers"]
            logger.info("read", extra={"fields": fields})
        if not self.poll:
            return database.insert_without_sync(row)
        row.poll_key = key = self._poll_key(row.at)
        held = self._add_to_polls(key, size)
        if held is not None:
            return held
        try:
            return database.insert_without_sync(row)
        except IntegrityError:  # another response of this minute was faster
            held = self._add_to_polls(key, size)
            if held is None:
                raise
            return held

    def _add_to_polls(self, key: bytes, size: int) -> int | None:
        changes = {"size": size, "answers": 1}
        return database.add_to_row(LogRead, changes, where="poll_key", value=key)

    def _poll_key(self, now: datetime) -> bytes:
        caller = (self.who, self.app_code, self.token, self.user_verified)
        step = (str(self.channel), self.step.pk)
        return sha256(repr((*caller, *step, int(now.timestamp()) // 60)).encode()).digest()

    def _report_loss(self, error: Error, size: int) -> None:
        metrics.read_lost()
        logger.error(
            "lost the record of a read (%s): %r of app %r through %s, job %s, step %s, "
            "%s hosts, %s bytes",
            type(error).__name__,
            self.who[:256],
            self.app_code,
            self.channel,
            self.step.job.job_instance_id,
            self.step.step_instance_id,
            self.hosts,
            size,
        )
