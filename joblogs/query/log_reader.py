"""Random access to a log: by byte, by line number, and to the ends of lines.

There are two kinds: a stored log, of which only the requested range is read, and bytes that are in
memory anyway. Line numbers start at 1; a line ends at a newline and nowhere else.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from joblogs.logtext import store
from joblogs.logtext.store import line_ends
from joblogs.models import HostResult, StepInstance

from .hosts import StepHost

_BLOCK_BYTES = 1024 * 1024


class Text(Protocol):
    """Protocol of a text of which a window is shown."""

    @property
    def size(self) -> int:
        """Size in bytes."""

    @property
    def newlines(self) -> int:
        """Number of newlines in the whole text."""

    @property
    def last_start(self) -> int:
        """Offset at which the last of its logs starts: 0 unless several were joined."""

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes [start, stop), both within the text."""

    def newlines_before(self, position: int) -> int:
        """Return the number of newlines before a position."""

    def after_newline(self, nth: int) -> int:
        """Return the offset after the nth newline; the text's size if it has fewer."""

    def line_end(self, position: int) -> int:
        """Return the offset after the newline of the line at a position."""


class BytesText:
    """Text that is in memory."""

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


class TextRow(NamedTuple):
    """Row of a host result: the columns that `StoredText` needs."""

    pk: int
    step_id: int
    held_size: int
    lines: int
    pack: int | None
    pack_start: int | None


class _Part(NamedTuple):
    """Log of a host result within a text, and the offset at which it starts there."""

    row: TextRow
    start: int

    @property
    def size(self) -> int:
        return self.row.held_size

    @property
    def newlines(self) -> int:
        return self.row.lines

    @property
    def stop(self) -> int:
        return self.start + self.size

    def span(self, start: int, stop: int) -> store.Span:
        """Return the span of a range of the log, in the log's own offsets."""
        return store.span_of(self.row, start, stop)


class StoredText:
    """Script log of a host: the logs of its host results, joined. Its size and newlines do not
    change when more text arrives."""

    def __init__(self, day: datetime.date, rows: Sequence[TextRow]) -> None:
        self._day, self._rows = day, rows
        self._parts: list[_Part] = []
        self._packed: dict[int, BytesText] = {}
        self.size = self.newlines = 0
        for row in rows:
            self._parts.append(_Part(row, self.size))
            self.size += row.held_size
            self.newlines += row.lines

    def without_end(self, size: int, newlines: int) -> StoredText:
        """Return the text without the last `size` bytes, which have `newlines`, of its last log."""
        *rows, last = self._rows
        held, lines = last.held_size - size, last.lines - newlines
        return StoredText(self._day, [*rows, last._replace(held_size=held, lines=lines)])

    @property
    def last_start(self) -> int:
        return self._parts[-1].start if self._parts else 0

    def read(self, start: int, stop: int) -> bytes:
        spans = [
            part.span(max(start, part.start) - part.start, min(stop, part.stop) - part.start)
            for part in self._parts
            if start < part.stop and part.start < stop
        ]
        if len(spans) == 1 and (packed := self._text_of(spans[0])):
            return packed.read(spans[0].start, spans[0].stop)
        return b"".join(piece for _, counted in store.read(self._day, spans) for piece in counted)

    def _text_of(self, span: store.Span) -> BytesText | None:
        """Return the text of a log that shares its pack with others, which is decoded as a whole
        anyway; None for any other log."""
        if not span.is_packed_with_others:
            return None
        if span.log not in self._packed:
            whole = span._replace(start=0, stop=span.size or span.stop)
            parts = (part for _, found in store.read(self._day, [whole]) for part in found)
            self._packed[span.log] = BytesText(b"".join(parts))
        return self._packed[span.log]

    def newlines_before(self, position: int) -> int:
        before = 0
        for part in self._parts:
            if position >= part.stop:
                before += part.newlines
            elif position > part.start:
                before += self._newlines_before(part, position - part.start)
        return before

    def _newlines_before(self, part: _Part, position: int) -> int:
        if packed := self._text_of(part.span(0, part.size)):
            return packed.newlines_before(position)
        if position > part.size // 2:
            # Counted from the end, which is where a growing log is read.
            counted = line_ends.count_within(self._day, part.span(position, part.size))
            if counted.stop == part.size:
                rest = self._count(part, position, counted.start)
                return part.newlines - counted.newlines - rest
        counted = line_ends.count_within(self._day, part.span(0, position))
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
                found = line_ends.chunk_of(self._day, part.span(0, part.size), nth)
                if found is None:
                    break
                chunk, before = found
                start = part.start + chunk.start
                data = self.read(start, min(part.start + chunk.stop, part.stop))
                return start + after_newline(data, nth - before)
            nth -= part.newlines
        return self.size

    def line_end(self, position: int) -> int:
        for part in self._parts:
            if position < part.stop and part.newlines:
                at = max(0, position - part.start)
                for chunk in line_ends.next_chunks(self._day, part.span(at, part.size)):
                    begin = part.start + max(chunk.start, at)
                    data = self.read(begin, min(part.start + chunk.stop, part.stop))
                    if end := data.find(b"\n") + 1:
                        return begin + end
        return self.size


def newline_counts(hosts: Sequence[StepHost]) -> dict[int, int]:
    """Return by host the number of newlines in its script log."""
    owners = {result.pk: host.bk_host_id for host in hosts for result in host.results}
    counts = dict.fromkeys(owners.values(), 0)
    if owners:
        rows = HostResult.objects.filter(pk__in=owners).values_list("pk", "lines")
        for pk, newlines in rows:
            counts[owners[pk]] += newlines
    return counts


def script_text(step: StepInstance, host: StepHost) -> StoredText:
    """Return the script log of a host as it is now; an empty text for an expired job."""
    if step.job.expired_at is not None:
        return StoredText(step.day, [])
    pks = [row.pk for row in host.results]
    found = HostResult.objects.filter(pk__in=pks).values_list(*TextRow._fields)
    rows = {row.pk: row for row in map(TextRow._make, found)}
    return StoredText(step.day, [rows[pk] for pk in pks if pk in rows])


def settled_text(step: StepInstance, host: StepHost) -> StoredText:
    """Return the script log of a host for a follower: without the bytes at the end of a growing log
    that a later piece may turn into part of a mask, so that sent text never changes."""
    text = script_text(step, host)
    size = min(unsettled_size(host), text.size - text.last_start)
    if not size:
        return text
    newlines = text.read(text.size - size, text.size).count(b"\n")
    return text.without_end(size, newlines)


def unsettled_size(host: StepHost) -> int:
    """Return the number of bytes at the end of a log that a later piece may turn into part of a
    mask; 0 once it has ended."""
    last = HostResult.objects.filter(pk=host.results[-1].pk).first()
    return 0 if last is None or last.finished else last.unsettled_size


def after_newline(data: bytes, nth: int) -> int:
    """Return the offset after the nth newline; the size of the data if it has fewer.

    Counting in halves runs at memory speed: a chunk may have a million lines.
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
