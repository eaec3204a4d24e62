"""Detection of error and warning lines in logs, and of the first error."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import re2

from joblogs import query
from joblogs.logtext.encodings import utf16_name
from joblogs.logtext.utf16_parts import parts_as_utf8, utf16_parts
from joblogs.logtext.utf16_streams import without_utf16

from .blocks import LONG_LINE_BYTES, blocks
from .finder import SHOWN_LINE_BYTES, FoundLine
from .patterns import Pattern

_WORDS = (
    r"(?:err(?:or|ors)?|fatal|panic|exception|traceback|fail(?:s|ed|ure|ures)?|cannot|can't"
    r"|unable to|denied|refused|unreachable|not found|no such|no space left|segmentation fault"
    r"|core dumped|killed|aborted|timed out|timeout|critical)"
)
_FOREIGN_WORDS = {
    "gb18030": ("错误", "失败", "异常", "拒绝", "超时"),
    "cp932": ("エラー", "失敗", "例外", "拒否", "タイムアウト"),
    "cp949": ("오류", "실패", "예외", "거부", "시간 초과"),
}
"""Error words by the encoding of their country. Their bytes do not occur otherwise in UTF-8."""


def _errors() -> Pattern:
    options = re2.Options()
    options.case_sensitive = False
    options.never_nl = True
    options.encoding = re2.Options.Encoding.LATIN1
    foreign = [
        "".join(f"\\x{byte:02x}" for byte in word.encode(encoding))
        for name, words in _FOREIGN_WORDS.items()
        for word in words
        for encoding in ("utf-8", name)
    ]
    # A colour code ends in a letter, so there is no word border after it.
    expression = rf"(?:\b|\x1b\[[0-9;:]*m){_WORDS}\b|(?-i:{'|'.join(foreign)})"
    return Pattern(re2.compile(expression.encode(), options))


ERRORS = _errors()
"""Error words. Counts of zero (`0 errors`, `failed=0`) are not errors."""
_NONE_BEFORE = re.compile(
    rb"(?:(?<![=:.])\b(?:0|no|zero|without|any|if|on|or) |--?|[/.$])$", re.IGNORECASE
)
_NONE_AFTER = re.compile(rb'"?[=:] ?"?(?:0\b|false|no\b|none|null)|[-./(]\w', re.IGNORECASE)
_NEAR = 16


WARNINGS = Pattern.of(
    r"\b(?:warn(?:ing|ings)?|deprecated|deprecation)\b|警告", regex=True, ignore_case=True
)


def tells_of_error(data: bytes, position: int = 0) -> int | None:
    """Return the place of the first error word at or after a position; None if there is none."""
    return _first(ERRORS, data, position)


def tells_of_warning(data: bytes) -> bool:
    """Return whether a line is a warning."""
    return _first(WARNINGS, data, 0) is not None


def _first(pattern: Pattern, data: bytes, position: int) -> int | None:
    while position < len(data) and (match := pattern.find(data, position)):
        start, end = match
        before, after = data[max(0, start - _NEAR) : start], data[end : end + _NEAR]
        if not _NONE_BEFORE.search(before) and not _NONE_AFTER.match(after):
            return start
        position = max(end, position + 1)
    return None


def first_error_line(parts: Iterable[bytes]) -> bytes:
    """Return the beginning of the first error line of a log; empty if there is none."""
    for block in blocks(without_utf16(parts)):
        data = parts_as_utf8(block.data)
        at = tells_of_error(data)
        if at is not None:
            start = data.rfind(b"\n", 0, at) + 1
            # Of a very long line, the part around the word.
            start = max(start, at - SHOWN_LINE_BYTES // 2)
            return data[start : start + SHOWN_LINE_BYTES].partition(b"\n")[0]
    return b""


def first_error_lines(parts: Iterable[bytes], *, context: int = 0) -> list[FoundLine]:
    """Return the first error line of a log with `context` lines around it; empty if there is none.

    Of a very long line, only the part around the word is returned.
    """
    number, before, after = 1, deque[FoundLine](maxlen=context), context
    shown: list[FoundLine] = []
    for block in blocks(without_utf16(parts)):
        data, position = parts_as_utf8(block.data), 0
        if not shown:
            at = tells_of_error(data)
            start = len(data) if at is None else data.rfind(b"\n", 0, at) + 1
            number = _pass(data, start, number, before)
            if at is None:
                continue
            position = data.find(b"\n", at) + 1 or len(data)
            begin = max(start, at - SHOWN_LINE_BYTES // 2)
            line = data[begin : min(position, begin + SHOWN_LINE_BYTES)]
            shown = [
                *(line for line in before if line.number < number),
                FoundLine(number, line, True),
            ]
            number += 1
        while after and position < len(data):
            end = data.find(b"\n", position) + 1 or len(data)
            shown.append(
                FoundLine(number, data[position : min(end, position + SHOWN_LINE_BYTES)], False)
            )
            number, after, position = number + 1, after - 1, end
        if not after:
            break
    return shown


def _pass(data: bytes, stop: int, number: int, before: deque[FoundLine]) -> int:
    """Skip the lines of data[:stop], keep the last ones in `before`, and return the number of the
    next line."""
    newlines = data.count(b"\n", 0, stop)
    last = number + newlines - data.endswith(b"\n", 0, stop)
    spans: list[tuple[int, int]] = []
    while stop > 0 and len(spans) < (before.maxlen or 0):
        start = data.rfind(b"\n", 0, stop - 1) + 1
        spans.append((start, stop))
        stop = start
    for back, (start, stop) in reversed(list(enumerate(spans))):
        line = data[start : min(stop, start + SHOWN_LINE_BYTES)]
        before.append(FoundLine(last - back, line, False))
    return number + newlines


class FirstError(NamedTuple):
    """Place of the first error in a log, and where the search for it stopped early, if it did."""

    offset: int | None
    stopped_at: int | None = None


def first_error(
    text: query.Text,
    *,
    start: int = 0,
    seconds: float = 0,
    block_bytes: int = LONG_LINE_BYTES,
) -> FirstError:
    """Return the first error at or after `start`, in bounded memory; 0 seconds mean no limit."""
    began = time.monotonic()
    if name := utf16_name(text.read(0, min(text.size, block_bytes))):
        return _first_error_utf16(text, name, start, began + seconds if seconds else 0)
    parts = (
        text.read(at, min(text.size, at + block_bytes))
        for at in range(start, text.size, block_bytes)
    )
    position = start
    for block in blocks(parts, block_bytes):
        position -= block.overlap
        found = _first_in_block(block.data)
        if found is not None:
            return FirstError(position + found)
        position += len(block.data)
        if seconds and time.monotonic() - began > seconds:
            return FirstError(None, position)
    return FirstError(None)


def _first_in_block(data: bytes) -> int | None:
    """Return the place of the first error word, including parts that are in UTF-16."""
    first = tells_of_error(data)
    for part in utf16_parts(data):
        if first is not None and first < part.start:
            break
        text = part.text(data).encode(errors="replace")
        at = tells_of_error(text)
        if at is not None:
            before = text[:at].decode(errors="replace")
            return part.start + len(before.encode(part.encoding, errors="replace"))
    return first


def _first_error_utf16(text: query.Text, name: str, start: int, until: float) -> FirstError:
    overlap = 4 * _NEAR
    for at in range(start + start % 2, text.size, LONG_LINE_BYTES):
        block = text.read(at, min(text.size, at + LONG_LINE_BYTES + overlap))
        decoded = block.decode(name, errors="replace")
        found = tells_of_error(decoded.encode(errors="replace"))
        if found is not None:
            before = decoded.encode(errors="replace")[:found].decode(errors="replace")
            return FirstError(at + len(before.encode(name)))
        if until and time.monotonic() > until:
            return FirstError(None, at + LONG_LINE_BYTES)
    return FirstError(None)
