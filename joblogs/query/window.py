"""Window of lines of a log: the part that a page shows of a text of any size.

Memory is bounded by the window. A line longer than SEGMENT_BYTES is shown by its beginning and the
number of hidden bytes; a window that starts inside a line shows as much of it as fits.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from joblogs.logtext.lines import without_line_end

from .log_reader import Text

LINES = 500
SEGMENT_BYTES = 4 * 1024
WINDOW_BYTES = 256 * 1024
_SKIPS = 32
"""Maximum long lines in a window: finding the end of one may cost reading two chunks."""


class Place(NamedTuple):
    """Place of a window: from a line, from a byte, before a byte, or at the end."""

    kind: Literal["line", "byte", "before", "end"]
    value: int = 0


END = Place("end")


class ShownLine(NamedTuple):
    """Line of a window, or the part of it that is shown."""

    number: int
    offset: int
    data: bytes
    """Stored bytes, with the newline if that is shown."""
    continued: bool
    """Whether earlier bytes of the line are not shown here."""
    hidden: int
    """Number of later bytes of the line that are not shown here."""

    @property
    def text(self) -> bytes:
        """Bytes to display, without the line end."""
        return without_line_end(self.data)

    @property
    def stop(self) -> int:
        """Offset at which the shown part ends."""
        return self.offset + len(self.data)


class Window(NamedTuple):
    """Consecutive lines of a text, which are its bytes [start, stop)."""

    lines: list[ShownLine]
    start: int
    stop: int
    size: int
    """Bytes of the whole text."""
    newlines: int
    """Newlines in the whole text."""

    @property
    def at_start(self) -> bool:
        return self.start == 0

    @property
    def at_end(self) -> bool:
        return self.stop >= self.size


def window_at(text: Text, place: Place, *, lines: int = LINES) -> Window:
    """Return at most `lines` lines at a place; a place outside the text is moved to the nearest
    one inside."""
    if place.kind == "line":
        start = text.after_newline(place.value - 1)
        if start >= text.size:
            return _before(text, text.size, lines)
        return _from(text, start, max(place.value, 1), lines=lines)
    position = min(max(place.value, 0), text.size)
    if place.kind == "end" or (place.kind == "byte" and position == text.size):
        return _before(text, text.size, lines)
    if place.kind == "before":
        return _before(text, position, lines)
    number = text.newlines_before(position) + 1
    inside = position > 0 and text.read(position - 1, position) != b"\n"
    return _from(text, position, number, lines=lines, inside=inside)


def _before(text: Text, stop: int, lines: int, remaining: int | None = None) -> Window:
    """Return the lines that end at `stop`, including the beginning of a long line before them."""
    remaining = WINDOW_BYTES if remaining is None else remaining
    window = _after_long_line(text, stop, lines)
    first = window.lines[0] if window.lines else None
    remaining -= sum(SEGMENT_BYTES + len(line.data) for line in window.lines)
    if (
        first is None
        or first.continued
        or window.at_start
        or len(window.lines) >= lines
        or remaining < 0
    ):
        return window
    start = text.after_newline(first.number - 2)
    head = _from(text, start, first.number - 1, lines=1, stop=window.start)
    back = lines - len(window.lines) - 1
    more = _before(text, start, back, remaining) if back and start else head._replace(lines=[])
    return window._replace(lines=more.lines + head.lines + window.lines, start=more.start)


def _after_long_line(text: Text, stop: int, lines: int) -> Window:
    """Return the lines that end at `stop`, as far back as their beginnings are within
    WINDOW_BYTES."""
    first = max(0, stop - WINDOW_BYTES)
    block = text.read(first, stop) if first < stop else b""
    start = block.rfind(b"\n", 0, max(0, len(block) - 1)) + 1
    inside = start == 0 and first > 0
    if len(block) - start > SEGMENT_BYTES:
        # The last line is itself long: its end was requested.
        start, inside = len(block) - SEGMENT_BYTES, True
    else:
        for _ in range(lines - 1):
            if start == 0:
                break
            newline = block.rfind(b"\n", 0, start - 1) + 1
            if newline == 0 and first > 0:
                break  # the line begins before the block
            start = newline
    before = text.newlines if stop == text.size else text.newlines_before(stop)
    number = before - block.count(b"\n", start) + 1
    return _from(text, first + start, number, lines=lines, inside=inside, stop=stop)


def _from(
    text: Text,
    start: int,
    number: int,
    *,
    lines: int,
    inside: bool = False,
    stop: int | None = None,
) -> Window:
    """Return the lines from `start` on, which is the beginning of line `number`, or a place within
    it if `inside`."""
    end = text.size if stop is None else stop
    segments: list[ShownLine] = []
    position, remaining, skips = start, WINDOW_BYTES, _SKIPS
    while position < end and len(segments) < lines and remaining > 0 and skips:
        block = text.read(position, min(end, position + remaining))
        at = 0
        while at < len(block) and len(segments) < lines:
            newline = block.find(b"\n", at) + 1
            length = (newline or len(block)) - at
            limit = remaining if inside else SEGMENT_BYTES
            whole = bool(newline) or position + at + length == text.size
            if not whole and position + at + length < end and length < limit:
                remaining = 0  # its end is beyond the window: the next one begins with it
                break
            data = _cut(block[at : at + length], limit)
            line_end = position + at + length
            if not whole:
                line_end, skips = text.line_end(line_end), skips - 1
            hidden = line_end - (position + at + len(data))
            segments.append(ShownLine(number, position + at, data, inside, hidden))
            if inside and hidden:
                # As much of the line as fits is shown: the next window continues inside it.
                at, remaining = at + len(data), 0
                break
            remaining -= len(data)
            number, inside, at = number + 1, False, line_end - position
        position += at
    return Window(segments, start, position, text.size, text.newlines)


def _cut(data: bytes, limit: int) -> bytes:
    """Return at most `limit` bytes without splitting a UTF-8 character."""
    if len(data) <= limit:
        return data
    stop = limit
    while stop > max(1, limit - 3) and data[stop] & 0xC0 == 0x80:
        stop -= 1
    return data[:stop]
