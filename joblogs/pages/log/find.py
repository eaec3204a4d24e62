"""Find in a log: count the matching lines, and show one of them in its place or only them."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.translation import ngettext

from joblogs.logtext.encodings import reading_encoding
from joblogs.logtext.lines import without_line_end
from joblogs.logtext.terminal_lines import LinePainter
from joblogs.logtext.utf16_parts import parts_as_utf8
from joblogs.pages import links
from joblogs.pages.formats import number
from joblogs.query import Place
from joblogs.search import FoundLine, Pattern, TextHits, find_in_text

from .host_log import HostLog
from .lines import LineOnPage, hit_marks, level_of, safe
from .request import FoundPlace, LogRequest, around

SECONDS = 5.0
LINES = 500
"""Matching lines on a page that shows only them."""
CELLS, BEFORE = 2000, 200
"""Columns shown of a matching line, and columns of these before its match."""


class Finding(NamedTuple):
    """Hits in a log, and which of them is shown."""

    hits: TextHits
    rank: int
    """Rank of the first shown line among the hits, from 1; 0 if there are none."""

    @property
    def line(self) -> FoundLine | None:
        return self.hits.lines[0] if self.hits.lines else None

    @property
    def place(self) -> FoundPlace | None:
        """Place of a match far from the beginning of its line, by byte; otherwise None."""
        line = self.line
        if line is None or line.offset is None:
            return None
        return FoundPlace(Place("byte", line.offset), line.number)


def find(log: HostLog, request: LogRequest, pattern: Pattern) -> Finding:
    """Search a whole log, or as much of it as SECONDS allow."""
    most = LINES if request.only else 1
    rank = request.hit
    hits = find_in_text(log.host, log.text, pattern, first=rank, most=most, seconds=SECONDS)
    return Finding(hits, rank if hits.lines else 0)


def place_of(finding: Finding, log: HostLog) -> FoundPlace | None:
    """Return the place at which a log is opened to show the first hit; None if there is none."""
    if finding.place is not None or finding.line is None:
        return finding.place
    return around(finding.line.number, log.text)


def summary(finding: Finding, request: LogRequest) -> dict[str, Any]:
    """Return what the page says about the hits, with links to the previous and next ones, which
    wrap around at the ends."""
    count, rank, shown = finding.hits.total, finding.rank, len(finding.hits.lines)
    step = LINES if request.only else 1
    before = rank - step if rank > step else (count - 1) // step * step + 1
    after = rank + step if rank + step <= count else 1
    text = ngettext("%(n)s line found", "%(n)s lines found", count) % {"n": number(count)}
    return {
        "label": text,
        "rank": number(rank) if step == 1 else f"{number(rank)}–{number(rank + shown - 1)}",
        "count": count,
        "stopped": finding.hits.stopped,
        "several": count > step,
        "before": links.with_changes(request.in_page, hit=str(max(1, before))),
        "after": links.with_changes(request.in_page, hit=str(after)),
        "only": links.with_changes(
            request.in_page, only=None if request.only else "1", hit=str(max(1, rank))
        ),
        "none": links.with_changes(request.parameters),
    }


def matching_lines(finding: Finding, pattern: Pattern, encoding: str) -> list[LineOnPage]:
    """Return the matching lines only, each with its matches marked."""
    return [_on_page(line, pattern, encoding) for line in finding.hits.lines]


def _on_page(line: FoundLine, pattern: Pattern, encoding: str) -> LineOnPage:
    data = without_line_end(parts_as_utf8(line.data))
    marks = hit_marks(data, pattern)
    name = reading_encoding(data, chosen=encoding)
    excerpt = LinePainter(name).excerpt(data, marks, around="hit", cells=CELLS, before=BEFORE)
    return LineOnPage(
        number=line.number,
        offset=line.offset or 0,
        html=safe(excerpt.html),
        continued=False,
        hidden=0,
        goes_on_at=0,
        is_target=False,
        level=level_of(data),
        cut=excerpt.cut_after,
    )
