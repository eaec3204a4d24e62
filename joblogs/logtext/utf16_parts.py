"""Detection of parts of a text that are in UTF-16: the output of one program of many, or a whole
text without a byte order mark and zero bytes. Pure.

Nothing marks the beginning and end of such a part. It is a run of byte pairs that are letters, more
of which are common ones than other bytes would make by chance.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .encodings import (
    UTF8,
    foreign_letters,
    in_language,
    is_in,
    is_in_use,
    language_of,
    letters_in_use,
    recognised_legacy,
)

_LETTER, _WEAK = 1, 2
_GAP = 12
"""Maximum weak letters between other letters, or at an end."""
_LETTERS_MIN = 4
_MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
_SURE = {
    # Runs that do not occur in other texts: ASCII, Cyrillic, box drawing.
    "utf-16-le": rb"(?:[\t\n\r\x1b -~]\x00){3}|(?:[\x10-\x7f]\x04){4}|(?:[\x00-\x1f]\x25){3}",
    "utf-16-be": rb"(?:\x00[\t\n\r\x1b -~]){3}|(?:\x04[\x10-\x7f]){4}|(?:\x25[\x00-\x1f]){3}",
}
_SURE_RUNS = {encoding: re.compile(expression) for encoding, expression in _SURE.items()}
_IN_USE_MIN, _IN_USE_MIN_SURE = 0.75, 0.5
_PLAIN_SIZE, _PLAIN_MIN = 100, 0.85
_JUDGED_BYTES = 2048
_NEWLINE = 10
_MARK, _FIRST_FOREIGN = 0xFEFF, 0x3000
"""Byte order mark; first code of the letters that distinguish languages."""


def _kinds() -> NDArray[np.uint8]:
    """Return for each code whether it is a letter, a weak letter or neither (0)."""
    kinds = np.zeros((256, 256), np.uint8)  # by the low byte and the high one
    printed = [9, 10, 13, *range(0x20, 0x7F)]
    unprinted = sorted(set(range(1, 256)) - set(printed))
    kinds[np.ix_(printed, range(0x4E, 0x7F))] = _WEAK  # two bytes of ASCII
    kinds[np.ix_(range(0x41, 0x7F), [0x30])] = _WEAK
    kinds[ord("&"), ord(" ")] = _WEAK
    kinds[1:, 0xAC:0xD8] = _WEAK  # Korean, which is two bytes of GB18030 too
    kinds[:, 0xD8:0xE0] = _WEAK
    kinds[[*printed, 0x1B, *range(0xA0, 0x100)], 0] = _LETTER
    kinds[0x01:0x80, 3:5] = _LETTER  # Greek, Cyrillic
    kinds[np.ix_([0, *unprinted], range(0x20, 0x28))] = _LETTER  # signs
    kinds[np.ix_(unprinted, [0x30, *range(0x4E, 0x7F)])] = _LETTER  # Chinese, Japanese
    kinds[1:, 0x7F:0xA0] = _LETTER
    kinds[0, [0x30, 0x4E, 0x52, 0x5F, 0x67, 0x7F, 0x80, 0x8D, 0x95, 0x97]] = _LETTER
    kinds[0x01:0xF0, 0xFF] = _LETTER  # wide forms
    kinds[0xFF, 0xFE] = _LETTER  # the mark
    return kinds.T.ravel()


_KINDS = _kinds()


@lru_cache(1)
def _in_use() -> NDArray[np.bool_]:
    """Return for each code whether it is a common letter in one of the languages."""
    marks = (not 0xD800 <= code < 0xE000 and is_in_use(chr(code)) for code in range(65536))
    return np.fromiter(marks, np.bool_, 65536)


class EncodedPart(NamedTuple):
    """Part of a text: its bytes [start, end), and the UTF-16 codec they are in."""

    start: int
    end: int
    encoding: str

    def text(self, data: bytes) -> str:
        """Return the decoded text of the part."""
        return data[self.start : self.end].decode(self.encoding, errors="replace")

    def head(self, data: bytes) -> str:
        """Return the decoded beginning of the part."""
        return self._replace(end=min(self.end, self.start + _JUDGED_BYTES)).text(data)

    def tail(self, data: bytes) -> str:
        """Return the decoded end of the part."""
        return self._replace(start=max(self.start, self.end - _JUDGED_BYTES)).text(data)


class _Candidate(NamedTuple):
    """Run that may be a part, with its quality as text: the greatest candidate is the best."""

    has_mark: bool
    in_use: float
    blanks: int
    size: int
    is_little: bool
    part: EncodedPart


def utf16_parts(data: bytes) -> list[EncodedPart]:
    """Return the parts of a text that are clearly in UTF-16, in order."""
    if b"\0" not in data and (is_in(data, UTF8) or _is_plainly_legacy(data)):
        return []
    parts: list[EncodedPart] = []
    taken = bytearray(len(data))
    for candidate in sorted(_candidates(data), reverse=True):
        start, end, _ = candidate.part
        if taken.find(1, start, end) < 0:
            taken[start:end] = b"\1" * (end - start)
            parts.append(candidate.part)
    return sorted(parts)


def parts_as_utf8(data: bytes) -> bytes:
    """Return a text with its parts in UTF-16 converted to UTF-8."""
    pieces: list[bytes] = []
    position = 0
    for part in utf16_parts(data):
        pieces += (data[position : part.start], part.text(data).encode(errors="replace"))
        position = part.end
    return b"".join((*pieces, data[position:])) if pieces else data


def _is_plainly_legacy(data: bytes) -> bool:
    name = recognised_legacy(data[:_JUDGED_BYTES])
    return name is not None and is_in(data, name)


def _candidates(data: bytes) -> Iterator[_Candidate]:
    """Yield the runs that may be a part, long ones first: a run within a good one is skipped."""
    bytes_ = np.frombuffer(data, np.uint8).astype(np.uint16)
    found: list[tuple[int, EncodedPart, NDArray[np.uint8]]] = []
    for encoding in _MARKS:
        high, low = bytes_[1:], bytes_[:-1]
        codes = np.asarray(
            (low << 8) | high if encoding == "utf-16-be" else (high << 8) | low, np.uint16
        )
        kinds = _KINDS[codes]
        for parity in (0, 1):
            for first, last in _runs(codes[parity::2], kinds[parity::2]):
                run = EncodedPart(parity + 2 * first, parity + 2 * last + 2, encoding)
                found.append((last - first, run, kinds))
    plain: list[EncodedPart] = []
    for size, run, kinds in sorted(found, key=lambda one: -one[0]):
        place = bisect_left(plain, run) - 1
        if place >= 0 and run.end <= plain[place].end:
            continue
        candidate = _judged(data, _with_ends(data, run, kinds))
        if candidate is not None:
            yield candidate
            if size >= _PLAIN_SIZE and candidate.in_use > _PLAIN_MIN:
                insort(plain, candidate.part)


def _runs(codes: NDArray[np.uint16], kinds: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return the runs of letters that may become a part, as first and last index; they begin and
    end with letters that are not weak."""
    letters = np.flatnonzero(kinds == _LETTER)
    if letters.size == 0:
        return []
    others = np.cumsum(kinds == 0)[letters]
    apart = np.flatnonzero((np.diff(letters) > _GAP + 1) | (np.diff(others) > 0))
    firsts, lasts = letters[np.append(0, apart + 1)], letters[np.append(apart, letters.size - 1)]
    long = lasts - firsts >= _LETTERS_MIN - 2
    firsts, lasts = firsts[long], lasts[long]

    def count(those: NDArray[np.bool_]) -> NDArray[np.int64]:
        sums = np.append(0, np.cumsum(those))
        return np.asarray(sums[lasts + 1] - sums[firsts], np.int64)

    marks = codes[firsts] == _MARK
    foreign = count((codes >= _FIRST_FOREIGN) & (codes != _MARK))
    used = count(_in_use()[codes] & (codes >= _FIRST_FOREIGN))
    # Many runs occur by chance: the obvious ones are left out all at once.
    sure = marks | (count(codes < 0x80) >= 3) | (count((codes >> 8) == 4) >= 4)
    sure |= count((codes >> 8) == 0x25) >= 3
    wanted = (sure | (foreign >= _LETTERS_MIN - 1)) & (2 * used >= foreign)
    pairs = zip(firsts[wanted], lasts[wanted], strict=True)
    return [(int(first), int(last)) for first, last in pairs]


def _with_ends(data: bytes, run: EncodedPart, kinds: NDArray[np.uint8]) -> EncodedPart:
    """Return a run extended by weak letters at its ends, if these are all common letters and the
    run then begins and ends at the borders of a line."""
    start, end = run.start, run.end
    least, most = max(0, start - 2 * _GAP), min(len(data) - 1, end + 2 * _GAP)
    while start - 2 >= least and kinds[start - 2] == _WEAK:
        start -= 2
    while end < most and kinds[end] == _WEAK and data[end + 1] != _NEWLINE:
        end += 2
    if (start, end) == (run.start, run.end):
        return run
    head = data[start : run.start].decode(run.encoding, "replace")
    # Not after other text that they might belong to, and only common letters.
    if (start and data[start - 1] > 0x40) or not _are_in_use(head):
        start = run.start
    tail = data[run.end : end].decode(run.encoding, "replace")
    if data[end : end + 1] not in (b"", b"\r", b"\n") or not _are_in_use(tail):
        end = run.end
    return run._replace(start=start, end=end)


def _are_in_use(text: str) -> bool:
    return all(language_of(one) is not None for one in text)


def _judged(data: bytes, run: EncodedPart) -> _Candidate | None:
    has_mark = data.startswith(_MARKS[run.encoding], run.start)
    head = run.head(data)
    part = _without_foreign_ends(data, run, head, has_mark=has_mark)
    sure = has_mark or _SURE_RUNS[part.encoding].search(data, part.start, part.end)
    text = head if part == run else part.head(data)
    letters = foreign_letters(text)
    if len(text) < _LETTERS_MIN or not (sure or len(letters) >= _LETTERS_MIN):
        return None
    in_use = letters_in_use(letters) if letters else 1.0
    if in_use < (_IN_USE_MIN_SURE if sure else _IN_USE_MIN):
        return None
    # Blanks show the byte order if the letters do not.
    blanks, size = sum(map(str.isspace, text)), part.end - part.start
    return _Candidate(has_mark, round(in_use, 1), blanks, size, part.encoding == "utf-16-le", part)


def _without_foreign_ends(
    data: bytes, part: EncodedPart, head: str, *, has_mark: bool
) -> EncodedPart:
    """Return a part, which begins with `head`, without letters at its ends that its language does
    not use: they are adjacent bytes that form letters by chance."""
    letters = foreign_letters(head)
    language = language_of(letters) if len(letters) >= _LETTERS_MIN else None
    tail = head if part.end - part.start <= _JUDGED_BYTES else part.tail(data)
    start, end = part.start, part.end - 2 * _foreign_letters_count(tail[::-1], language)
    if not has_mark and start:
        # A newline byte is more likely a line end than the second byte of a letter.
        ends_line = data[start] != 0 and data[start + 1] == _NEWLINE != data[start - 1]
        start += 2 * max(ends_line, _foreign_letters_count(head, language))
    end = max(start, end)
    return part if (start, end) == part[:2] else EncodedPart(start, end, part.encoding)


def _foreign_letters_count(text: str, language: str | None) -> int:
    """Return how many letters at the beginning of a text the language does not use."""
    count = 0
    for one in text:
        if (
            one < "\u3000"
            or one == "\ufeff"
            or (language is not None and in_language(one, language) > 0)
        ):
            break
        count += 1
    return count
