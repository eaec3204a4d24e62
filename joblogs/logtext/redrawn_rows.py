"""Vectorised terminal emulation of lines that only redraw themselves by going back and erasing.
Pure.

`terminal` supports all codes, but processes one character at a time.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .terminal_codes import width

Ints = NDArray[np.int64]
Kinds = NDArray[np.uint8]
Codes = NDArray[np.uint32]

_NOTHING = re.compile(
    "\x1b\\[(?:[0-9;:]*+m|[<=>?][0-?]*+[ -/]*+[@-~]|[0-9]*+A)"
    "|\x1b\\][^\x00-\x1f\x7f-\x9f]*+(?:\x07|\x1b\\\\)"
    "|\x1b[()][1-~]|\x1b[=>]|\udc9b[0-9;:]++m"
)
"""Codes without an effect on the letters of a single line, which has no lines above it."""
_DOWN_AT_END = re.compile("\x1b\\[[0-9]*+[BE](?=[\0\r]*+(?:\n|\\Z))")
_TO_START = re.compile("\x1b\\[[01]?G|\x1b\\[[0-9]*+F")
_ERASE_REST, _ERASE_ALL = re.compile("\x1b\\[0?[KJ]"), re.compile("\x1b\\[2K")

_LETTER, _END, _START, _BACK, _REST, _ALL, _OTHER = 1, 2, 3, 4, 5, 6, 7
"""Kinds of characters: 0 has no effect, `_OTHER` is not supported here."""
_MARKS = {_REST: "\x01", _ALL: "\x02"}
"""Characters that stand for the codes that erase."""
_NO_MARKS = dict.fromkeys(map(ord, _MARKS.values()), "\0")
_BLANK, _NEWLINE, _GONE = 0x20, 0x0A, 0xFFFFFFFF
"""`_GONE` marks the second cell of a wide letter."""
_BEYOND = 0x20000
"""Letters from here on, which are rare, are not supported."""
_FAR = 1 << 30
_ERASED_MAX = 15
"""Maximum times that a line is erased completely with the cursor away from its beginning; beyond
this, the result may be longer than a terminal would keep it."""
_UTF32 = f"utf-32-{sys.byteorder[0]}e"


def _kinds() -> Kinds:
    kinds = np.zeros(256, np.uint8)
    kinds[0x20:0x7F] = kinds[0xA0:] = _LETTER
    kinds[[0x0A, 0x0D, 0x08, 0x01, 0x02]] = _END, _START, _BACK, _REST, _ALL
    kinds[[0x09, 0x0B, 0x0C, 0x0E, 0x1B, 0x84, 0x85, 0x8D, 0x9B]] = _OTHER
    return kinds


_KINDS = _kinds()


def redrawn_rows(lines: Sequence[bytes]) -> list[bytes | None]:
    """Return the final row of each line, given without line end; None if it is not supported."""
    text = b"\n".join([*lines, b""]).decode("utf-8", "surrogateescape").translate(_NO_MARKS)
    if "\x1b" in text or "\udc9b" in text:
        text = _NOTHING.sub("\0", text)
        text = _DOWN_AT_END.sub("", text)
        text = _TO_START.sub("\r", text)
        text = _ERASE_ALL.sub(_MARKS[_ALL], _ERASE_REST.sub(_MARKS[_REST], text))
    codes = np.frombuffer(text.encode(_UTF32, "surrogatepass"), np.uint32)
    kinds, widths = _kinds_and_widths(codes)
    line_of = np.repeat(np.arange(len(lines)), np.diff(np.flatnonzero(kinds == _END), prepend=-1))
    others = set(line_of[kinds == _OTHER].tolist())
    columns = _columns(kinds, widths)
    far = (kinds == _ALL) & (columns > 0)
    if far.any():
        others.update(np.flatnonzero(np.bincount(line_of[far]) > _ERASED_MAX).tolist())
    rows = _rows(codes, kinds, widths, columns, line_of)
    return [None if number in others else row for number, row in enumerate(rows)]


def _kinds_and_widths(codes: Codes) -> tuple[Kinds, Ints]:
    kinds = _KINDS[np.minimum(codes, 0xFF)]
    widths = (kinds == _LETTER).astype(np.int64)
    beyond = np.flatnonzero(codes > 0xFF)
    if beyond.size:
        known = _known_columns()[np.minimum(codes[beyond], _BEYOND)]
        widths[beyond] = np.maximum(known, 0)
        kinds[beyond] = np.where(known > 0, _LETTER, np.where(known == 0, _OTHER, 0))
    widths[kinds == _BACK] = -1
    return kinds, widths


@lru_cache(1)
def _known_columns() -> Ints:
    """Return the columns of each letter: 0 if not supported, -1 if it has no effect."""
    columns = np.array([*map(width, map(chr, range(_BEYOND))), 0])
    columns[0xFEFF] = -1
    return columns


def _columns(kinds: Kinds, widths: Ints) -> Ints:
    """Return the column of the cursor before each character."""
    is_reset = (kinds == _END) | (kinds == _START)
    stretch = np.cumsum(is_reset) - is_reset
    before = np.cumsum(widths) - widths
    columns: Ints = before - np.append(0, before[is_reset])[stretch]
    if (kinds == _BACK).any():
        # The cursor stops at the beginning of the line.
        apart = stretch * _FAR
        columns -= np.minimum(0, np.minimum.accumulate(columns - apart) + apart)
    return columns


def _first_erased(kinds: Kinds, columns: Ints, line_of: Ints) -> Ints:
    """Return for each character the column from which on its line is erased later."""
    erases = np.flatnonzero((kinds == _REST) | (kinds == _ALL))
    limits = np.full(len(kinds), _FAR * _FAR)
    columns = np.where(kinds == _ALL, 0, columns)
    limits[erases] = line_of[erases] * _FAR + columns[erases]
    least: Ints = np.minimum.accumulate(limits[::-1])[::-1] - line_of * _FAR
    return least


def _rows(codes: Codes, kinds: Kinds, widths: Ints, columns: Ints, line_of: Ints) -> list[bytes]:
    """Return the final text of each line; a line has twice as many cells as characters."""
    letters = np.flatnonzero(kinds == _LETTER)
    # A wide letter writes two cells.
    writers = np.repeat(letters, widths[letters])
    is_second = np.append(False, writers[1:] == writers[:-1])
    ends = np.flatnonzero(kinds == _END)
    bases = 2 * np.append(0, ends[:-1] + 1)
    column = columns[writers] + is_second
    owners = np.full(2 * len(codes), -1)
    owners[bases[line_of[writers]] + column] = np.arange(len(writers))  # the last one stays
    if np.isin(kinds, (_REST, _ALL)).any():
        is_erased = column >= _first_erased(kinds, columns, line_of)[writers]
        written = np.flatnonzero(owners >= 0)
        owners[written[is_erased[owners[written]]]] = -1
    cells = np.flatnonzero(owners >= 0)
    text = np.full(len(owners), _BLANK, np.uint32)
    text[cells] = codes[writers[owners[cells]]]
    if is_second.any():
        _halve(text, owners, cells, is_second)
    lines = line_of[writers[owners[cells]]]
    lengths = np.zeros(len(ends), np.int64)
    lengths[lines] = cells - bases[lines] + 1
    text[bases + lengths] = _NEWLINE
    stops = np.cumsum(lengths + 1)
    begins = np.repeat(bases - (stops - lengths - 1), lengths + 1)
    chosen = text[begins + np.arange(len(begins))]
    rows: str = chosen[chosen != _GONE].tobytes().decode(_UTF32, "surrogatepass")
    return rows.encode(errors="surrogateescape").split(b"\n")[:-1]


def _halve(text: Codes, owners: Ints, cells: Ints, is_second: NDArray[np.bool_]) -> None:
    """Drop the second cells of wide letters, and replace halves of wide letters with blanks."""
    own, after = owners[cells], owners[np.minimum(cells + 1, len(owners) - 1)]
    second = is_second[own]
    is_whole = owners[cells - 1] == own - 1
    text[cells[second]] = np.where(is_whole[second], _GONE, _BLANK)
    is_wide = np.append(is_second[1:], False)[own]
    text[cells[is_wide & (after != own + 1)]] = _BLANK
