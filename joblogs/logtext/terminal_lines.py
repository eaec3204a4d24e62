"""Separate lines as a terminal last showed them, as HTML. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .ansi import Mark, Painter
from .encodings import reading_encoding
from .terminal import Screen, decoded
from .terminal_row import ScreenRow
from .utf16_parts import parts_as_utf8


class Excerpt(NamedTuple):
    """Part of a line as HTML, and whether there is more of it before and after."""

    html: str
    cut_before: bool
    cut_after: bool


class LinePainter:
    """Painter of consecutive lines as a terminal last showed them; a colour applies until it is
    changed. Effects of a line on other lines are ignored."""

    def __init__(self, encoding: str = "") -> None:
        """Without an encoding, the encoding of each line is detected."""
        self._fixed = encoding
        self._screen = Screen()

    def line(self, data: bytes, marks: Sequence[Mark] = ()) -> str:
        """Return the bytes of a line as HTML. `marks`, in bytes, ascend and do not overlap."""
        return "\n".join(row.html() for row in self._rows(data, marks))

    def excerpt(
        self, data: bytes, marks: Sequence[Mark], *, around: str, cells: int, before: int
    ) -> Excerpt:
        """Return `cells` cells of a line from its beginning, or, if the first mark named `around`
        is far from the beginning, from `before` cells before the mark. If the marked text was
        overwritten, the excerpt shows the bytes with their codes."""
        first = next((mark for mark in marks if mark.name == around), None)
        rows = self._rows(data, marks) or [ScreenRow()]
        for row in rows if first is not None else rows[-1:]:
            at = row.marked(around) if first is not None else 0
            if at is not None:
                start = at - before if at >= cells // 2 else 0
                more = start + cells < len(row.chars)
                return Excerpt(row.html(cells, start=start), start > 0, more)
        start = first.start - before if first is not None and first.start >= cells // 2 else 0
        stop = min(len(data), start + cells)
        within = [
            Mark(mark.start - start, min(mark.end, stop) - start, mark.name)
            for mark in marks
            if start <= mark.start < stop
        ]
        html = Painter(self._encoding(data)).line(data[start:stop], within)
        return Excerpt(html, start > 0, stop < len(data))

    def _encoding(self, data: bytes) -> str:
        return self._fixed or reading_encoding(data)

    def _rows(self, data: bytes, marks: Sequence[Mark]) -> list[ScreenRow]:
        if not self._fixed and not marks:
            data = parts_as_utf8(data)
        text, places = decoded(data, self._encoding(data), marks)
        self._screen.begin_anew()
        self._screen.feed(text, 1, marks=places)
        return self._screen.rows
