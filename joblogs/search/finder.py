"""Matching lines of a log, with their context."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from joblogs.query import StepHost

from .blocks import LONG_LINE_BYTES, Block
from .patterns import Pattern
from .readings import MatchedLine, Matches

SHOWN_LINE_BYTES = 4096
"""Maximum bytes of a line in a hit, unless more is requested."""


class FoundLine(NamedTuple):
    """Line of a hit: its number, from 1, and its bytes; of a long line those around the match."""

    number: int
    data: bytes
    matches: bool
    offset: int | None = None
    """Offset in the log at which `data` begins, if that is not the beginning of the line."""


@dataclass(slots=True)
class Hits:
    """Hits in one log. `label` is the path for a file log, "" for a script log."""

    host: StepHost
    label: str
    count: int = 0
    lines: list[FoundLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shown:
    """Options for the lines that are returned with hits."""

    context: int = 0
    """Lines of context around each hit."""
    hits: int = 10
    """Maximum hits of a log whose lines are returned; all hits are counted."""
    line_bytes: int = SHOWN_LINE_BYTES
    """Maximum bytes of a line."""
    skipped: int = 0
    """Hits to skip before the returned ones; only for hits without context."""


class Finder:
    """Search in consecutive blocks of a log, which collects the first hits with their context."""

    def __init__(
        self, hits: Hits, pattern: Pattern, shown: Shown, *, is_recoded: bool = False
    ) -> None:
        """`is_recoded`: the log is in UTF-16, and the blocks are its text as UTF-8."""
        self.hits, self.pattern, self.shown = hits, pattern, shown
        self.is_recoded = is_recoded
        self.number = 1
        self.offset = 0
        """Offset of the current block."""
        self.last_hit = 0
        self.before: deque[FoundLine] = deque(maxlen=shown.context)
        self.after = 0
        self.unread: list[tuple[bytes, int]] = []
        self.waiting = 0
        """Bytes in `unread`: blocks after the last hit, whose lines are only counted if another hit
        follows."""

    def search(self, block: Block) -> None:
        """Search the next block."""
        data, position = block.data, 0
        self.offset -= block.overlap
        matches = Matches(self.pattern, data)
        while position < len(data) and (found := matches.after(position)):
            self._catch_up()
            self._pass(data, position, found.start)
            if self.number != self.last_hit:
                self.last_hit = self.number
                self._hit(found)
            position = found.end
            self.number += self._lines(data, found.start, position)
        if self.after and self.hits.count <= self.shown.hits:
            self._catch_up()
            position = self._follow(data, position, len(data))
        self.offset += len(data)
        self.unread.append((data, position))
        self.waiting += len(data)
        if self.waiting > LONG_LINE_BYTES:
            self._catch_up()

    def _catch_up(self) -> None:
        for data, position in self.unread:
            self._pass(data, position, len(data))
        self.unread.clear()
        self.waiting = 0

    def _hit(self, found: MatchedLine) -> None:
        self.hits.count += 1
        if not self.shown.skipped < self.hits.count <= self.shown.skipped + self.shown.hits:
            return
        self.hits.lines += self.before
        self.before.clear()
        start = _begin(found, self.shown.line_bytes)
        data = found.line[start : start + self.shown.line_bytes]
        offset = self.offset + found.start + start if start and not self.is_recoded else None
        self.hits.lines.append(FoundLine(self.number, data, True, offset))
        self.after = self.shown.context

    def _pass(self, data: bytes, start: int, end: int) -> None:
        """Count lines that do not match, and keep those that may be context of a hit."""
        if not self.shown.context or self.hits.count > self.shown.hits:
            self.number += self._lines(data, start, end)
            return
        start = self._follow(data, start, end)
        spans: deque[tuple[int, int]] = deque()
        stop = end
        while stop > start and len(spans) < self.shown.context:
            begin = data.rfind(b"\n", start, stop - 1) + 1 or start
            spans.appendleft((begin, stop))
            stop = begin
        self.number += self._lines(data, start, stop)
        for begin, stop in spans:
            self.before.append(FoundLine(self.number, self._cut(data[begin:stop]), False))
            self.number += self._lines(data, begin, stop)

    def _follow(self, data: bytes, start: int, end: int) -> int:
        """Add the lines of context after a hit that are in this block; return where they end."""
        while self.after and start < end:
            stop = data.find(b"\n", start, end) + 1 or end
            self.hits.lines.append(FoundLine(self.number, self._cut(data[start:stop]), False))
            self.number += self._lines(data, start, stop)
            self.after -= 1
            start = stop
        return start

    def _lines(self, data: bytes, start: int, end: int) -> int:
        """Return the number of newline bytes in a range. In UTF-16 this byte may also be half of
        another character."""
        if not self.is_recoded:
            return data.count(b"\n", start, end)
        text = data[start:end].decode(errors="replace")
        return text.encode("utf-16-le", errors="replace").count(b"\n")

    def _cut(self, line: bytes) -> bytes:
        return line[: self.shown.line_bytes]


def _begin(found: MatchedLine, limit: int) -> int:
    """Return where to begin to show a line so that its match is visible, at a whole character."""
    if found.at < limit * 3 // 4 or len(found.line) <= limit:
        return 0
    start = found.at - limit // 4
    while start < found.at and found.line[start] & 0xC0 == 0x80:
        start += 1
    return start
