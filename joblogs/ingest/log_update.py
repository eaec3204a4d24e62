"""What a batch changes in a host result and its log, and the stored bytes that decide about it."""

from __future__ import annotations

import bisect
import contextlib
import datetime
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BigIntegerField, QuerySet

from joblogs.choices import FINISHED, host_rank
from joblogs.database import ArrayParam, CompiledQuery, InArray, Param
from joblogs.errors import Unavailable
from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.pieces import Log
from joblogs.models import HostResult, StoredLog

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class LogUpdate:
    """A host result that is locked or new, the pieces that a batch has for its log, and what of it
    must be written."""

    row: HostResult
    is_new: bool = False
    is_merged: bool = False
    """Whether records change what it says."""
    is_renamed: bool = False
    """Whether its host is called otherwise now."""
    is_resized: bool = False
    """Whether its sizes changed, or how it ends."""
    is_masked: bool = False
    """Whether `masking.RANGE_COLUMNS` changed."""
    lines: list[int] = field(default_factory=list)
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    """Offset and bytes of each piece, in their order; `lines` are their numbers in the stream."""
    log: Log = field(init=False)
    """The log with its pieces, once they are taken."""
    newlines: int = 0
    """Those of `log.added`."""
    end: bytes | None = None
    """The stored bytes that `masking.looks_back` named, if the log grew."""
    was_computed: bool = field(init=False)
    """Whether something may have been computed of the text as it was."""

    def __post_init__(self) -> None:
        row = self.row
        self.was_computed = row.fingerprint_size is not None or host_rank(row.status) == FINISHED

    @property
    def is_changed(self) -> bool:
        return self.is_new or self.is_merged or self.is_resized or self.is_masked

    @property
    def concerns_maintenance(self) -> bool:
        """Whether the log may have to be merged, or its digest and features to be computed."""
        grew = self.is_resized or self.is_masked
        return grew or (self.is_changed and host_rank(self.row.status) == FINISHED)


def log_of(row: StoredLog, limit: int) -> Log:
    """The log of a row as it is stored; `limit`: as many bytes as are kept."""
    return Log(
        received=row.received_size,
        held=row.held_size,
        limit=limit,
        truncated=row.truncated,
        masked=row.redacted or (),
    )


def _of_hosts() -> QuerySet[HostResult]:
    hosts = InArray("host_id", ArrayParam("hosts", BigIntegerField()))
    return HostResult.objects.filter(hosts, step_id=Param("step", BigIntegerField()))


@CompiledQuery
def places_of() -> QuerySet[HostResult, Any]:
    """Host, execute count, batch and role of each result that some hosts have in a step."""
    return _of_hosts().values_list("host_id", "execute_count", "batch", "role")


@CompiledQuery
def masks_of() -> QuerySet[HostResult, Any]:
    """The host, and how many places are masked, of each of them whose log has such."""
    return _of_hosts().exclude(masked=0).values_list("host_id", "masked")


@CompiledQuery
def lock() -> QuerySet[HostResult]:
    """The results that some hosts have in a step, locked by ascending id."""
    return _of_hosts().select_for_update().order_by("pk")


def readable(day: datetime.date, spans: Sequence[store.Span]) -> dict[store.Span, bytes]:
    """The bytes of those of `spans` that can be read: one damaged log keeps nobody from the others.

    All of it is in memory at once. Raises Unavailable if it is in an object that cannot be had now:
    whoever sent the pieces comes again.
    """
    try:
        return _joined(day, spans)
    except Unreadable as error:
        if isinstance(error, Unavailable):
            raise
        data_of: dict[store.Span, bytes] = {}
        for span in spans:
            with contextlib.suppress(Unreadable):
                data_of |= _joined(day, [span])
        return data_of


def _joined(day: datetime.date, spans: Sequence[store.Span]) -> dict[store.Span, bytes]:
    stream = store.read(day, spans)
    return {span: b"".join(store.first_bytes(stream, span.stop - span.start)) for span in spans}


class StoredBytes:
    """Reader of stored bytes that repeated pieces are compared with."""

    def __init__(self, day: datetime.date, spans: Sequence[store.Span]) -> None:
        self._day = day
        self._parts: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        self._reported: set[int] = set()
        for span, data in readable(day, spans).items():
            self._parts[span.log].append((span.start, data))

    def reader(self, log: int, size: int) -> Callable[[int, int], bytes]:
        """What gives bytes within one of the spans of a log of this size. Raises Unreadable."""
        parts = self._parts.get(log, ())

        def read(start: int, stop: int) -> bytes:
            index = bisect.bisect_right(parts, start, key=lambda part: part[0]) - 1
            if index >= 0:
                offset, data = parts[index]
                if stop <= offset + len(data):
                    return data[start - offset : stop - offset]
            # The span could not be read as a whole: perhaps this part of it can.
            span = store.Span(log, start, stop, size)
            try:
                return _joined(self._day, [span])[span]
            except Unreadable as error:
                self._report(log, error)
                raise

        return read

    def _report(self, log: int, error: Unreadable) -> None:
        if log not in self._reported:
            self._reported.add(log)
            message = "host result %s: %s in its log, pieces are refused; verify_logs tells more"
            logger.error(message, log, type(error).__name__)
