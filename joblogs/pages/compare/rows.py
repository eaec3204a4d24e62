"""Rows of a comparison as a page shows them: what changed, with a little around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from joblogs.compare import Cell, Comparison, Row, shown_rows
from joblogs.logtext.encodings import CHOICES
from joblogs.logtext.terminal_lines import LinePainter
from joblogs.pages.formats import number
from joblogs.pages.log.lines import painted, safe

CONTEXT = 3
ROWS_MAX = 2_000
SHOWN_CELLS = 2_000
"""Of a line; a longer one is shown around its first difference."""


class LogLink(NamedTuple):
    """Address of a log, and what a link to one of its lines says besides."""

    log: str
    keep: str


class CellOnPage(NamedTuple):
    """A line on one side, with its address."""

    number: int
    log: str
    html: SafeString
    cut_before: bool
    cut_after: bool


class RowOnPage(NamedTuple):
    """A line of the comparison, or with `fold` several that are not shown, in words."""

    kind: str = ""
    left: CellOnPage | None = None
    right: CellOnPage | None = None
    usual: Sequence[tuple[SafeString, str]] = ()
    """Values that nearly all others have, and on how many hosts of how many."""
    fold: str = ""


def rows_on_page(
    comparison: Comparison,
    *,
    everything: bool,
    encoding: str,
    links: tuple[LogLink, LogLink],
) -> tuple[list[RowOnPage], bool]:
    """The rows to show, and whether some changed ones had to be left out."""
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


def _row(row: Row, encoding: str, left: LogLink, right: LogLink) -> RowOnPage:
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
    telling = [mark for mark in cell.marks if mark.name != "masked"] or cell.marks
    excerpt = LinePainter(encoding).excerpt(
        cell.data,
        cell.marks,
        around=telling[0].name if telling else "",
        cells=SHOWN_CELLS,
        before=SHOWN_CELLS // 4,
    )
    log = f"{link.log}?line={cell.number}{link.keep}#L{cell.number}"
    return CellOnPage(cell.number, log, safe(excerpt.html), excerpt.cut_before, excerpt.cut_after)


def codec_of(choice: str) -> str:
    """The encoding of what a reader chose; empty where lines are read in what they plainly are in,
    as those of UTF-16 are by halves."""
    return "" if choice == "utf-16" else CHOICES.get(choice, "")
