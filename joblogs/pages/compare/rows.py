"""Rows of a comparison as a page shows them: what changed, with a little around it."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.safestring import SafeString

from joblogs.compare import Cell, Comparison, Kind, Row
from joblogs.logtext.ansi import Encoding, Mark, Painter
from joblogs.pages.log.lines import painted

CONTEXT = 3
ROWS_MAX = 2_000
SHOWN_BYTES = 2_000
"""Of a line; a longer one is shown around its first difference."""
_CHANGED = (Kind.DIFFERENT, Kind.LEFT, Kind.RIGHT)


class CellOnPage(NamedTuple):
    """A line on one side."""

    number: int
    html: SafeString
    cut_before: bool
    cut_after: bool


class RowOnPage(NamedTuple):
    """A line of the comparison."""

    kind: str
    left: CellOnPage | None
    right: CellOnPage | None
    usual: list[tuple[SafeString, int, int]]
    """Values that nearly all others have, on how many hosts, of how many."""

    @property
    def is_fold(self) -> bool:
        return False


class Fold(NamedTuple):
    """Lines that are not shown because nothing changed in them."""

    lines: int
    similar: int

    @property
    def is_fold(self) -> bool:
        return True


def rows_on_page(
    comparison: Comparison, *, everything: bool, encoding: Encoding
) -> tuple[list[RowOnPage | Fold], bool]:
    """The rows to show, and whether some changed ones had to be left out."""
    keep = [everything] * len(comparison.rows)
    if not everything:
        for index, row in enumerate(comparison.rows):
            if row.kind in _CHANGED:
                first = max(0, index - CONTEXT)
                keep[first : index + CONTEXT + 1] = [True] * (
                    min(len(keep), index + CONTEXT + 1) - first
                )
    shown: list[RowOnPage | Fold] = []
    lines = similar = count = 0
    for row, wanted in zip(comparison.rows, keep, strict=True):
        if wanted and count < ROWS_MAX:
            if lines:
                shown.append(Fold(lines, similar))
                lines = similar = 0
            shown.append(_row(row, encoding))
            count += 1
        else:
            lines += 1
            similar += row.kind is Kind.SIMILAR
    if lines:
        shown.append(Fold(lines, similar))
    return shown, sum(keep) > ROWS_MAX


def _row(row: Row, encoding: Encoding) -> RowOnPage:
    return RowOnPage(
        str(row.kind),
        _cell(row.left, encoding) if row.left else None,
        _cell(row.right, encoding) if row.right else None,
        [
            (painted(Painter(encoding), steady.value), steady.hosts, steady.of)
            for steady in row.steady
        ],
    )


def _cell(cell: Cell, encoding: Encoding) -> CellOnPage:
    telling = [mark for mark in cell.marks if mark.name != "masked"] or cell.marks
    start = 0
    if len(cell.data) > SHOWN_BYTES and telling:
        start = max(0, telling[0].start - SHOWN_BYTES // 4)
    stop = min(len(cell.data), start + SHOWN_BYTES)
    marks = [
        Mark(max(mark.start, start) - start, min(mark.end, stop) - start, mark.name)
        for mark in cell.marks
        if mark.end > start and mark.start < stop
    ]
    html = painted(Painter(encoding), cell.data[start:stop], marks)
    return CellOnPage(cell.number, html, start > 0, stop < len(cell.data))
