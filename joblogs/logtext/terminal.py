"""Terminal emulation: a printed text as a terminal would finally show it. Pure.

A screen takes lines in sequence and keeps the last state of each row. Text that was redrawn by
carriage return, backspace, erasing or moving the cursor is kept as an earlier state. Codes without
a visible effect leave nothing; links and titles leave their text. For any text, the time is linear
in it and the memory bounded by it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from .ansi import PLAIN, Mark, styled
from .terminal_codes import (
    DRAWING,
    MOVES_BETWEEN_LINES,
    PLAIN_TEXT,
    REDRAWS,
    SGR_END,
    TOKEN,
    parameter,
)
from .terminal_grid import Grid
from .terminal_row import UNMARKED, Look, ScreenRow

_TITLE = re.compile("[0-9]*;?")
_CUT_MAX = 32
_PRIVATE = ("<", "=", ">", "?")


class Screen:
    """Screen of a terminal, including all rows that were scrolled off it."""

    def __init__(self, *, at_start: bool = True) -> None:
        """`at_start`: the first line fed is the beginning of the text, with no rows above it."""
        self._grid = Grid(at_start=at_start)
        self._style, self._link, self._mark = PLAIN, "", ""
        self._looks: dict[Look, Look] = {UNMARKED: UNMARKED}
        self._drawing, self._shift = [False, False], 0
        self._saved_look = UNMARKED
        self._cut = self._printed = ""

    @property
    def rows(self) -> list[ScreenRow]:
        """Rows that were written to, from top to bottom."""
        return [row for row in self._grid.rows if row.number is not None]

    def row_of(self, number: int) -> ScreenRow | None:
        """Return the row that a line wrote to first; None if it wrote to none."""
        row = self._grid.by_line.get(number)
        while row is not None and row.heir is not None:
            row = row.heir
        return row

    def begin_anew(self) -> None:
        """Empty the screen; colours continue."""
        self._grid.begin_anew()

    def feed(self, text: str, number: int, offset: int = 0, marks: Sequence[Mark] = ()) -> None:
        """Write a line, or a part of it, including its line end if there is one.

        `marks` are ranges of this text, in characters; they ascend and do not overlap."""
        self._grid.begin_line(number, offset)
        at = self._finish_cut(text) if self._cut else 0
        for mark in marks:
            self._play(text, at, mark.start)
            self._mark, at = mark.name, max(at, mark.start)
            self._restyle()
            self._play(text, at, mark.end)
            self._mark, at = "", max(at, mark.end)
            self._restyle()
        self._play(text, at, len(text))

    def _finish_cut(self, text: str) -> int:
        cut, self._cut = self._cut, ""
        end = SGR_END.match(text)
        if end is None:
            return 0
        self._sgr(cut + end[0][:-1])
        return end.end()

    def _play(self, text: str, at: int, stop: int) -> None:
        for token in TOKEN.finditer(text, at, stop):
            if token.start() > at:
                self._print(text[at : token.start()])
            at = token.end()
            self._obey(token)
        if at < stop:
            self._print(text[at:stop])

    def _print(self, text: str) -> None:
        if self._drawing[self._shift]:
            text = text.translate(DRAWING)
        self._grid.write(text)
        self._printed = text[-1:]

    def _obey(self, token: re.Match[str]) -> None:
        kind = token.lastgroup
        if kind is None:
            return  # without an effect
        value = token[kind]
        if kind == "control":
            self._control(value)
        elif kind == "final":
            if not token["between"] and not token["params"].startswith(_PRIVATE):
                self._sequence(value, token["params"])
        elif kind == "stray":
            self._sgr(value)
        elif kind == "cut":
            ends = token.end() >= len(token.string.rstrip("\n"))
            self._cut = value[:_CUT_MAX] if ends else ""
        elif kind == "charset":
            self._drawing[value[0] == ")"] = value[1] == "0"
        elif kind == "escape":
            self._escape(value)
        else:
            self._command(token["command"], ended=token["end"] is not None)

    def _control(self, code: str) -> None:
        grid = self._grid
        if code == "\n":
            grid.line_feed()
            grid.to_column(0)
        elif code == "\r":
            grid.to_column(0)
        elif code == "\x08":
            grid.backspace()
        elif code == "\t":
            grid.tab()
        elif code in "\x0e\x0f":
            self._shift = int(code == "\x0e")
        else:
            # VT and FF move down like IND.
            self._escape({"\x85": "E", "\x8d": "M"}.get(code, "D"))

    def _escape(self, code: str) -> None:
        grid = self._grid
        if code == "7":
            self._save()
        elif code == "8":
            self._restore()
        elif code == "M":
            grid.up(1)
        elif code == "D":
            grid.index()
        elif code == "E":
            grid.index()
            grid.to_column(0)
        elif code == "c":
            self._sgr("")
            grid.clear()
            grid.to_column(0)

    def _sequence(self, final: str, params: str) -> None:
        grid, count = self._grid, parameter(params)
        if final == "m":
            self._sgr(params)
        elif final in "AF":
            grid.up(count)
        elif final in "BeE":
            grid.down(count)
        elif final in "Ca":
            grid.forward(count)
        elif final == "D":
            grid.forward(-count)
        elif final in "G`":
            grid.to_column(count - 1)
        elif final in "Hf":
            grid.to_place(count, parameter(params, 1))
        elif final == "d":
            grid.to_place(count, None)
        elif final == "K":
            grid.erase_line(parameter(params, default=0))
        elif final == "J":
            self._erase_display(parameter(params, default=0))
        elif final == "X":
            grid.erase(count)
        elif final == "P":
            grid.delete(count)
        elif final == "@":
            grid.insert(count)
        elif final == "L":
            grid.insert_rows(count)
        elif final == "M":
            grid.delete_rows(count)
        elif final == "b":
            grid.repeat(self._printed, count)
        elif final == "s":
            self._save()
        elif final == "u":
            self._restore()
        if final in "EF":
            grid.to_column(0)

    def _erase_display(self, how: int) -> None:
        if how == 0:
            self._grid.erase_below()
        elif how > 1:
            self._grid.clear()

    def _command(self, text: str, *, ended: bool) -> None:
        """Process a title or link; one that is unfinished on its line is printed as text."""
        kind, _, rest = text.partition(";")
        if not ended:
            self._print(_TITLE.sub("", text, count=1))
        elif kind == "8":
            self._link = rest.partition(";")[2]
            self._restyle()

    def _sgr(self, params: str) -> None:
        self._style = styled(self._style, params)
        self._restyle()

    def _restyle(self) -> None:
        look = Look(self._style, self._mark, self._link)
        self._grid.look = self._looks.setdefault(look, look)

    def _save(self) -> None:
        self._grid.save()
        self._saved_look = self._grid.look

    def _restore(self) -> None:
        self._grid.restore()
        self._style, self._link = self._saved_look.style, self._saved_look.link
        self._restyle()


def decoded(data: bytes, encoding: str, marks: Sequence[Mark] = ()) -> tuple[str, list[Mark]]:
    """Return the decoded text, invalid bytes as lone surrogates, and its marks in characters."""
    places = sorted({0, len(data), *(place for mark in marks for place in mark[:2])})
    parts = [data[a:b].decode(encoding, "surrogateescape") for a, b in pairwise(places)]
    in_text, length = {0: 0}, 0
    for place, part in zip(places[1:], parts, strict=True):
        length += len(part)
        in_text[place] = length
    moved = [Mark(in_text[mark.start], in_text[mark.end], mark.name) for mark in marks]
    return "".join(parts), moved


def last_seen(data: bytes, encoding: str = "utf-8") -> list[str]:
    """Return the lines of a text as a terminal last showed them, without colours, for comparisons.

    Invalid bytes are lone surrogates, as `surrogateescape` makes them. Memory is a small multiple
    of the text, which is not limited here.
    """
    text = data.decode(encoding, "surrogateescape")
    if PLAIN_TEXT.fullmatch(text):
        return text.removesuffix("\n").split("\n") if text else []
    if MOVES_BETWEEN_LINES.search(text):
        screen = Screen()
        *lines, last = text.split("\n")
        for number, line in enumerate(lines, start=1):
            screen.feed(f"{line}\n", number)
        screen.feed(last, len(lines) + 1)
        return [row.text for row in screen.rows]
    return [_alone(line) for line in text.removesuffix("\n").split("\n")]


def _alone(line: str) -> str:
    if PLAIN_TEXT.fullmatch(line):
        return line
    line = line.rstrip("\r")
    if not REDRAWS.search(line):
        return TOKEN.sub(_without_codes, line)
    screen = Screen()
    screen.feed(line, 1)
    return "\n".join(row.text for row in screen.rows)


def _without_codes(token: re.Match[str]) -> str:
    if token["command"] is not None and token["end"] is None:
        return _TITLE.sub("", token["command"], count=1)
    return "\t" if token[0] == "\t" else ""
