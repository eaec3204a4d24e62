"""Stored bytes that new pieces are compared with, read at once for a whole batch."""

from __future__ import annotations

import bisect
import contextlib
import datetime
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence

from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable

logger = logging.getLogger(__name__)


def readable(day: datetime.date, spans: Sequence[store.Span]) -> dict[store.Span, bytes]:
    """The bytes of those of `spans` that can be read: one damaged log keeps nobody from the others.

    All of it is in memory at once.
    """
    try:
        return _joined(day, spans)
    except Unreadable:
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
