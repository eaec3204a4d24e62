"""Rows and cursor of a terminal's screen: writing, erasing, moving. Pure.

The size of the terminal is not known: HEIGHT rows can be reached, and rows are as long as their
text. Clearing the screen deletes nothing, as in terminals with scrollback: later text follows
below.
"""

from __future__ import annotations

from collections.abc import Sequence

from .terminal_row import UNMARKED, ScreenRow

HEIGHT = 100
"""Rows that the cursor can reach, counted from the last."""
COLUMNS = 1000
"""Columns up to which the cursor can be moved; in a longer row, up to its end."""
TAB = 8
PADDING_MAX = 1_000_000
"""Maximum blank cells that result from moving the cursor beyond the end of a row."""
EXTRA_ROWS = 1000
"""Maximum rows created by codes other than a line end; after that, these codes do nothing."""
KEPT_CHARACTERS = 200_000
"""Maximum characters of all earlier states; after that, rows drop their oldest ones."""


class Grid:
    """Rows from top to bottom, including those that were scrolled off, and a cursor."""

    def __init__(self, *, at_start: bool = True) -> None:
        """`at_start`: there was nothing above the first row."""
        self.rows = [ScreenRow()]
        self.look = UNMARKED
        self.by_line: dict[int, ScreenRow] = {}
        """First row written to by each line, by the line's number."""
        self._at_start = at_start
        self._y = self._x = 0
        self._saved: tuple[ScreenRow, int] | None = None
        self._number = self._offset = self._made = 0
        self._moved = False
        """Whether the cursor was moved since a state was kept: overwriting starts a new state."""
        self._backspaces = 0
        self._padding, self._keepable, self._extra = PADDING_MAX, KEPT_CHARACTERS, EXTRA_ROWS

    def begin_anew(self) -> None:
        """Empty the screen."""
        self.rows = [ScreenRow()]
        self.by_line.clear()
        self._y = self._x = 0
        self._moved, self._backspaces = False, 0

    def begin_line(self, number: int, offset: int) -> None:
        """Start the next line of the text, which the following writes belong to."""
        self._number, self._offset, self._made = number, offset, 0

    def write(self, text: str) -> None:
        """Write characters at the cursor, over the existing ones."""
        row = self._touch(self.rows[self._y])
        self._put(row, text if text.isascii() else row.cells(self._x, text))
        self._backspaces = 0

    def _put(self, row: ScreenRow, cells: Sequence[str]) -> None:
        if self._x > len(row.chars):
            self._pad(row)
        elif self._x < len(row.chars):
            if self._backspaces == 1 and cells:
                cells = self._overstruck(row, cells)
            old = row.chars[self._x : self._x + len(cells)]
            if self._moved and old != list(cells[: len(old)]):
                self._keep(row)
        row.put(self._x, cells, self.look)
        row.fresh = self._number
        self._x += len(cells)

    def _overstruck(self, row: ScreenRow, cells: Sequence[str]) -> Sequence[str]:
        """Write the first cell bold over the same character or underlined over an underscore, as on
        printers, and return the remaining cells."""
        old, style = row.chars[self._x], self.look.style
        if old == cells[0] != " ":
            style = style._replace(bold=True)
        elif old == "_":
            style = style._replace(underline=True)
        else:
            return cells
        row.put(self._x, cells[:1], self.look._replace(style=style))
        self._x += 1
        return cells[1:]

    def _pad(self, row: ScreenRow) -> None:
        missing = self._x - len(row.chars)
        if missing > self._padding:
            self._x = len(row.chars)
            return
        self._padding -= missing
        row.pad(self._x)

    def tab(self) -> None:
        """Move to the next tab stop."""
        row = self.rows[self._y]
        if self._x >= len(row.chars):
            self._pad(self._touch(row))
            row.put(self._x, ["\t"] + [""] * (TAB - 1 - self._x % TAB), self.look)
        self._x += TAB - self._x % TAB

    def _touch(self, row: ScreenRow) -> ScreenRow:
        if row.number is None:
            row.number, row.offset = self._number, self._offset
            row.second = self._made > 0
            self._made += 1
        row.last = self._number
        self.by_line.setdefault(self._number, row)
        return row

    def _keep(self, row: ScreenRow) -> None:
        self._moved = False
        if self._keepable <= 0:
            self._keepable += row.drop_state()
        self._keepable -= row.keep_state()

    def erase_line(self, how: int) -> None:
        """Erase the row: 0 from the cursor on, 1 up to the cursor, 2 all of it."""
        row = self.rows[self._y]
        length = len(row.chars)
        if how == 0:
            self._erase(row, self._x, length, begun=self._moved or self._x == 0)
        elif how == 1:
            self._erase(row, 0, min(self._x + 1, length), begun=True)
        elif how == 2:
            self._erase(row, 0, length, begun=True)

    def erase(self, count: int) -> None:
        """Erase `count` cells from the cursor on."""
        row = self.rows[self._y]
        self._erase(row, self._x, min(self._x + count, len(row.chars)), begun=self._moved)

    def delete(self, count: int) -> None:
        """Delete `count` cells from the cursor on; the rest of the row moves left."""
        row = self.rows[self._y]
        rest, looks = row.chars[self._x + count :], row.looks[self._x + count :]
        self._erase(row, self._x, len(row.chars), begun=self._moved)
        if rest:
            row.chars += [rest[0] or " ", *rest[1:]]
            row.looks += looks

    def insert(self, count: int) -> None:
        """Insert `count` blanks at the cursor; a row longer than COLUMNS does not change."""
        row, count = self.rows[self._y], min(count, COLUMNS, self._padding)
        if self._x < len(row.chars) <= COLUMNS:
            self._padding -= count
            if self._moved:
                self._keep(row)
            self._touch(row).insert(self._x, count)

    def repeat(self, character: str, count: int) -> None:
        """Write a character `count` times."""
        count = min(count, COLUMNS, self._padding)
        self._padding -= count
        if character and count:
            self.write(character * count)

    def insert_rows(self, count: int) -> None:
        """Insert `count` empty rows above the cursor's row, which moves down."""
        count = min(count, HEIGHT, self._extra)
        self._extra -= count
        self.rows[self._y : self._y] = [ScreenRow() for _ in range(count)]
        self.to_column(0)

    def delete_rows(self, count: int) -> None:
        """Delete `count` rows from the cursor's row on; each becomes an earlier state of the row
        that takes its place."""
        for _ in range(min(count, HEIGHT)):
            if self._y + 1 >= len(self.rows):
                break
            gone = self.rows.pop(self._y)
            if gone.number is not None:
                self._keep(gone)
                self._touch(self.rows[self._y]).inherit(gone)
        self.to_column(0)

    def erase_below(self) -> None:
        """Erase from the cursor to the end of the screen."""
        if self.rows[self._y].placed == 1 and self._x == 0:
            self.clear()
            return
        self.erase_line(0)
        for row in self.rows[self._y + 1 :]:
            self._erase(row, 0, len(row.chars), begun=True)

    def clear(self) -> None:
        """Clear the screen; its rows are kept above."""
        for row in self.rows[self._top :]:
            row.placed = None
        if self.rows[-1].number is not None and self._extra:
            self._extra -= 1
            self.rows.append(ScreenRow())
        self._y = len(self.rows) - 1
        self._moved = True

    def _erase(self, row: ScreenRow, start: int, stop: int, *, begun: bool) -> None:
        """Erase the cells [start, stop) of a row. `begun`: the text of the row is a state of its
        own, and not still being written."""
        if start >= stop:
            return
        if begun and row.fresh:
            self._keep(row)
        self._touch(row).blank(start, stop)

    @property
    def _top(self) -> int:
        return max(0, len(self.rows) - HEIGHT)

    def to_column(self, x: int) -> None:
        """Move to a column, counted from 0."""
        length = len(self.rows[self._y].chars)
        self._x = max(0, min(x, max(length, COLUMNS)))
        self._moved, self._backspaces = True, 0

    def forward(self, columns: int) -> None:
        """Move to the right, or to the left if negative."""
        self.to_column(self._x + columns)

    def backspace(self) -> None:
        """Move left by one; a character written next may be meant to overstrike as bold."""
        backspaces = self._backspaces + 1
        self.to_column(self._x - 1)
        self._backspaces = backspaces

    def index(self) -> None:
        """Move down like a line feed, in the same column."""
        if self._extra:
            self._extra -= self._y + 1 == len(self.rows)
            self.line_feed()

    def line_feed(self) -> None:
        """Move down by one row, which is created if it does not exist."""
        row = self.rows[self._y]
        if row.number is None:
            self._touch(row)
        self._y += 1
        if self._y == len(self.rows):
            self.rows.append(ScreenRow())
            if row.placed is not None:
                self.rows[-1].placed = row.placed + 1
        elif row.placed is None and self.rows[self._y].placed is not None:
            # Rows that were placed by position stay below those written in sequence.
            self.rows.insert(self._y, ScreenRow())
        self._moved, self._backspaces = True, 0

    def up(self, count: int) -> None:
        """Move up, at most to the top of the screen."""
        count = min(count, HEIGHT)
        if count > self._y and not self._at_start:
            above = max(0, min(count - self._y, HEIGHT - len(self.rows)))
            self.rows[:0] = [ScreenRow() for _ in range(above)]
            self._y += above
        self._y = max(self._top, self._y - count)
        self.forward(0)

    def down(self, count: int) -> None:
        """Move down, at most to the bottom of the screen; in mid-text, the screen is full."""
        lowest = HEIGHT - 1 if self._at_start else 0
        self._y = max(min(self._y + count, max(len(self.rows) - 1, lowest)), 0)
        self.rows += [ScreenRow() for _ in range(self._y + 1 - len(self.rows))]
        self.forward(0)

    def to_place(self, line: int, column: int | None) -> None:
        """Move to a line and column, counted from 1 at the top of the screen; None keeps the
        column. Rows placed this way are separate ones, below all others."""
        line = max(1, min(line, HEIGHT))
        index = len(self.rows) - 1
        while index >= self._top and (self.rows[index].placed or 0) > line:
            index -= 1
        if index < self._top or self.rows[index].placed != line:
            if index < 0 or not self._is_free(self.rows[index]):
                if not self._extra:
                    return
                self._extra -= 1
                index += 1
                self.rows.insert(index, ScreenRow())
            self.rows[index].placed = line
        self._y = index
        self.to_column(self._x if column is None else column - 1)

    def _is_free(self, row: ScreenRow) -> bool:
        saved = self._saved is not None and self._saved[0] is row
        return row.number is None and row.placed is None and not saved

    def save(self) -> None:
        """Save the position of the cursor."""
        self._saved = (self.rows[self._y], self._x)

    def restore(self) -> None:
        """Move to the saved position; to its column only if its row was scrolled off."""
        if self._saved is None:
            return
        for index in range(len(self.rows) - 1, self._top - 1, -1):
            if self.rows[index] is self._saved[0]:
                self._y = index
                break
        self.to_column(self._saved[1])
