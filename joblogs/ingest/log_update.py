"""Changes of a host result and its log by a batch, and reading of the stored bytes involved."""

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
from joblogs.logtext.pieces import GrowingLog
from joblogs.models import HostResult, StoredLog

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class LogUpdate:
    """A host result that is locked or new, its log's pieces in a batch, and what must be saved."""

    row: HostResult
    is_new: bool = False
    is_merged: bool = False
    """Whether records changed its columns."""
    is_renamed: bool = False
    """Whether names or addresses of its host changed."""
    is_resized: bool = False
    """Whether its sizes changed, or the scanner's state at its end."""
    is_masked: bool = False
    """Whether `masking.RANGE_COLUMNS` changed."""
    lines: list[int] = field(default_factory=list)
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    """Offset and bytes of each piece, in order; `lines` are their numbers in the stream."""
    log: GrowingLog = field(init=False)
    """The log after its pieces were taken."""
    newlines: int = 0
    """Newlines in `log.added`."""
    end: bytes | None = None
    """The stored bytes at `masking.looks_back`, if the log grew."""
    was_computed: bool = field(init=False)
    """Whether digests or features may have been computed of the text before."""

    def __post_init__(self) -> None:
        row = self.row
        self.was_computed = row.fingerprint_size is not None or host_rank(row.status) == FINISHED

    @property
    def is_changed(self) -> bool:
        return self.is_new or self.is_merged or self.is_resized or self.is_masked

    @property
    def concerns_maintenance(self) -> bool:
        """Whether maintenance may have to merge the log or compute its digest and features."""
        grew = self.is_resized or self.is_masked
        return grew or (self.is_changed and host_rank(self.row.status) == FINISHED)


def log_of(row: StoredLog, limit: int) -> GrowingLog:
    """Return the stored log of a row; `limit`: most bytes that are kept."""
    return GrowingLog(
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
    """Query host, execute count, batch and role of the results of some hosts in a step."""
    return _of_hosts().values_list("host_id", "execute_count", "batch", "role")


@CompiledQuery
def masks_of() -> QuerySet[HostResult, Any]:
    """Query the host and the number of masked places of each masked log of some hosts in a step."""
    return _of_hosts().exclude(masked=0).values_list("host_id", "masked")


@CompiledQuery
def lock() -> QuerySet[HostResult]:
    """Query and lock the results of some hosts in a step, by ascending id."""
    return _of_hosts().select_for_update().order_by("pk")


def readable(day: datetime.date, spans: Sequence[store.Span]) -> dict[store.Span, bytes]:
    """Return the bytes of the spans that can be read, so that a damaged log affects no others.

    All bytes are in memory at once. Raise Unavailable if an object is out of reach; the producer
    sends the pieces again.
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
    """Reader of stored bytes to compare with repeated pieces."""

    def __init__(self, day: datetime.date, spans: Sequence[store.Span]) -> None:
        self._day = day
        self._parts: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        self._reported: set[int] = set()
        for span, data in readable(day, spans).items():
            self._parts[span.log].append((span.start, data))

    def reader(self, log: int, size: int) -> Callable[[int, int], bytes]:
        """Return a function that reads bytes of a log of this size, within one of the spans.

        The function raises Unreadable.
        """
        parts = self._parts.get(log, ())

        def read(start: int, stop: int) -> bytes:
            index = bisect.bisect_right(parts, start, key=lambda part: part[0]) - 1
            if index >= 0:
                offset, data = parts[index]
                if stop <= offset + len(data):
                    return data[start - offset : stop - offset]
            # The whole span could not be read, but this part may be readable.
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
