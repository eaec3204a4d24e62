"""How lines may be read: their bytes as they are, without the codes of terminals, in each of the
encodings that they may be in. A pattern is looked for in all of these."""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

import re2

from joblogs.logtext.encodings import (
    LATIN1,
    UTF8,
    UTF16,
    encodings,
    recoded,
    recognised_legacy,
)
from joblogs.logtext.terminal import last_seen
from joblogs.logtext.terminal_codes import REDRAWS
from joblogs.logtext.utf16_parts import Part, utf16_parts

from .patterns import Pattern

_LINE = re.compile(r"[^\n]*+\n|[^\n]++")
_JUDGED = 1024
REDRAWN_MAX = 64 * 1024
"""A longer line is not asked for what a terminal would have left of it."""


def _latin1() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return options


_NO_CODES = b"\t\n\r" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
"""Bytes that stand on a screen, or end or indent what does."""
_RETURN = re2.compile(rb"\r[^\r\n]", _latin1())
_RETURNS = re.compile(rb"(?<!\r)\r++\n")
_MOVED = re2.compile(rb"\x08|\x1b\[[0-9;]*[A-HXPadefsu`]|\x1b[78DEM]", _latin1())
_MAY_REDRAW = re2.compile(
    rb"\r+[^\r\n]|[\x08\x0b\x0c\x0e\x9b]|\xc2[\x84\x85\x8d]"
    rb"|\x1b\[[0-9;]*[A-HJKPXadefsu`]|\x1b[78DEMc()]",
    _latin1(),
)
"""Bytes one of which is in every line that a terminal would have redrawn."""
_CODES = re.compile(
    rb"(?:\x1b\[|\xc2\x9b)[0-?]*+[ -/]*+[@-~]?"
    rb"|\x1b\](?:[^\x00-\x1f\x7f]*+(?:\x07|\x1b\\)|[0-9]*+;?)"
    rb"|\x1b[PX^_](?:[^\x00-\x1f\x7f]*+(?:\x07|\x1b\\))?"
    rb"|\x1b(?:[ -/]*+[0-~])?"
    rb"|[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]|\xef\xbb\xbf"
)
"""What leaves nothing on a screen, or moves what comes after."""


class Found(NamedTuple):
    """A line that matches: [start, end) of a block; how it is read, and where in that it does."""

    start: int
    end: int
    line: bytes
    at: int


class Reading(NamedTuple):
    """A text that a line may be read as; where its stretches begin in it and in the line."""

    text: bytes
    begins: list[int]
    in_line: list[int]

    def place(self, at: int) -> int:
        """Where a byte of the text stands in the line."""
        stretch = bisect_right(self.begins, at) - 1
        return self.in_line[stretch] + at - self.begins[stretch]


class Matches:
    """The lines of a block that match a pattern, one after the other."""

    def __init__(self, pattern: Pattern, data: bytes) -> None:
        self._pattern, self._data = pattern, data
        self._coded = is_coded(data)
        self._read = _found_as_read(pattern, data, coded=self._coded)
        self._next = next(self._read, None)

    def after(self, position: int) -> Found | None:
        """The next one that begins at or after a position, which is where a line begins."""
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


def is_coded(data: bytes) -> bool:
    """Whether bytes hold codes for a terminal, or what else leaves nothing on a screen."""
    # Four times as fast as an expression that looks for the others.
    if data.translate(None, _NO_CODES):
        return True
    return not data.isascii() and (b"\xc2\x9b" in data or b"\xef\xbb\xbf" in data)


def is_found(pattern: Pattern, data: bytes) -> bool:
    """Whether a line of a block matches."""
    return Matches(pattern, data).after(0) is not None


def spans(pattern: Pattern, line: bytes, most: int) -> list[tuple[int, int]]:
    """Where a line without its end matches, at most so many: the parts of it, codes included."""
    places: list[tuple[int, int]] = []
    for reading in (_as_it_is(line), *_readings(line)):
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
    """The lines that match otherwise than by their bytes as they are, in their order."""
    ways = [_in_other_encodings(pattern, data), _in_utf16(pattern, data)]
    if pattern.coded is None and (coded or b"\r" in data):
        ways.append(_without_their_codes(pattern, data, coded=coded))
    if (coded and _MOVED.search(data)) or (pattern.coded is None and _RETURN.search(data)):
        ways.append(_in_their_states(pattern, data))
    return heapq.merge(*ways, key=_start)


def _start(found: Found) -> int:
    return found.start


def _in_other_encodings(pattern: Pattern, data: bytes) -> Iterator[Found]:
    if pattern.is_ascii:
        return  # as all of them write it
    names = [name for name in encodings(data, start=False) if name != UTF8]
    if names and LATIN1 not in names:
        names.append(LATIN1)  # of lines that are not plainly in another one
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
    """Lines that are in UTF-16, or hold some, where the block is not."""
    if pattern.is_ascii:
        return  # its zeros are taken for codes
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
    if pattern.find(data) is not None or _MOVED.search(data):
        return True
    plain = without_codes(data).replace(b"\r", b"\n")
    return plain != data and pattern.find(plain) is not None


def _without_their_codes(pattern: Pattern, data: bytes, *, coded: bool) -> Iterator[Found]:
    plain = without_codes(data) if coded else _with_line_feeds(data)
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
    for start, end in _lines(data):
        line = data[start:end]
        if _RETURN.search(line) or _MOVED.search(line):
            at = _place(pattern, line)
            if at is not None:
                yield Found(start, end, line, at)


def _lines(data: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        yield start, end
        start = end


def without_codes(data: bytes) -> bytes:
    """Lines without codes; each ends as in Unix."""
    return _with_line_feeds(_CODES.sub(b"", data))


def _with_line_feeds(data: bytes) -> bytes:
    data = _RETURNS.sub(b"\n", data) if b"\r\r\n" in data else data
    return data.replace(b"\r\n", b"\n")


def _place(pattern: Pattern, line: bytes) -> int | None:
    line = line.removesuffix(b"\n")
    for reading in (_as_it_is(line), *_readings(line)):
        if match := pattern.find(reading.text):
            return reading.place(match[0])
    return None


def _as_it_is(line: bytes) -> Reading:
    return Reading(line, [0], [0])


def _readings(line: bytes) -> Iterator[Reading]:
    """A line without its codes: each of its states, and what a terminal would have left."""
    if not is_coded(line) and b"\r" not in line:
        return
    begin = 0
    for state in line.rstrip(b"\r").split(b"\r"):
        yield _without_codes(state, begin)
        begin += len(state) + 1
    seen = redrawn(line)
    if seen is not None:
        # Where it was written is not known by now: at the end is where redrawing ends.
        yield Reading(seen, [0], [max(0, len(line) - len(seen))])


def redrawn(line: bytes) -> bytes | None:
    """What a terminal would have left of a line that was redrawn; of any other none."""
    if len(line) > REDRAWN_MAX or REDRAWS.search(line.decode(errors="replace")) is None:
        return None
    return "\n".join(last_seen(line)).encode(errors="surrogateescape")


def redrawn_lines(data: bytes) -> Iterator[bytes]:
    """What a terminal would have left of those lines that were redrawn."""
    position = 0
    while match := _MAY_REDRAW.search(data, position):
        start = data.rfind(b"\n", 0, match.start()) + 1
        position = data.find(b"\n", match.start()) + 1 or len(data)
        seen = redrawn(data[start:position].removesuffix(b"\n"))
        if seen is not None:
            yield seen


def _without_codes(state: bytes, begin: int) -> Reading:
    parts: list[bytes] = []
    begins: list[int] = []
    in_line: list[int] = []
    at = length = 0
    for code in _CODES.finditer(state):
        if code.start() > at or not parts:
            begins.append(length)
            in_line.append(begin + at)
            parts.append(state[at : code.start()])
            length += code.start() - at
        at = code.end()
    begins.append(length)
    in_line.append(begin + at)
    parts.append(state[at:])
    return Reading(b"".join(parts), begins, in_line)
