"""A row of a terminal's screen: its cells, how they look, and what they were before. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from .ansi import PLAIN, Style, shown
from .terminal_codes import width

STATES_MAX = 200
"""Earlier states of a row that are kept, the last ones; all are counted."""
JOINED_MAX = 32
"""Characters in one cell; more of those that join the one before have cells of their own."""
STATE_CHARACTERS = 300
"""Of an earlier state as much is kept."""


class Look(NamedTuple):
    """How a cell looks: its colours, the class of its mark, what it links to."""

    style: Style = PLAIN
    mark: str = ""
    link: str = ""


UNMARKED = Look()


class State(NamedTuple):
    """What a row was, and the number of the line by which it was that."""

    number: int
    text: str


class Row:
    """One row. A cell holds a character with what joins it; the cells behind a wide one, or behind
    a tab up to the next stop, are empty."""

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
        """Of the line by which it came to be; none if nothing was ever written here."""
        self.offset = 0
        self.last = 0
        """Number of the line that wrote to it last."""
        self.second = False
        """Another row came to be by the same line before."""
        self.placed: int | None = None
        """Its place from the screen's top, where it was written to by its place."""
        self.fresh = 0
        """Number of the line that wrote what stands here; 0 if that is kept as a state already."""
        self.states: deque[State] | None = None
        self.states_count = 0
        self.heir: Row | None = None
        """Of a row that was deleted the one that came to stand in its place."""

    @property
    def text(self) -> str:
        """What stands in it."""
        return "".join(self.chars)

    def put(self, at: int, cells: Sequence[str], look: Look) -> None:
        """Write cells over those at a place, which is at most where the row ends."""
        end = at + len(cells)
        self._mend(at)
        self._mend(end)
        self.chars[at:end] = cells
        self.looks[at:end] = [look] * len(cells)

    def cells(self, at: int, text: str) -> list[str]:
        """Cells of a text that is to stand at a place; what joins a character is in its cell."""
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
        """Add what joins the character before a place, if there is room in its cell."""
        at -= 1
        while at > 0 and not self.chars[at]:
            at -= 1
        if len(self.chars[at]) >= JOINED_MAX:
            return False
        self.chars[at] += character
        return True

    def pad(self, length: int) -> None:
        """Fill up with blanks."""
        missing = length - len(self.chars)
        self.chars += " " * missing
        self.looks += [UNMARKED] * missing

    def blank(self, start: int, stop: int) -> None:
        """Erase cells; up to the end they go."""
        if stop >= len(self.chars):
            self._mend(start)
            del self.chars[start:], self.looks[start:]
        elif start < stop:
            self.put(start, [" "] * (stop - start), UNMARKED)

    def insert(self, at: int, count: int) -> None:
        """Blanks at a place, and what comes after moves away from them."""
        self._mend(at)
        self.chars[at:at] = " " * count
        self.looks[at:at] = [UNMARKED] * count

    def inherit(self, row: Row) -> None:
        """Take the states of a row that is deleted as earlier ones."""
        row.heir = self
        self.states = deque([*(row.states or ()), *(self.states or ())], maxlen=STATES_MAX)
        self.states_count += row.states_count

    def _mend(self, at: int) -> None:
        """What is cut in two at a place, a wide character or a tab, becomes blanks."""
        if not 0 < at < len(self.chars) or self.chars[at]:
            return
        begin, end = at, at
        while begin > 0 and not self.chars[begin]:
            begin -= 1
        while end < len(self.chars) and not self.chars[end]:
            end += 1
        self.chars[begin:end] = " " * (end - begin)

    def keep_state(self) -> int:
        """Keep what it is before it becomes something else: so many characters more are kept."""
        number, self.fresh = self.fresh, 0
        text = "".join(self.chars[:STATE_CHARACTERS]).rstrip()
        if self.states is None:
            self.states = deque(maxlen=STATES_MAX)
        if not text or (self.states and self.states[-1].text == text):
            return 0
        dropped = len(self.states[0].text) if len(self.states) == STATES_MAX else 0
        self.states.append(State(number, text))
        self.states_count += 1
        return len(text) - dropped

    def drop_state(self) -> int:
        """Drop the first of the states that are kept: so many characters fewer are kept."""
        return len(self.states.popleft().text) if self.states else 0

    def earlier(self) -> tuple[int, list[State]]:
        """How many states it had before the one that it is in, and the last of them."""
        states = list(self.states or ())
        text = "".join(self.chars[:STATE_CHARACTERS]).rstrip()
        if states and states[-1].text == text:
            return self.states_count - 1, states[:-1]
        return self.states_count, states

    def marked(self, name: str) -> int | None:
        """The first cell with a mark of a name."""
        return next((at for at, look in enumerate(self.looks) if look.mark == name), None)

    def html(self, cells: int | None = None, *, start: int = 0) -> str:
        """The row, or so many cells of it from one on, as HTML: escaped, with classes of ours."""
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
