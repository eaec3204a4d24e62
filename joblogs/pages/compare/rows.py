"""Rows of a comparison as a page shows them: the changes, with some context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from joblogs.compare import Cell, Comparison, ComparisonRow, shown_rows
from joblogs.logtext.encodings import CHOICES
from joblogs.logtext.terminal_lines import LinePainter
from joblogs.pages.formats import number
from joblogs.pages.log.lines import painted, safe

CONTEXT = 3
ROWS_MAX = 2_000
SHOWN_CELLS = 2_000
"""Columns shown of a line; a longer line is shown around its first difference."""


class LogLink(NamedTuple):
    """Address of a log, and the query parameters that links to its lines keep."""

    log: str
    keep: str


class CellOnPage(NamedTuple):
    """Line on one side, with its address."""

    number: int
    log: str
    html: SafeString
    cut_before: bool
    cut_after: bool


class RowOnPage(NamedTuple):
    """Row of the comparison; with `fold`, a text that stands for several hidden rows."""

    kind: str = ""
    left: CellOnPage | None = None
    right: CellOnPage | None = None
    usual: Sequence[tuple[SafeString, str]] = ()
    """Values that nearly all other hosts have, with the number of these hosts in words."""
    fold: str = ""


def rows_on_page(
    comparison: Comparison,
    *,
    everything: bool,
    encoding: str,
    links: tuple[LogLink, LogLink],
) -> tuple[list[RowOnPage], bool]:
    """Return the rows to show, and whether there were more than ROWS_MAX."""
    keep = [True] * len(comparison.rows)
    if not everything:
        keep = shown_rows(comparison, context=CONTEXT)
    shown: list[RowOnPage] = []
    folded = count = 0
    for row, wanted in zip(comparison.rows, keep, strict=True):
        if wanted and count < ROWS_MAX:
            if folded:
                shown.append(_fold(folded))
                folded = 0
            shown.append(_row(row, encoding, *links))
            count += 1
        else:
            folded += 1
    if folded:
        shown.append(_fold(folded))
    return shown, sum(keep) > ROWS_MAX


def _fold(lines: int) -> RowOnPage:
    text = ngettext("%(n)s matching line", "%(n)s matching lines", lines)
    return RowOnPage(fold=text % {"n": number(lines)})


def _row(row: ComparisonRow, encoding: str, left: LogLink, right: LogLink) -> RowOnPage:
    on = gettext("on %(hosts)s of %(of)s hosts")
    return RowOnPage(
        str(row.kind),
        _cell(row.left, encoding, left) if row.left else None,
        _cell(row.right, encoding, right) if row.right else None,
        [
            (
                painted(LinePainter(encoding), steady.value),
                on % {"hosts": number(steady.hosts), "of": number(steady.of)},
            )
            for steady in row.steady
        ],
    )


def _cell(cell: Cell, encoding: str, link: LogLink) -> CellOnPage:
    differing = [mark for mark in cell.marks if mark.name != "masked"] or cell.marks
    excerpt = LinePainter(encoding).excerpt(
        cell.data,
        cell.marks,
        around=differing[0].name if differing else "",
        cells=SHOWN_CELLS,
        before=SHOWN_CELLS // 4,
    )
    log = f"{link.log}?line={cell.number}{link.keep}#L{cell.number}"
    return CellOnPage(cell.number, log, safe(excerpt.html), excerpt.cut_before, excerpt.cut_after)


def codec_of(choice: str) -> str:
    """Return the codec of the reader's choice; empty if the encoding is detected line by line, as
    it is for UTF-16."""
    return "" if choice == "utf-16" else CHOICES.get(choice, "")
