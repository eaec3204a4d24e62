"""Search in the logs of a step: by text or by regular expression, right across chunk borders.

Expressions are RE2's: they take time in proportion to the text whatever they say, so that none can
hold a process. A search has a budget and says so when it ends early.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import re2

from joblogs import query
from joblogs.choices import StepType
from joblogs.logtext.encodings import UTF8, encodings, recoded, without_utf16
from joblogs.models import StepInstance
from joblogs.query import StepHost

PATTERN_MAX = 1024
EACH_LINE = b"(?m)"
"""Before an expression: ^ and $ are the ends of a line, as in grep."""
LONG_LINE_BYTES = 1024 * 1024
"""A longer line is searched in parts that overlap by OVERLAP_BYTES: no match up to that is lost."""
OVERLAP_BYTES = 16 * 1024
SHOWN_LINE_BYTES = 4096
"""As much of a line as a hit shows, unless more is asked for."""


class InvalidPattern(ValueError):
    """An expression that is none, or too long. Its text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is searched for. A match never spans lines."""

    expression: Any
    is_ascii: bool = True

    @classmethod
    def of(cls, text: str, *, regex: bool = False, ignore_case: bool = False) -> Pattern:
        """Text as it is, or a regular expression. Raises InvalidPattern."""
        if not text or len(text) > PATTERN_MAX:
            raise InvalidPattern(f"1 to {PATTERN_MAX} characters")
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            raise InvalidPattern("it holds half a character") from None
        if b"\n" in raw:
            raise InvalidPattern("it holds a line break, and matches never span lines")
        if regex:
            raw = EACH_LINE + raw
        options = re2.Options()
        options.literal = not regex
        options.case_sensitive = not ignore_case
        options.never_nl = True
        options.log_errors = False
        if raw.isascii():
            # Bytes that are no UTF-8 are characters too, so `.` matches them.
            options.encoding = re2.Options.Encoding.LATIN1
        try:
            return cls(re2.compile(raw, options), raw.isascii())
        except re2.error as error:
            message = (error.args[0] if error.args else b"").replace(EACH_LINE, b"")
            raise InvalidPattern(message.decode(errors="replace")) from None

    def find(self, data: bytes, position: int = 0) -> tuple[int, int] | None:
        """The next match at or after a position."""
        match = self.expression.search(data, position)
        return match.span() if match else None


class Line(NamedTuple):
    """A line of a hit: its number from 1, its bytes (a long line's first ones), if it matches."""

    number: int
    data: bytes
    matches: bool


@dataclass(slots=True)
class Hits:
    """What was found in one log. `label` tells a host's file logs apart, "" for a script log."""

    host: StepHost
    label: str
    count: int = 0
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Budget:
    """What a search may take. 0 means no limit."""

    seconds: float = 0
    size: int = 0


@dataclass(slots=True)
class Search:
    """A search to be iterated once; afterwards it says how far it came."""

    step: StepInstance
    hosts: list[StepHost]
    pattern: Pattern
    context: int = 0
    shown: int = 10
    """Hits of a log whose lines are given; all are counted."""
    line_bytes: int = SHOWN_LINE_BYTES
    """As much of a line as a hit gives."""
    budget: Budget = field(default_factory=Budget)
    searched_logs: int = 0
    searched_bytes: int = 0
    stopped: str = ""
    """Why it ended early: `time`, `size`, or nothing."""

    def __iter__(self) -> Iterator[Hits]:
        """The logs that hold a hit, in the order of the hosts."""
        started = time.monotonic()
        for host, label, parts in _logs(self.step, self.hosts):
            hits = Hits(host, label)
            finder = _Finder(hits, self)
            for block in _blocks(without_utf16(parts)):
                self.searched_bytes += len(block.data)
                finder.search(_Block(_readable(block.data, self.pattern), block.overlap))
                if self._exceeded(started):
                    break
            if hits.count:
                yield hits
            if self.stopped:
                return
            self.searched_logs += 1

    def _exceeded(self, started: float) -> bool:
        if self.budget.seconds and time.monotonic() - started > self.budget.seconds:
            self.stopped = "time"
        elif self.budget.size and self.searched_bytes > self.budget.size:
            self.stopped = "size"
        return bool(self.stopped)


def _logs(
    step: StepInstance, hosts: list[StepHost]
) -> Iterator[tuple[StepHost, str, Iterable[bytes]]]:
    if step.step_type == StepType.FILE:
        for host, files in query.file_logs(step, hosts):
            for file in files:
                yield host, file.dest_path or file.src_path, [bytes(file.content)]
    else:
        for host, parts in query.script_logs(step, hosts):
            yield host, "", parts


class _Block(NamedTuple):
    """Whole lines, or a part of a long one; the last one as the log ends. `overlap` bytes were in
    the block before."""

    data: bytes
    overlap: int


def _blocks(parts: Iterable[bytes]) -> Iterator[_Block]:
    data, overlap = b"", 0
    for part in parts:
        # Cut only when more has come: most logs are one part, and need neither a copy of it nor a
        # second look at a last line that has no end.
        if end := data.rfind(b"\n") + 1:
            yield _Block(data[:end], overlap)
            data, overlap = data[end:], 0
        elif len(data) > LONG_LINE_BYTES:
            yield _Block(data, overlap)
            data = data[-OVERLAP_BYTES:]
            overlap = len(data)
        data = data + part if data else part
    if len(data) > overlap:
        yield _Block(data, overlap)


def _readable(data: bytes, pattern: Pattern) -> bytes:
    """What a pattern is looked for in: the same lines, those that hold it only in another encoding
    than UTF-8 written anew."""
    if pattern.is_ascii:
        return data  # as all of them write it
    others = [name for name in encodings(data, start=False) if name != UTF8]
    if not any(pattern.find(recoded(data, name)) for name in others):
        return data
    return b"".join(_readable_line(line, pattern, others) for line in _lines(data))


def _readable_line(line: bytes, pattern: Pattern, others: list[str]) -> bytes:
    if pattern.find(line) is None:
        for name in others:
            if pattern.find(text := recoded(line, name)):
                return text
    return line


def _lines(data: bytes) -> list[bytes]:
    *lines, last = data.split(b"\n")
    return [line + b"\n" for line in lines] + [last]


class _Finder:
    """Finds lines block after block, and gathers the first ones with what stands around them."""

    def __init__(self, hits: Hits, search: Search) -> None:
        self.hits, self.pattern = hits, search.pattern
        self.context, self.shown, self.line_bytes = search.context, search.shown, search.line_bytes
        self.number = 1
        self.last_hit = 0
        self.before: deque[Line] = deque(maxlen=search.context)
        self.after = 0
        self.unread: list[tuple[bytes, int]] = []
        self.waiting = 0
        """Blocks that no hit has come after, and from where on: if none does, their lines need not
        be counted."""

    def search(self, block: _Block) -> None:
        data, position = block.data, 0
        while position < len(data) and (match := self.pattern.find(data, position)):
            start = data.rfind(b"\n", 0, match[0]) + 1
            end = data.find(b"\n", match[0]) + 1 or len(data)
            if match[0] >= len(data):
                break
            self._catch_up()
            self._pass(data, position, start)
            if self.number != self.last_hit:
                self.last_hit = self.number
                self._hit(data[max(start, position) : end])
            position = end
            self.number += data.endswith(b"\n", start, end)
        if self.after and self.hits.count <= self.shown:
            self._catch_up()
            position = self._follow(data, position, len(data))
        self.unread.append((data, position))
        self.waiting += len(data)
        if self.waiting > LONG_LINE_BYTES:
            self._catch_up()

    def _catch_up(self) -> None:
        for data, position in self.unread:
            self._pass(data, position, len(data))
        self.unread.clear()
        self.waiting = 0

    def _hit(self, line: bytes) -> None:
        self.hits.count += 1
        if self.hits.count > self.shown:
            return
        self.hits.lines += self.before
        self.before.clear()
        self.hits.lines.append(Line(self.number, line[: self.line_bytes], True))
        self.after = self.context

    def _pass(self, data: bytes, start: int, end: int) -> None:
        """Lines that do not match: counted, and kept where a hit shows what is around it."""
        if not self.context or self.hits.count > self.shown:
            self.number += data.count(b"\n", start, end)
            return
        start = self._follow(data, start, end)
        spans: deque[tuple[int, int]] = deque()
        stop = end
        while stop > start and len(spans) < self.context:
            begin = data.rfind(b"\n", start, stop - 1) + 1 or start
            spans.appendleft((begin, stop))
            stop = begin
        self.number += data.count(b"\n", start, stop)
        for begin, stop in spans:
            self.before.append(Line(self.number, data[begin:stop][: self.line_bytes], False))
            self.number += data.endswith(b"\n", begin, stop)

    def _follow(self, data: bytes, start: int, end: int) -> int:
        """The lines that are shown after a hit, as far as they are here: where they end."""
        while self.after and start < end:
            stop = data.find(b"\n", start, end) + 1 or end
            self.hits.lines.append(Line(self.number, data[start:stop][: self.line_bytes], False))
            self.number += data.endswith(b"\n", start, stop)
            self.after -= 1
            start = stop
        return start


ERRORS = Pattern.of(
    # A colour ends in a letter, so that no word begins behind it.
    r"(?:\b|\x1b\[[0-9;:]*m)"
    r"(?:err(?:or|ors)?|fatal|panic|exception|traceback|fail(?:s|ed|ure|ures)?|cannot|can't"
    r"|unable to|denied|refused|unreachable|not found|no such|no space left|segmentation fault"
    r"|core dumped|killed|aborted|timed out|timeout|critical)\b|错误|失败|异常|拒绝|超时",
    regex=True,
    ignore_case=True,
)
"""Words that tell of trouble. What is counted as none of it (`0 errors`, `failed=0`) is no hit."""
_NONE_BEFORE = re.compile(
    rb"(?:(?<![=:.])\b(?:0|no|zero|without|any|if|on|or) |--?|[/.$])$", re.IGNORECASE
)
_NONE_AFTER = re.compile(rb'"?[=:] ?"?(?:0\b|false|no\b|none|null)|[-./(]\w', re.IGNORECASE)
_NEAR = 16


def tells_of_error(data: bytes, position: int = 0) -> int | None:
    """Where the first word at or after a position is that tells of trouble."""
    while position < len(data) and (match := ERRORS.find(data, position)):
        start, end = match
        before, after = data[max(0, start - _NEAR) : start], data[end : end + _NEAR]
        if not _NONE_BEFORE.search(before) and not _NONE_AFTER.match(after):
            return start
        position = max(end, position + 1)
    return None


def occurs(pattern: Pattern, parts: Iterable[bytes]) -> bool:
    """Whether a log that comes in parts holds what is searched for."""
    return any(
        pattern.find(_readable(block.data, pattern)) is not None
        for block in _blocks(without_utf16(parts))
    )


def first_error_line(parts: Iterable[bytes]) -> bytes:
    """The beginning of the first line that tells of trouble; empty if none does."""
    for block in _blocks(parts):
        at = tells_of_error(block.data)
        if at is not None:
            start = block.data.rfind(b"\n", 0, at) + 1
            # Of a line that is very long, what is around the word.
            start = max(start, at - SHOWN_LINE_BYTES // 2)
            return block.data[start : start + SHOWN_LINE_BYTES].partition(b"\n")[0]
    return b""


class FirstError(NamedTuple):
    """Where a log first tells of trouble; and where the search for it ended early, if it did."""

    offset: int | None
    stopped_at: int | None = None


def first_error(text: query.Text, *, start: int = 0, seconds: float = 0) -> FirstError:
    """The first place at or after `start` that tells of trouble, in bounded memory."""
    began = time.monotonic()
    parts = (
        text.read(at, min(text.size, at + LONG_LINE_BYTES))
        for at in range(start, text.size, LONG_LINE_BYTES)
    )
    position = start
    for block in _blocks(parts):
        position -= block.overlap
        found = tells_of_error(block.data)
        if found is not None:
            return FirstError(position + found)
        position += len(block.data)
        if seconds and time.monotonic() - began > seconds:
            return FirstError(None, position)
    return FirstError(None)
