"""A log as something to look into by place: bytes, line numbers, the ends of lines.

Two kinds: what chunks hold, of which only what is asked for is read, and bytes that are in memory
anyway. Line numbers count from 1; a line ends at a newline and nowhere else.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from joblogs.logtext import store
from joblogs.logtext.store import line_ends
from joblogs.models import HostResult, StepInstance

from .step_host import StepHost

_BLOCK_BYTES = 1024 * 1024


class Text(Protocol):
    """What a window looks into."""

    @property
    def size(self) -> int:
        """In bytes."""

    @property
    def newlines(self) -> int:
        """In all of it."""

    @property
    def last_start(self) -> int:
        """Byte at which the last of its logs starts: 0 unless several were joined."""

    def read(self, start: int, stop: int) -> bytes:
        """The bytes [start, stop), both within the text."""

    def newlines_before(self, position: int) -> int:
        """How many newlines the bytes before a position hold."""

    def after_newline(self, nth: int) -> int:
        """Where the nth newline ends; the text's end if it has fewer."""

    def line_end(self, position: int) -> int:
        """Where the line that a position is in ends, its newline included."""


class BytesText:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size, self.newlines = data, len(data), data.count(b"\n")
        self.last_start = 0

    def read(self, start: int, stop: int) -> bytes:
        return self.data[start:stop]

    def newlines_before(self, position: int) -> int:
        return self.data.count(b"\n", 0, position)

    def after_newline(self, nth: int) -> int:
        return after_newline(self.data, nth) if nth <= self.newlines else self.size

    def line_end(self, position: int) -> int:
        return self.data.find(b"\n", position) + 1 or self.size


class _Part(NamedTuple):
    """A host result's log within the text: where it starts there, and what it holds."""

    log: int
    start: int
    size: int
    newlines: int

    @property
    def stop(self) -> int:
        return self.start + self.size


class StoredText:
    """The script log of a host: the rows that stand for it, joined. Size and newlines are those
    of one moment, whatever arrives meanwhile."""

    def __init__(self, day: datetime.date, rows: Sequence[tuple[int, int, int]]) -> None:
        """`rows` are (host result, bytes held, newlines held), in their order."""
        self._day = day
        self._parts: list[_Part] = []
        self.size = self.newlines = 0
        for log, size, newlines in rows:
            self._parts.append(_Part(log, self.size, size, newlines))
            self.size += size
            self.newlines += newlines

    def without_end(self, size: int, newlines: int) -> StoredText:
        """The same without so many bytes, and the newlines in them, at the end of its last row."""
        rows = [(part.log, part.size, part.newlines) for part in self._parts]
        log, whole, lines = rows.pop()
        return StoredText(self._day, [*rows, (log, whole - size, lines - newlines)])

    @property
    def last_start(self) -> int:
        return self._parts[-1].start if self._parts else 0

    def read(self, start: int, stop: int) -> bytes:
        spans = [
            store.Span(
                part.log,
                max(start, part.start) - part.start,
                min(stop, part.stop) - part.start,
                part.size,
            )
            for part in self._parts
            if start < part.stop and part.start < stop
        ]
        return b"".join(piece for _, counted in store.read(self._day, spans) for piece in counted)

    def newlines_before(self, position: int) -> int:
        before = 0
        for part in self._parts:
            if position >= part.stop:
                before += part.newlines
            elif position > part.start:
                before += self._newlines_before(part, position - part.start)
        return before

    def _newlines_before(self, part: _Part, position: int) -> int:
        if position > part.size // 2:
            # Counted from the end, which is where a log that grows is looked at.
            counted = line_ends.count_within(self._day, part.log, position, part.size)
            if counted.stop == part.size:
                rest = self._count(part, position, counted.start)
                return part.newlines - counted.newlines - rest
        counted = line_ends.count_within(self._day, part.log, 0, position)
        return counted.newlines + self._count(part, counted.stop, position)

    def _count(self, part: _Part, start: int, stop: int) -> int:
        # Less than two chunks, unless they are being merged at this moment.
        count = 0
        for at in range(start, stop, _BLOCK_BYTES):
            block = self.read(part.start + at, part.start + min(stop, at + _BLOCK_BYTES))
            count += block.count(b"\n")
        return count

    def after_newline(self, nth: int) -> int:
        if nth <= 0:
            return 0
        for part in self._parts:
            if nth <= part.newlines:
                place = line_ends.chunk_of(self._day, part.log, nth)
                if place is None:
                    break
                chunk, before = place
                start = part.start + chunk.start
                data = self.read(start, min(part.start + chunk.stop, part.stop))
                return start + after_newline(data, nth - before)
            nth -= part.newlines
        return self.size

    def line_end(self, position: int) -> int:
        for part in self._parts:
            if position < part.stop and part.newlines:
                at = max(0, position - part.start)
                for chunk in line_ends.next_chunks(self._day, part.log, at):
                    begin = part.start + max(chunk.start, at)
                    data = self.read(begin, min(part.start + chunk.stop, part.stop))
                    if end := data.find(b"\n") + 1:
                        return begin + end
        return self.size


def newline_counts(hosts: Sequence[StepHost]) -> dict[int, int]:
    """How many newlines the script logs of these hosts hold, by host."""
    owners = {result.pk: host.bk_host_id for host in hosts for result in host.results}
    counts = dict.fromkeys(owners.values(), 0)
    if owners:
        rows = HostResult.objects.filter(pk__in=owners).values_list("pk", "lines")
        for pk, newlines in rows:
            counts[owners[pk]] += newlines
    return counts


def script_text(step: StepInstance, host: StepHost) -> StoredText:
    """The script log of a host as it is now; of an expired job, nothing."""
    if step.job.expired_at is not None:
        return StoredText(step.day, [])
    columns = ("pk", "held_size", "lines")
    pks = [row.pk for row in host.results]
    rows = {row[0]: row for row in HostResult.objects.filter(pk__in=pks).values_list(*columns)}
    return StoredText(step.day, [rows[pk] for pk in pks if pk in rows])


def settled_text(step: StepInstance, host: StepHost) -> StoredText:
    """The same for who follows it: without bytes at the end of a log that grows which a later piece
    may turn into a part of a mask, so that what was sent never changes."""
    text = script_text(step, host)
    size = min(unsettled_size(host), text.size - text.last_start)
    if not size:
        return text
    newlines = text.read(text.size - size, text.size).count(b"\n")
    return text.without_end(size, newlines)


def unsettled_size(host: StepHost) -> int:
    """Bytes at the end of a log that a later piece may turn into a part of a mask; 0 once it has
    ended."""
    last = HostResult.objects.filter(pk=host.results[-1].pk).first()
    return 0 if last is None or last.finished else last.unsettled_size


def after_newline(data: bytes, nth: int) -> int:
    """Where the nth newline ends; the end of the data if it has fewer.

    By halves and counts, which run at memory speed: a chunk may hold a million lines.
    """
    if nth < 1:
        return 0
    start, stop = 0, len(data)
    while stop - start > 1:
        middle = (start + stop) // 2
        count = data.count(b"\n", start, middle)
        if count >= nth:
            stop = middle
        else:
            nth -= count
            start = middle
    return stop
