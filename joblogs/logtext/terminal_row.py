"""Row of a terminal's screen: its cells, their looks, and its earlier states. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from .ansi import PLAIN, Style, shown
from .terminal_codes import width

STATES_MAX = 200
"""Maximum earlier states kept for a row, the latest ones; all are counted."""
JOINED_MAX = 32
"""Maximum characters in one cell; further combining characters have their own cells."""
STATE_CHARACTERS = 300
"""Maximum characters kept of an earlier state."""


class Look(NamedTuple):
    """Look of a cell: its style, the class of its mark, the address that it links to."""

    style: Style = PLAIN
    mark: str = ""
    link: str = ""


UNMARKED = Look()


class EarlierRow(NamedTuple):
    """Earlier state of a row: its text, and the number of the line that wrote it."""

    number: int
    text: str


class ScreenRow:
    """Row of a screen. A cell holds a character with the ones combined with it; the cells after a
    wide character, or after a tab up to the next stop, are empty."""

    __slots__ = (
        "chars",
        "fresh",
        "heir",
        "last",
        "looks",
        "number",
        "offset",
        "placed",
        "second",
        "states",
        "states_count",
    )

    def __init__(self) -> None:
        self.chars: list[str] = []
        self.looks: list[Look] = []
        self.number: int | None = None
        """Number of the line that created it; None if nothing was ever written to it."""
        self.offset = 0
        self.last = 0
        """Number of the line that wrote to it last."""
        self.second = False
        """Whether the same line created another row before."""
        self.placed: int | None = None
        """Its line from the screen's top, if the cursor was moved to it by position."""
        self.fresh = 0
        """Number of the line that wrote its text; 0 if that is already kept as a state."""
        self.states: deque[EarlierRow] | None = None
        self.states_count = 0
        self.heir: ScreenRow | None = None
        """The row that took its place when it was deleted."""

    @property
    def text(self) -> str:
        """Text of the row."""
        return "".join(self.chars)

    def put(self, at: int, cells: Sequence[str], look: Look) -> None:
        """Overwrite cells from a column on, which is at most the end of the row."""
        end = at + len(cells)
        self._mend(at)
        self._mend(end)
        self.chars[at:end] = cells
        self.looks[at:end] = [look] * len(cells)

    def cells(self, at: int, text: str) -> list[str]:
        """Return the cells of a text to be written at a column, combining characters in the cells
        of the characters before them."""
        cells: list[str] = []
        for character in text:
            columns = width(character)
            if columns:
                cells.append(character)
                if columns == 2:
                    cells.append("")
                continue
            last = len(cells) - 1 - (len(cells) > 1 and not cells[-1])
            if cells and len(cells[last]) < JOINED_MAX:
                cells[last] += character
            elif cells or not 0 < at <= len(self.chars) or not self.join(at, character):
                cells.append(character)
        return cells

    def join(self, at: int, character: str) -> bool:
        """Add a combining character to the cell before a column; return whether it had room."""
        at -= 1
        while at > 0 and not self.chars[at]:
            at -= 1
        if len(self.chars[at]) >= JOINED_MAX:
            return False
        self.chars[at] += character
        return True

    def pad(self, length: int) -> None:
        """Fill the row with blanks up to a length."""
        missing = length - len(self.chars)
        self.chars += " " * missing
        self.looks += [UNMARKED] * missing

    def blank(self, start: int, stop: int) -> None:
        """Erase cells; at the end of the row they are removed."""
        if stop >= len(self.chars):
            self._mend(start)
            del self.chars[start:], self.looks[start:]
        elif start < stop:
            self.put(start, [" "] * (stop - start), UNMARKED)

    def insert(self, at: int, count: int) -> None:
        """Insert blanks at a column; the rest of the row moves right."""
        self._mend(at)
        self.chars[at:at] = " " * count
        self.looks[at:at] = [UNMARKED] * count

    def inherit(self, row: ScreenRow) -> None:
        """Take over the states of a deleted row as earlier states."""
        row.heir = self
        self.states = deque([*(row.states or ()), *(self.states or ())], maxlen=STATES_MAX)
        self.states_count += row.states_count

    def _mend(self, at: int) -> None:
        """Replace a wide character or tab that a column splits with blanks."""
        if not 0 < at < len(self.chars) or self.chars[at]:
            return
        begin, end = at, at
        while begin > 0 and not self.chars[begin]:
            begin -= 1
        while end < len(self.chars) and not self.chars[end]:
            end += 1
        self.chars[begin:end] = " " * (end - begin)

    def keep_state(self) -> int:
        """Keep the current text as an earlier state; return how many more characters are kept."""
        number, self.fresh = self.fresh, 0
        text = "".join(self.chars[:STATE_CHARACTERS]).rstrip()
        if self.states is None:
            self.states = deque(maxlen=STATES_MAX)
        if not text or (self.states and self.states[-1].text == text):
            return 0
        dropped = len(self.states[0].text) if len(self.states) == STATES_MAX else 0
        self.states.append(EarlierRow(number, text))
        self.states_count += 1
        return len(text) - dropped

    def drop_state(self) -> int:
        """Drop the oldest state kept; return how many fewer characters are kept."""
        return len(self.states.popleft().text) if self.states else 0

    def earlier(self) -> tuple[int, list[EarlierRow]]:
        """Return the number of states before the current one, and those of them that are kept."""
        states = list(self.states or ())
        text = "".join(self.chars[:STATE_CHARACTERS]).rstrip()
        if states and states[-1].text == text:
            return self.states_count - 1, states[:-1]
        return self.states_count, states

    def marked(self, name: str) -> int | None:
        """Return the column of the first cell with a mark of this name; None if there is none."""
        return next((at for at, look in enumerate(self.looks) if look.mark == name), None)

    def html(self, cells: int | None = None, *, start: int = 0) -> str:
        """Return the row, or `cells` cells of it from `start` on, as escaped HTML."""
        chars, looks = self.chars, self.looks
        stop = len(chars) if cells is None else min(start + cells, len(chars))
        parts: list[str] = []
        at, mark = start, ""
        while at < stop:
            look, begin = looks[at], at
            while at < stop and looks[at] is look:
                at += 1
            if look.mark != mark:
                parts.append("</mark>" if mark else "")
                mark = look.mark
                parts.append(f'<mark class="{escape(mark)}">' if mark else "")
            html = shown("".join(chars[begin:at]), look.style)
            if look.link:
                html = f'<span class="link" title="{escape(look.link)}">{html}</span>'
            parts.append(html)
        parts.append("</mark>" if mark else "")
        return "".join(parts)
