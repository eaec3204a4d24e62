"""Readings of lines in which a pattern is searched: the stored bytes, without terminal codes, and
in each of the possible encodings."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from typing import NamedTuple

from joblogs.logtext.encodings import (
    LATIN1,
    UTF8,
    UTF16,
    encodings,
    recoded,
    recognised_legacy,
)
from joblogs.logtext.utf16_parts import Part, utf16_parts

from .patterns import Pattern
from .terminal_readings import (
    MOVED,
    RETURN,
    as_it_is,
    is_coded,
    states,
    with_line_feeds,
    without_codes,
)

_LINE = re.compile(r"[^\n]*+\n|[^\n]++")
_JUDGED = 1024


class Found(NamedTuple):
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

    def after(self, position: int) -> Found | None:
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
        return Found(start, end, self._data[start:end], span[0] - start)


def is_found(pattern: Pattern, data: bytes) -> bool:
    """Return whether a line of a block matches."""
    return Matches(pattern, data).after(0) is not None


def spans(pattern: Pattern, line: bytes, most: int) -> list[tuple[int, int]]:
    """Return at most `most` matches in a line without line end, as ranges including codes."""
    places: list[tuple[int, int]] = []
    for reading in (as_it_is(line), *states(line)):
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


def _found_as_read(pattern: Pattern, data: bytes, *, coded: bool) -> Iterator[Found]:
    """Return the lines that match in another reading than their stored bytes, in order."""
    ways = [_in_other_encodings(pattern, data), _in_utf16(pattern, data)]
    if pattern.coded is None and (coded or b"\r" in data):
        ways.append(_without_their_codes(pattern, data, coded=coded))
    if (coded and MOVED.search(data)) or RETURN.search(data):
        ways.append(_in_their_states(pattern, data))
    return heapq.merge(*ways, key=_start)


def _start(found: Found) -> int:
    return found.start


def _in_other_encodings(pattern: Pattern, data: bytes) -> Iterator[Found]:
    if pattern.is_ascii:
        return  # the same bytes in all encodings
    names = [name for name in encodings(data, start=False) if name != UTF8]
    if names and LATIN1 not in names:
        names.append(LATIN1)  # for lines that are not clearly in another encoding
    names = [name for name in names if _may_hold(pattern, data, name)]
    names = [name for name in names if _may_match(pattern, recoded(data, name))]
    if not names:
        return
    for start, end in _lines(data):
        line = data[start:end]
        for name in names:
            text = recoded(line, name)
            at = _place(pattern, text)
            if at is not None and not (name == LATIN1 and recognised_legacy(line[:_JUDGED])):
                yield Found(start, end, text, at)
                break


def _in_utf16(pattern: Pattern, data: bytes) -> Iterator[Found]:
    """Yield matching lines with parts in UTF-16 in a block that is not in UTF-16."""
    if pattern.is_ascii:
        return  # zero bytes are treated as codes
    parts = utf16_parts(data)
    if pattern.in_utf16:
        parts = [Part(at, len(data), name) for name in UTF16 for at in (0, 1)]
    found = (one for part in parts for one in _in_part(pattern, data, part))
    yield from sorted(found, key=_start) if pattern.in_utf16 else found


def _in_part(pattern: Pattern, data: bytes, part: Part) -> Iterator[Found]:
    text = part.text(data)
    if _may_match(pattern, text.encode(errors="replace")):
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
                yield Found(data.rfind(b"\n", 0, start) + 1, end, line, at)


def _may_hold(pattern: Pattern, data: bytes, name: str) -> bool:
    return all(letter.encode(name, "ignore") in data for letter in pattern.alphabet)


def _may_match(pattern: Pattern, data: bytes) -> bool:
    if pattern.find(data) is not None or MOVED.search(data):
        return True
    plain = without_codes(data).replace(b"\r", b"\n")
    return plain != data and pattern.find(plain) is not None


def _without_their_codes(pattern: Pattern, data: bytes, *, coded: bool) -> Iterator[Found]:
    plain = without_codes(data) if coded else with_line_feeds(data)
    position = start = 0
    while position < len(plain) and (match := pattern.find(plain, position)):
        if match[0] >= len(plain):
            return
        for _ in range(plain.count(b"\n", position, match[0])):
            start = data.find(b"\n", start) + 1
        end = data.find(b"\n", start) + 1 or len(data)
        line = data[start:end]
        yield Found(start, end, line, _place(pattern, line) or 0)
        position = plain.find(b"\n", match[0]) + 1 or len(plain)
        start = end


def _in_their_states(pattern: Pattern, data: bytes) -> Iterator[Found]:
    if not _holds_signs(pattern, data):
        return
    for start, end in _lines(data):
        line = data[start:end]
        if (RETURN.search(line) or MOVED.search(line)) and _holds_signs(pattern, line):
            at = _place(pattern, line)
            if at is not None:
                yield Found(start, end, line, at)


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
    for reading in (as_it_is(line), *states(line)):
        if match := pattern.find(reading.text):
            return reading.place(match[0])
    return None
