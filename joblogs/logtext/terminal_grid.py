"""The rows of a terminal's screen and its cursor: writing, erasing, moving. Pure.

How high and wide the terminal was is not known: HEIGHT rows can be reached, rows are as long as
what was written. A screen that is cleared takes nothing away, as in terminals that can be scrolled
back: what comes after stands below.
"""

from __future__ import annotations

from collections.abc import Sequence

from .terminal_row import UNMARKED, Row

HEIGHT = 100
"""Rows that the cursor can reach, counted from the last."""
COLUMNS = 1000
"""Moving the cursor takes it no farther to the right than this, or than the row is long."""
TAB = 8
PADDING_MAX = 1_000_000
"""Cells that are blank because the cursor was moved beyond a row's end."""
EXTRA_ROWS = 1000
"""Rows that come to be by other codes than a line's end; from then on those codes do nothing."""
KEPT_CHARACTERS = 200_000
"""Of earlier states all together; from then on rows keep their last ones."""


class Grid:
    """Rows from above, those that were scrolled off included, and a cursor."""

    def __init__(self, *, at_start: bool = True) -> None:
        """`at_start`: there was nothing above the first row."""
        self.rows = [Row()]
        self.look = UNMARKED
        self.by_line: dict[int, Row] = {}
        """The row that a line wrote to first, by the line's number."""
        self._at_start = at_start
        self._y = self._x = 0
        self._saved: tuple[Row, int] | None = None
        self._number = self._offset = self._made = 0
        self._moved = False
        """The cursor has been moved since a state was kept: what is overwritten is another one."""
        self._backspaces = 0
        self._padding, self._keepable, self._extra = PADDING_MAX, KEPT_CHARACTERS, EXTRA_ROWS

    def begin_anew(self) -> None:
        """An empty screen."""
        self.rows = [Row()]
        self.by_line.clear()
        self._y = self._x = 0
        self._moved, self._backspaces = False, 0

    def begin_line(self, number: int, offset: int) -> None:
        """What is written from now on is by another line of the text."""
        self._number, self._offset, self._made = number, offset, 0

    def write(self, text: str) -> None:
        """Letters at the cursor, over those that stand there."""
        row = self._touch(self.rows[self._y])
        self._put(row, text if text.isascii() else row.cells(self._x, text))
        self._backspaces = 0

    def _put(self, row: Row, cells: Sequence[str]) -> None:
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

    def _overstruck(self, row: Row, cells: Sequence[str]) -> Sequence[str]:
        """A letter over itself is bold and one over a line is underlined, as printers had it."""
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

    def _pad(self, row: Row) -> None:
        missing = self._x - len(row.chars)
        if missing > self._padding:
            self._x = len(row.chars)
            return
        self._padding -= missing
        row.pad(self._x)

    def tab(self) -> None:
        """To the next stop."""
        row = self.rows[self._y]
        if self._x >= len(row.chars):
            self._pad(self._touch(row))
            row.put(self._x, ["\t"] + [""] * (TAB - 1 - self._x % TAB), self.look)
        self._x += TAB - self._x % TAB

    def _touch(self, row: Row) -> Row:
        if row.number is None:
            row.number, row.offset = self._number, self._offset
            row.second = self._made > 0
            self._made += 1
        row.last = self._number
        self.by_line.setdefault(self._number, row)
        return row

    def _keep(self, row: Row) -> None:
        self._moved = False
        if self._keepable <= 0:
            self._keepable += row.drop_state()
        self._keepable -= row.keep_state()

    def erase_line(self, how: int) -> None:
        """0: from the cursor on, 1: up to it, 2: all."""
        row = self.rows[self._y]
        length = len(row.chars)
        if how == 0:
            self._erase(row, self._x, length, begun=self._moved or self._x == 0)
        elif how == 1:
            self._erase(row, 0, min(self._x + 1, length), begun=True)
        elif how == 2:
            self._erase(row, 0, length, begun=True)

    def erase(self, count: int) -> None:
        """So many cells from the cursor on."""
        row = self.rows[self._y]
        self._erase(row, self._x, min(self._x + count, len(row.chars)), begun=self._moved)

    def delete(self, count: int) -> None:
        """So many cells from the cursor on, and what comes after moves up to it."""
        row = self.rows[self._y]
        rest, looks = row.chars[self._x + count :], row.looks[self._x + count :]
        self._erase(row, self._x, len(row.chars), begun=self._moved)
        if rest:
            row.chars += [rest[0] or " ", *rest[1:]]
            row.looks += looks

    def insert(self, count: int) -> None:
        """So many blanks at the cursor; a row that no screen is wide enough for stays as it is."""
        row, count = self.rows[self._y], min(count, COLUMNS, self._padding)
        if self._x < len(row.chars) <= COLUMNS:
            self._padding -= count
            if self._moved:
                self._keep(row)
            self._touch(row).insert(self._x, count)

    def repeat(self, character: str, count: int) -> None:
        """A character so many times more."""
        count = min(count, COLUMNS, self._padding)
        self._padding -= count
        if character and count:
            self.write(character * count)

    def insert_rows(self, count: int) -> None:
        """So many empty rows above the cursor's, which moves down."""
        count = min(count, HEIGHT, self._extra)
        self._extra -= count
        self.rows[self._y : self._y] = [Row() for _ in range(count)]
        self.to_column(0)

    def delete_rows(self, count: int) -> None:
        """So many rows from the cursor's on: each is an earlier state of what moves up to it."""
        for _ in range(min(count, HEIGHT)):
            if self._y + 1 >= len(self.rows):
                break
            gone = self.rows.pop(self._y)
            if gone.number is not None:
                self._keep(gone)
                self._touch(self.rows[self._y]).inherit(gone)
        self.to_column(0)

    def erase_below(self) -> None:
        """From the cursor to the end of the screen."""
        if self.rows[self._y].placed == 1 and self._x == 0:
            self.clear()
            return
        self.erase_line(0)
        for row in self.rows[self._y + 1 :]:
            self._erase(row, 0, len(row.chars), begun=True)

    def clear(self) -> None:
        """What was on the screen stays above."""
        for row in self.rows[self._top :]:
            row.placed = None
        if self.rows[-1].number is not None and self._extra:
            self._extra -= 1
            self.rows.append(Row())
        self._y = len(self.rows) - 1
        self._moved = True

    def _erase(self, row: Row, start: int, stop: int, *, begun: bool) -> None:
        """`begun`: what stands in the row is a state of its own, not the one being written."""
        if start >= stop:
            return
        if begun and row.fresh:
            self._keep(row)
        self._touch(row).blank(start, stop)

    @property
    def _top(self) -> int:
        return max(0, len(self.rows) - HEIGHT)

    def to_column(self, x: int) -> None:
        """Columns count from 0."""
        length = len(self.rows[self._y].chars)
        self._x = max(0, min(x, max(length, COLUMNS)))
        self._moved, self._backspaces = True, 0

    def forward(self, columns: int) -> None:
        """To the right, or back by less than 0."""
        self.to_column(self._x + columns)

    def backspace(self) -> None:
        """Back by one; what is written over a letter then may be meant to be bold."""
        backspaces = self._backspaces + 1
        self.to_column(self._x - 1)
        self._backspaces = backspaces

    def index(self) -> None:
        """Down, as a line's end does, but in the same column."""
        if self._extra:
            self._extra -= self._y + 1 == len(self.rows)
            self.line_feed()

    def line_feed(self) -> None:
        """Down, to a row of its own if there is none."""
        row = self.rows[self._y]
        if row.number is None:
            self._touch(row)
        self._y += 1
        if self._y == len(self.rows):
            self.rows.append(Row())
            if row.placed is not None:
                self.rows[-1].placed = row.placed + 1
        elif row.placed is None and self.rows[self._y].placed is not None:
            # What was put in a place of the screen stays below what is written on and on.
            self.rows.insert(self._y, Row())
        self._moved, self._backspaces = True, 0

    def up(self, count: int) -> None:
        """Up, at most to the top of the screen."""
        count = min(count, HEIGHT)
        if count > self._y and not self._at_start:
            above = max(0, min(count - self._y, HEIGHT - len(self.rows)))
            self.rows[:0] = [Row() for _ in range(above)]
            self._y += above
        self._y = max(self._top, self._y - count)
        self.forward(0)

    def down(self, count: int) -> None:
        """Down, at most to the bottom of the screen: mid-way in a text it is full."""
        lowest = HEIGHT - 1 if self._at_start else 0
        self._y = max(min(self._y + count, max(len(self.rows) - 1, lowest)), 0)
        self.rows += [Row() for _ in range(self._y + 1 - len(self.rows))]
        self.forward(0)

    def to_place(self, line: int, column: int | None) -> None:
        """A place counted from 1 from the screen's top, in the same column if none is named: rows
        of their own, below all others."""
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
                self.rows.insert(index, Row())
            self.rows[index].placed = line
        self._y = index
        self.to_column(self._x if column is None else column - 1)

    def _is_free(self, row: Row) -> bool:
        saved = self._saved is not None and self._saved[0] is row
        return row.number is None and row.placed is None and not saved

    def save(self) -> None:
        """Remember where the cursor is."""
        self._saved = (self.rows[self._y], self._x)

    def restore(self) -> None:
        """Back to where it was; nowhere if that has been scrolled off the screen."""
        if self._saved is None:
            return
        for index in range(len(self.rows) - 1, self._top - 1, -1):
            if self.rows[index] is self._saved[0]:
                self._y = index
                break
        self.to_column(self._saved[1])
