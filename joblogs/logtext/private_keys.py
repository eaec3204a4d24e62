"""Detection of the lines of a private key in any form in which they are printed.

After its first line a key continues line by line: base64 of the same width, after the prefix of the
first of these lines (blanks, `web_1 | `, a time, `+`), or after quotes, commas and escaped line
breaks. The last line may be short: it is part of the key if the end of the key follows, or if it
looks as random as a long line. Neither applies to words after a truncated key.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final, NamedTuple

import re2

from .secret_forms import FILLER, any_of, filled

LINES: Final = 200
"""Maximum lines of a key."""

_RANDOM = b"[0-9A-Za-z+/]"
_JUNK = rb"(?:[ \t\r\n\"',>|()\[\]{};]|\\{1,8}[nrt\"'])"
_REST = rb"(?:[^\n-]|-[^\n-]){0,200}-?"
_TAIL = _REST + rb"\n"
_PREFIX_SIZE = 120
_FARTHEST = 900
"""Maximum bytes between two lines, including the part of the second by which it is recognised."""
_FIRST, _FREE, _MIXED = 16, 40, 24
_BREAK = rb"(?:\n|(?:\\{1,8}r)?\\{1,8}n)"
_HEADER = rb"[^\n]{0,100}?[A-Z][A-Za-z-]{2,20}: [^\n\\]{0,120}" + _BREAK
_HEADERS = rb"[ \t\r]{0,8}" + _BREAK + b"(?:" + _HEADER + b"){1,4}"
_END = rb"(?:-{4,5} ?END|Private-MAC)"


class Lines(NamedTuple):
    """State needed to continue a key, which can be stored in a few bytes."""

    number: int = 0
    width: int = 0
    prefix: bytes = b""

    def packed(self) -> bytes:
        """Return the state as bytes for `unpacked`."""
        return b"%d %d %s" % (self.number, self.width, self.prefix)

    @classmethod
    def unpacked(cls, data: bytes) -> Lines:
        """Return the state from the bytes of `packed`; the state of a new key for none."""
        count, _, rest = data.partition(b" ")
        width, _, prefix = rest.partition(b" ")
        return cls(int(count), int(width), prefix) if data else cls()


class Piece(NamedTuple):
    """Part [start, stop) of a line that is masked; it is recognised once the text reaches `end`."""

    end: int
    start: int
    stop: int
    lines: Lines


def next_piece(view: bytes | bytearray, position: int, lines: Lines) -> Piece | None:
    """Return the next line of a key whose previous line ended at a position; None if there is
    none."""
    if lines.number >= LINES:
        return None
    best: Piece | None = None
    for expression, mixed in _expressions(lines)[0]:
        found = expression.match(view, position, min(len(view), position + _FARTHEST))
        if found is None:
            continue
        # The shortest match, as it was when the text had just reached it.
        while shorter := expression.match(view, position, found.end() - 1):
            found = shorter
        start, end = found.span(1)
        if mixed and not _is_mixed(bytes(view[start:end])):
            continue
        if best is None or found.end() < best.end:
            stop = _run(view, end)
            best = Piece(found.end(), start, stop, _after(view, position, start, stop, lines))
    return best


def may_go_on(view: bytes | bytearray, position: int, stop: int, lines: Lines) -> bool:
    """Return whether the text between two positions may be the beginning of a key's next line."""
    if lines.number >= LINES or stop - position > _FARTHEST:
        return False
    return _expressions(lines)[1].fullmatch(view, position, stop) is not None


def grown(lines: Lines, size: int) -> Lines:
    """Return the state after `size` more bytes of the same line have arrived."""
    return lines._replace(width=lines.width + size) if lines.number == 1 else lines


def run(view: bytes | bytearray, position: int) -> int:
    """Return the end of the base64 at a position."""
    return _run(view, position)


def _run(view: bytes | bytearray, position: int) -> int:
    end: int = _RUN.match(view, position).end()
    return end


def _after(view: bytes | bytearray, position: int, start: int, stop: int, lines: Lines) -> Lines:
    if lines.number:
        return lines._replace(number=lines.number + 1)
    line = view.rfind(b"\n", position, start) + 1
    prefix = bytes(view[line:start]) if line else lines.prefix
    return Lines(1, size_of(view[start:stop]), prefix[:_PREFIX_SIZE])


def size_of(part: bytes | bytearray) -> int:
    """Return the number of visible bytes of a part."""
    return len(part.translate(None, b"\x00\x1b"))


def _is_mixed(token: bytes) -> bool:
    return bool(
        re.search(rb"[0-9+/]", token)
        and re.search(rb"[A-Z]", token)
        and re.search(rb"[a-z]", token)
    )


@functools.lru_cache(maxsize=64)
def _expressions_of(begins: bool, width: int, prefix: bytes) -> tuple[list[tuple[Any, bool]], Any]:
    """Return the expressions for the next line, each with whether it must be mixed, and the
    expression for a text that may become the next line."""
    atoms = _atoms(prefix)
    behind = b"".join(atoms)
    gap = _JUNK + b"{1,40}"
    if begins:
        sign = behind or b"-?"
        body = sign + b"(" + _RANDOM + b"{%d})" % _FIRST
        free = rb"[^\n]{0,100}[^\n0-9A-Za-z+/](" + _RANDOM + b"{%d})" % _FREE
        ways = [
            (gap + body, False),
            (_HEADERS + _JUNK + b"{0,40}" + body, False),
            (rb"[^\n]{0,40}\n" + free, True),
            (_HEADERS + rb"(?:[^\n]{0,100}\n)?" + free, True),
        ]
        going = b"(?s:.*)"
    else:
        # The prefix of the lines may itself look like base64.
        own = bool(re.search(rb"[0-9A-Za-z+/]", prefix))
        separators = [_TAIL + behind] if own else [_TAIL + behind, gap]
        ending = any_of([gap + b"?", _TAIL + behind]) + _END
        ways = []
        for between in separators:
            least = max(_FIRST, min(width, 64))
            ways.append((between + b"(" + _RANDOM + b"{%d})" % least, False))
            if width > _MIXED:
                ways.append((between + b"(" + _RANDOM + b"{%d})" % _MIXED, True))
            ways.append((between + b"(" + _RANDOM + b"{1,200}={0,2})" + ending, False))
        end = any_of([_nested([b"-{1,5}", b" ", b"E", b"N"]), b"-{4,5}E?N?", b"P[a-z]{0,6}-?M?A?"])
        first = any_of([_JUNK + b"{0,40}", _REST, _TAIL + _nested(atoms)])
        last = any_of([_JUNK + b"{0,40}" + end, _REST, _TAIL + _nested([*atoms, end])])
        between = any_of([_JUNK + b"{0,40}", _TAIL + behind])
        going = any_of([first, between + _RANDOM + b"{1,200}={0,2}" + last])
    return [(_compiled(way), mixed) for way, mixed in ways], _compiled(going, FILLER)


def _expressions(lines: Lines) -> tuple[list[tuple[Any, bool]], Any]:
    return _expressions_of(not lines.number, lines.width, lines.prefix)


def _atoms(prefix: bytes) -> list[bytes]:
    """Return an expression for each part of the lines' prefix, in which numbers and marks may
    differ."""
    return [
        b"[0-9]{1,20}"
        if part[:1].isdigit()
        else b"[ \\t]{0,40}"
        if part[:1] in b" \t"
        else b"[:-]"
        if part in b":-"
        else re2.escape(part)
        for part in re.findall(rb"[0-9]+|[ \t]+|[^0-9 \t\x00\x1b]", prefix, re.S)
    ]


def _nested(parts: list[bytes]) -> bytes:
    """Return an expression that matches any number of the first parts."""
    result = b""
    for part in reversed(parts):
        result = b"(?:" + part + result + b")?"
    return result


def _compiled(expression: bytes, behind: bytes = b"") -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return re2.compile(filled(expression) + behind, options)


_RUN = _compiled(b"[0-9A-Za-z+/=]*")
