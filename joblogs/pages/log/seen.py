"""Lines of a window as a terminal would have left them.

Lines before and after the window may redraw its lines, and what a line of megabytes showed last is
at its end: both are read up to the limits below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.safestring import mark_safe

from joblogs.logtext.ansi import Mark
from joblogs.logtext.line_texts import Bytes, line_texts
from joblogs.logtext.lines import TextLine, iter_lines
from joblogs.logtext.terminal import Screen, decoded
from joblogs.logtext.terminal_codes import MOVES_BETWEEN_LINES, REDRAWS
from joblogs.logtext.terminal_row import ScreenRow
from joblogs.query import ShownLine, Text, Window
from joblogs.search import Pattern

from .lines import EarlierState, LineOnPage, hit_marks, level_of, state_html, with_pauses

AROUND_BYTES = 128 * 1024
"""Bytes read before and after a window whose lines redraw others."""
REST_BYTES = 256 * 1024
"""Bytes read at the end of a long line that redraws itself."""
RESTS_BYTES = 1024 * 1024
"""Bytes read at the ends of all the long lines of a window together."""
CELLS_MAX = 4096
"""Maximum columns shown of a line."""


class SeenLines(NamedTuple):
    """Lines as a terminal last showed them, and the offset of the first byte that they cover."""

    lines: list[LineOnPage]
    start: int


def lines_as_seen(
    text: Text,
    window: Window,
    encoding: str,
    *,
    mixed: bool = True,
    target: int | None = None,
    to_end: bool = False,
    run_seconds: float = 0,
    pattern: Pattern | None = None,
) -> SeenLines:
    """Return the lines of a window and the earlier lines that they redrew.

    `mixed`: decode lines that are clearly in another encoding in that one. `to_end`: include every
    line after the first of these, for a caller that replaces everything shown from there on.
    """
    if not window.lines:
        return SeenLines([], window.start)
    first, last = window.lines[0], window.lines[-1]
    before, after = _around(text, window, encoding)
    screen = Screen(at_start=(before[0].offset if before else window.start) == 0)
    _feed(screen, before, encoding, mixed=mixed)
    whole, missed = _with_ends(text, window.lines, encoding)
    _feed(screen, whole, encoding, pattern, mixed=mixed)
    wanted = {id(row) for row in screen.rows if row.last >= first.number}
    _feed(screen, after, encoding, mixed=mixed)
    rows = [row for row in screen.rows if (row.number or 0) <= last.number]
    places = [place for place, row in enumerate(rows) if id(row) in wanted]
    rows = rows[places[0] :] if to_end and places else [rows[place] for place in places]
    by_number = {line.number: line for line in window.lines}
    target_row = None if target is None else screen.row_of(target)
    lines = [
        _on_page(
            row, by_number.get(row.number or 0), encoding, target if row is target_row else None
        )
        for row in rows
    ]
    lines = [line._replace(states_missed=True) if line.number in missed else line for line in lines]
    lines = with_pauses(lines, (row.text for row in rows), run_seconds)
    return SeenLines(lines, min([window.start, *(row.offset for row in rows)]))


def _around(text: Text, window: Window, encoding: str) -> tuple[list[TextLine], list[TextLine]]:
    """Return the lines before and after a window that may affect it by redrawing."""
    before: list[TextLine] = []
    after: list[TextLine] = []
    first, last = window.lines[0], window.lines[-1]
    if window.start > 0 and not first.continued and _moves(window.lines, encoding):
        start = max(0, window.start - AROUND_BYTES)
        data = text.read(start, window.start)
        cut = data.find(b"\n") + 1 if start else 0
        number = first.number - data.count(b"\n", cut)
        before = list(iter_lines([data[cut:]], first_number=number, first_offset=start + cut))
    if not window.at_end:
        data = text.read(window.stop, min(text.size, window.stop + AROUND_BYTES))
        after = list(iter_lines([data], first_number=last.number + 1, first_offset=window.stop))
        after = after if _moves(after, encoding) else []
    return before, after


def _moves(lines: Sequence[TextLine | ShownLine], encoding: str) -> bool:
    return any(
        MOVES_BETWEEN_LINES.search(line.data.decode(encoding, "replace")) is not None
        for line in lines
    )


def _feed(
    screen: Screen,
    lines: Sequence[TextLine | ShownLine],
    encoding: str,
    pattern: Pattern | None = None,
    *,
    mixed: bool,
) -> None:
    texts = line_texts([Bytes(line.offset, line.data) for line in lines], encoding, mixed=mixed)
    for line, (shown, _) in zip(lines, texts, strict=True):
        # A line whose end is hidden ends here for the terminal, too.
        hidden = isinstance(line, ShownLine) and line.hidden
        marks = _marks(shown, pattern) if pattern is not None else ()
        screen.feed(f"{shown}\n" if hidden else shown, line.number, line.offset, marks)


def _marks(shown: str, pattern: Pattern) -> list[Mark]:
    """Return marks at a line's matches, in characters."""
    data = shown.rstrip("\n").encode(errors="surrogateescape")
    return decoded(data, "utf-8", hit_marks(data, pattern))[1]


def _with_ends(
    text: Text, lines: Sequence[ShownLine], encoding: str
) -> tuple[list[ShownLine], set[int]]:
    """Return the lines of a window, with the ends of long lines that redraw themselves, and the
    numbers of the lines of which some states were not read."""
    missed: set[int] = set()
    whole: list[ShownLine] = []
    budget = RESTS_BYTES
    for line in lines:
        if line.hidden and budget > 0 and REDRAWS.search(line.data.decode(encoding, "replace")):
            size = min(line.hidden, REST_BYTES, budget)
            budget -= size
            stop = line.stop + line.hidden
            rest = text.read(stop - size, stop)
            redrawn = 0 if size == line.hidden else rest.find(b"\r")
            if redrawn >= 0:
                whole.append(line._replace(data=line.data + rest[redrawn:], hidden=0))
                missed |= {line.number} if size < line.hidden else set()
                continue
        whole.append(line)
    return whole, missed


def _on_page(
    row: ScreenRow, line: ShownLine | None, encoding: str, target: int | None
) -> LineOnPage:
    number = row.number or 0
    count, states = row.earlier()
    own = line if line is not None and not row.second else None
    hidden = own.hidden if own is not None and not count else 0
    return LineOnPage(
        number=number,
        offset=row.offset,
        html=mark_safe(row.html(CELLS_MAX)),  # noqa: S308 - escaped by logtext
        continued=own is not None and own.continued,
        hidden=hidden,
        goes_on_at=own.stop if own is not None else 0,
        is_target=target is not None,
        level=level_of(row.text.encode(errors="replace")),
        named=not row.second,
        target_number=target if target != number else None,
        states=count,
        earlier=[EarlierState(state.number, state_html(state.text)) for state in states],
        cut=len(row.chars) > CELLS_MAX,
    )
