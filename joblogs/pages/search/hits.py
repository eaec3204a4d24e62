"""Lines of search hits as HTML."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from joblogs.logtext.ansi import Mark
from joblogs.logtext.encodings import reading_encoding
from joblogs.logtext.lines import without_line_end
from joblogs.logtext.terminal_lines import LinePainter
from joblogs.logtext.utf16_parts import parts_as_utf8
from joblogs.search import FoundLine, Pattern, spans

SHOWN_CELLS, BEFORE_CELLS = 600, 200
"""Columns shown of a line, and columns of these before its first match."""
MATCHES_MAX = 50


class HitLine(NamedTuple):
    """Line of a hit group's sample."""

    number: int
    html: SafeString
    matches: bool
    cut_before: bool
    cut_after: bool
    gap: bool
    """Whether lines between the previous one and this one are not shown."""
    offset: int | None = None
    """Offset in the log from which it is shown, if the line begins far before; else None."""


def hit_lines(lines: list[FoundLine], pattern: Pattern, encoding: str) -> list[HitLine]:
    """Return the lines of a hit as HTML, with their matches marked."""
    shown: list[HitLine] = []
    last = None
    for line in lines:
        data = without_line_end(parts_as_utf8(line.data))
        matches = spans(pattern, data, MATCHES_MAX) if line.matches else []
        marks = [Mark(start, end, "hit") for start, end in matches]
        name = reading_encoding(data, chosen=encoding)
        # A new painter for each line: colours do not continue from the line before.
        excerpt = LinePainter(name).excerpt(
            data, marks, around="hit", cells=SHOWN_CELLS, before=BEFORE_CELLS
        )
        gap = last is not None and line.number > last + 1
        html = mark_safe(excerpt.html)  # noqa: S308 - escaped by logtext
        cut_before = excerpt.cut_before or line.offset is not None
        shown.append(
            HitLine(
                line.number, html, line.matches, cut_before, excerpt.cut_after, gap, line.offset
            )
        )
        last = line.number
    return shown
