"""Lines of search hits as HTML."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from joblogs.logtext.ansi import Mark
from joblogs.logtext.encodings import reading_encoding
from joblogs.logtext.lines import without_line_end
from joblogs.logtext.terminal_lines import LinePainter
from joblogs.logtext.utf16_parts import parts_as_utf8
from joblogs.search import Line, Pattern, spans

SHOWN_CELLS, BEFORE_CELLS = 600, 200
"""Of a line, and of what comes before its first match."""
MATCHES_MAX = 50


class HitLine(NamedTuple):
    """A line of the sample of a group."""

    number: int
    html: SafeString
    matches: bool
    cut_before: bool
    cut_after: bool
    gap: bool
    """Lines between the one before and this one are not shown."""
    offset: int | None = None
    """Byte of the log from which on it is shown, where its line begins far before."""


def hit_lines(lines: list[Line], pattern: Pattern, encoding: str) -> list[HitLine]:
    """The lines of a hit, their matches marked."""
    shown: list[HitLine] = []
    last = None
    for line in lines:
        data = without_line_end(parts_as_utf8(line.data))
        matches = spans(pattern, data, MATCHES_MAX) if line.matches else []
        marks = [Mark(start, end, "hit") for start, end in matches]
        name = reading_encoding(data, chosen=encoding)
        # A painter of its own: what came before is not here to be carried on.
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
