"""Readings of lines in which a pattern is searched: the stored bytes, without terminal codes, and
in each of the possible encodings."""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from joblogs.logtext.encodings import (
    LATIN1,
    UTF8,
    UTF16,
    encodings,
    recoded,
    recognised_legacy,
)
from joblogs.logtext.utf16_parts import EncodedPart, utf16_parts

from .patterns import Pattern
from .terminal_readings import (
    MAY_REDRAW,
    RedrawnLines,
    as_it_is,
    is_coded,
    line_ends,
    redrawn,
    redrawn_lines,
    states,
    states_without_codes,
    with_line_feeds,
    without_codes,
)

_LINE = re.compile(r"[^\n]*+\n|[^\n]++")
_JUDGED = 1024


class MatchedLine(NamedTuple):
    """Matching line: its range [start, end) of a block, its reading, and the place of the match."""

    start: int
    end: int
    line: bytes
    at: int


class Matches:
    """Iteration over the lines of a block that match a pattern."""

    def __init__(self, pattern: Pattern, data: bytes) -> None:
        self._pattern, self._data = pattern, data
        self._coded = is_coded(data)
        self._read = _found_as_read(pattern, data, coded=self._coded)
        self._next = next(self._read, None)

    def after(self, position: int) -> MatchedLine | None:
        """Return the next match at or after a position, which is the beginning of a line."""
        while self._next is not None and self._next.start < position:
            self._next = next(self._read, None)
        span = None
        if position < len(self._data):
            span = self._pattern.find(self._data, position, coded=self._coded)
        if span is None or span[0] >= len(self._data):
            return self._next
        start = self._data.rfind(b"\n", 0, span[0]) + 1
        if self._next is not None and self._next.start < start:
            return self._next
        end = self._data.find(b"\n", span[0]) + 1 or len(self._data)
        return MatchedLine(start, end, self._data[start:end], span[0] - start)


def is_found(pattern: Pattern, data: bytes) -> bool:
    """Return whether a line of a block matches."""
    return Matches(pattern, data).after(0) is not None


def spans(pattern: Pattern, line: bytes, most: int) -> list[tuple[int, int]]:
    """Return at most `most` matches in a line without line end, as ranges including codes."""
    places: list[tuple[int, int]] = []
    for reading in (as_it_is(line), *states(line, redrawn(line))):
        position = 0
        while len(places) < most and (match := pattern.find(reading.text, position)):
            start, end = match
            if end > start:
                places.append((reading.place(start), reading.place(end - 1) + 1))
            position = max(end, start + 1)
            if position > len(reading.text):
                break
    apart: list[tuple[int, int]] = []
    for start, end in sorted(set(places)):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
        else:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
    return apart


def _found_as_read(pattern: Pattern, data: bytes, *, coded: bool) -> Iterator[MatchedLine]:
    """Return the lines that match in another reading than their stored bytes, in order."""
    ways = [_in_other_encodings(pattern, data), _in_utf16(pattern, data)]
    if coded or b"\r" in data:
        if pattern.coded is None:
            ways.append(_without_their_codes(pattern, data, coded=coded))
        ways.append(_in_their_states(pattern, data))
    return heapq.merge(*ways, key=_start)


def _start(found: MatchedLine) -> int:
    return found.start


def _in_other_encodings(pattern: Pattern, data: bytes) -> Iterator[MatchedLine]:
    if pattern.is_ascii:
        return  # the same bytes in all encodings
    names = [name for name in encodings(data, start=False) if name != UTF8]
    if names and LATIN1 not in names:
        names.append(LATIN1)  # for lines that are not clearly in another encoding
    names = [name for name in names if _may_hold(pattern, data, name)]
    numbers = {name: _numbers(pattern, recoded(data, name)) for name in names}
    if not any(numbers.values()):
        return
    wanted = set[int]().union(*numbers.values())
    for number, (start, end) in enumerate(_lines(data)):
        if number not in wanted:
            continue
        line = data[start:end]
        for name in names:
            if number not in numbers[name]:
                continue
            text = recoded(line, name)
            at = _place(pattern, text)
            if at is not None and not (name == LATIN1 and recognised_legacy(line[:_JUDGED])):
                yield MatchedLine(start, end, text, at)
                break


def _in_utf16(pattern: Pattern, data: bytes) -> Iterator[MatchedLine]:
    """Yield matching lines with parts in UTF-16 in a block that is not in UTF-16."""
    if pattern.is_ascii:
        return  # zero bytes are treated as codes
    parts = utf16_parts(data)
    if pattern.in_utf16:
        parts = [EncodedPart(at, len(data), name) for name in UTF16 for at in (0, 1)]
    found = (one for part in parts for one in _in_part(pattern, data, part))
    yield from sorted(found, key=_start) if pattern.in_utf16 else found


def _in_part(pattern: Pattern, data: bytes, part: EncodedPart) -> Iterator[MatchedLine]:
    text = part.text(data)
    encoded = text.encode(errors="replace")
    # If codes move the cursor, a match may extend into the text next to the part.
    if MAY_REDRAW.search(encoded) or _may_match(pattern, encoded):
        before = data[data.rfind(b"\n", 0, part.start) + 1 : part.start]
        after = data[part.end : data.find(b"\n", part.end) + 1 or len(data)]
        position = part.start
        for shown in _LINE.findall(text):
            start, position = position, position + len(shown.encode(part.encoding, "replace"))
            line = shown.encode(errors="replace")
            line = before + line if start == part.start else line
            line = line if shown.endswith("\n") else line + after
            at = _place(pattern, line)
            if at is not None:
                stop = max(start, position - 2 if shown.endswith("\n") else position)
                end = data.find(b"\n", stop) + 1 or len(data)
                yield MatchedLine(data.rfind(b"\n", 0, start) + 1, end, line, at)


def _may_hold(pattern: Pattern, data: bytes, name: str) -> bool:
    return all(letter.encode(name, "ignore") in data for letter in pattern.alphabet)


def _may_match(pattern: Pattern, data: bytes) -> bool:
    return pattern.find(data) is not None or bool(_numbers(pattern, data))


def _numbers(pattern: Pattern, data: bytes) -> set[int]:
    """Return the numbers, from 0, of the lines that match in any reading."""
    if not pattern.is_of_lines:
        places = enumerate(_lines(data))
        return {n for n, (a, b) in places if _place(pattern, data[a:b]) is not None}
    text = data if data.endswith(b"\n") else data + b"\n"
    ends = line_ends(text)
    numbers = set(_found_in(pattern, text, ends))
    if is_coded(data) or b"\r" in data:
        numbers |= _in_states(pattern, text.split(b"\n")[:-1])
    for lines in redrawn_lines(data):
        found = _in_rows(pattern, lines)
        numbers.update(bisect_left(ends, lines.starts[number]) for number in found)
    return numbers


def _found_in(pattern: Pattern, text: bytes, ends: list[int]) -> Iterator[int]:
    """Yield the indexes of the matching texts among joined texts, which end at `ends`."""
    position = 0
    while position < len(text) and (match := pattern.find(text, position)):
        number = bisect_left(ends, match[0])
        if number == len(ends):
            return
        yield number
        position = ends[number] + 1


def _in_states(pattern: Pattern, lines: list[bytes]) -> set[int]:
    return set(_found_in(pattern, *states_without_codes(lines)))


def _in_rows(pattern: Pattern, lines: RedrawnLines) -> set[int]:
    rows = [b"" if row is None else row for row in lines.rows]
    ends = list(accumulate((len(row) + 1 for row in rows), initial=-1))[1:]
    return set(_found_in(pattern, b"\n".join([*rows, b""]), ends))


def _without_their_codes(pattern: Pattern, data: bytes, *, coded: bool) -> Iterator[MatchedLine]:
    plain = without_codes(data) if coded else with_line_feeds(data)
    position = start = 0
    while position < len(plain) and (match := pattern.find(plain, position)):
        if match[0] >= len(plain):
            return
        for _ in range(plain.count(b"\n", position, match[0])):
            start = data.find(b"\n", start) + 1
        end = data.find(b"\n", start) + 1 or len(data)
        line = data[start:end]
        yield MatchedLine(start, end, line, _place(pattern, line) or 0)
        position = plain.find(b"\n", match[0]) + 1 or len(plain)
        start = end


def _in_their_states(pattern: Pattern, data: bytes) -> Iterator[MatchedLine]:
    if not _holds_signs(pattern, data):
        return
    for lines in redrawn_lines(data):
        numbers = set(range(len(lines.lines)))
        if pattern.is_of_lines:
            numbers = _in_rows(pattern, lines) | _in_states(pattern, lines.lines)
        for number in sorted(numbers):
            start, end = lines.starts[number], lines.ends[number]
            at = _place_in(pattern, lines.lines[number], lines.rows[number])
            if at is not None:
                yield MatchedLine(start, min(end + 1, len(data)), data[start : end + 1], at)


def _holds_signs(pattern: Pattern, data: bytes) -> bool:
    small = data.lower()
    return all(sign in small for sign in pattern.signs)


def _lines(data: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        yield start, end
        start = end


def _place(pattern: Pattern, line: bytes) -> int | None:
    line = line.removesuffix(b"\n")
    return _place_in(pattern, line, redrawn(line))


def _place_in(pattern: Pattern, line: bytes, row: bytes | None) -> int | None:
    for reading in (as_it_is(line), *states(line, row)):
        if match := pattern.find(reading.text):
            return reading.place(match[0])
    return None
