"""Log of one host in a step, for the pages: with the requested attempt, batch and file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext

from joblogs import query
from joblogs.choices import FINISHED, HOST_SUCCEEDED, StepType, host_rank
from joblogs.models import FileLog, HostResult, StepInstance
from joblogs.pages.formats import address_label, duration, host_status_label, state_label
from joblogs.query import Attempts, BytesText, Completeness, StepHost, Text, host_history

from .request import TextPin

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 24 * 60 * 60 * 1000
_DAYS_IN_400_YEARS = 146_097
_COLOURS = {
    query.State.COMPLETE: "ok",
    query.State.RECEIVING: "run",
    query.State.INCOMPLETE: "bad",
    query.State.TRUNCATED: "late",
    query.State.EXPIRED: "silent",
    query.State.UNREACHABLE: "bad",
}


@dataclass
class HostLog:
    """Log of a host for a page; each part is fetched at most once, when needed."""

    step: StepInstance
    host: StepHost
    results: list[HostResult]
    """All results of the host in the step, newest first."""
    attempts: Attempts
    latest: StepHost
    """The host with the results that hold its log now; without a pin, the same as `host`."""
    pin: TextPin | None = None
    file: FileLog | None = None
    is_unreachable: bool = False
    """Whether reading its text has failed because it cannot be reached now."""

    @cached_property
    def result(self) -> HostResult:
        """Result whose status is shown: the newest of the requested attempts, or the pinned one.
        Raises Http404 if there is none."""
        if self.pin is not None:
            return self.by_pk[self.pin.result]
        top, batch = self.attempts
        for result in self.results:
            if (top is None or result.execute_count <= top) and batch in (None, result.batch):
                return result
        raise Http404

    @property
    def name(self) -> str:
        """Display name of the host."""
        result = self.result
        return result.display_name

    @property
    def outcome(self) -> str:
        """`ok`, `bad` or `run`."""
        return outcome(self.result.status)

    @property
    def address(self) -> str:
        return address_label(self.result.bk_cloud_id, self.result.ip or self.result.ipv6)

    @property
    def state_label(self) -> str:
        return state_label(self.state)

    @property
    def status_label(self) -> str:
        return host_status_label(self.result.status, self.result.exit_code)

    @property
    def started(self) -> datetime | str | None:
        return moment(self.result.start_time)

    @property
    def ended(self) -> datetime | str | None:
        return moment(self.result.end_time)

    @property
    def took(self) -> str:
        """Duration in words; empty if it is not known."""
        milliseconds = self.result.duration
        return duration(milliseconds) if milliseconds is not None else ""

    @property
    def seconds(self) -> float:
        """Duration in seconds; 0 if it is not known."""
        return (self.result.duration or 0) / 1000

    @property
    def expired(self) -> datetime | str | None:
        return moment(self.step.job.expired_at)

    @cached_property
    def by_pk(self) -> dict[int, HostResult]:
        return {result.pk: result for result in self.results}

    @cached_property
    def effective_results(self) -> list[HostResult]:
        """Results whose logs are read, in order."""
        return [self.by_pk[row.pk] for row in self.host.results if row.pk in self.by_pk]

    @cached_property
    def files(self) -> list[FileLog]:
        """File logs without their content; none for a script step or after expiry."""
        if self.step.step_type != StepType.FILE or self.step.job.expired_at is not None:
            return []
        return host_history.files_on(self.step, self.effective_results)

    @cached_property
    def text(self) -> Text:
        """Text of the log; of a file step, that of the chosen file."""
        if self.is_unreachable:
            return BytesText(b"")
        if self.step.step_type == StepType.FILE:
            return BytesText(host_history.file_content(self.file) if self.file else b"")
        if self.pin is not None:  # a page that follows
            return query.settled_text(self.step, self.host)
        return query.script_text(self.step, self.host)

    @cached_property
    def state(self) -> Completeness:
        if self.is_unreachable:
            return Completeness(query.State.UNREACHABLE)
        if self.step.step_type == StepType.FILE:
            return query.files_state(self.step, [self.file] if self.file else [])
        return query.log_state(self.step, self.host)

    @cached_property
    def total_lines(self) -> int:
        """Number of lines, including a last one without a newline."""
        text = self.text
        is_open = text.size > 0 and text.read(text.size - 1, text.size) != b"\n"
        return text.newlines + is_open

    @property
    def grows(self) -> bool:
        """Whether more text may arrive."""
        return self.state.state == query.State.RECEIVING

    @property
    def state_outcome(self) -> str:
        """Colour of the state: `ok`, `run`, `bad`, `late` or `silent`."""
        return _COLOURS[self.state.state]

    @property
    def digest(self) -> str:
        """SHA-256 of a script log in hex; empty if it is not known or there are several logs."""
        if len(self.effective_results) != 1 or self.step.step_type == StepType.FILE:
            return ""
        (result,) = self.effective_results
        known = result.digest is not None and result.fingerprint_size == result.held_size
        return bytes(result.digest or b"").hex() if known else ""

    @property
    def masked(self) -> int:
        """Number of places in the shown logs where a secret was masked."""
        shown = [self.file] if self.step.step_type == StepType.FILE else self.effective_results
        return sum(max(log.masked, len(log.redacted or ())) for log in shown if log)


def outcome(status: int) -> str:
    """Return `ok`, `bad` or `run` for a host's status."""
    if status in HOST_SUCCEEDED:
        return "ok"
    return "bad" if host_rank(status) == FINISHED else "run"


def moment(milliseconds: int | None) -> datetime | str | None:
    """Return a stored time in the reader's time zone; for a time that datetime cannot represent,
    its year as text."""
    if milliseconds is None:
        return None
    try:
        return timezone.localtime(_EPOCH + timedelta(milliseconds=milliseconds))
    except OverflowError:
        return gettext("year %(year)s") % {"year": f"{_year(milliseconds):,}"}


def _year(milliseconds: int) -> int:
    # The calendar repeats after 400 years.
    cycles, days = divmod(milliseconds // _DAY, _DAYS_IN_400_YEARS)
    return (_EPOCH + timedelta(days=days)).year + 400 * cycles


def host_log(
    step: StepInstance,
    bk_host_id: int,
    attempts: Attempts,
    *,
    file: int | None = None,
    pin: TextPin | None = None,
) -> HostLog:
    """Return a host's log in a step that the reader may see; with a pin, exactly the pinned text.

    Raises Http404 if the host was not in the step, if it has no such file, or if the pinned text no
    longer exists.
    """
    hosts = query.hosts_named(step, [bk_host_id], Attempts() if pin else attempts)
    if not hosts:
        raise Http404
    (host,) = hosts
    log = HostLog(step, host, host_history.results_on(step, bk_host_id), attempts, host, pin)
    if pin is not None:
        if not log.by_pk.keys() >= {pin.result, *pin.rows}:
            raise Http404
        log.host = StepHost(host.newest, [log.by_pk[row] for row in pin.rows])
    if log.files:
        chosen = [found for found in log.files if found.pk == file]
        if file is not None and not chosen:
            raise Http404
        log.file = (chosen or log.files)[0]
    return log
