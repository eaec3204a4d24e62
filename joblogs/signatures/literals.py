"""Literals: what a text must hold so that a pattern can match in it.

Of an expression they are read by the part of RE2's grammar that is known here. What is not known,
such as `\\Q`, `\\p` and flags, gives no literal for the whole expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

LITERAL_MIN = 3
"""A shorter one, in bytes, says nothing."""
ALTERNATIVES_MAX, CLASS_MAX, LENGTH_MAX = 16, 4, 200
DEPTH_MAX = 20
"""Groups within each other; one that is deeper is not read."""

Literals = list[frozenset[str]]
"""Of each of these some alternative is in whatever text matches."""
_NOTHING = frozenset([""])
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_CLASSES, _BORDERS = "dDsSwW", "AzbB"
_WRITTEN = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_REPEAT = re.compile(r"\{(0|[1-9]\d{0,3})(?:(,)(0|[1-9]\d{0,3})?)?\}", re.ASCII)
"""A number that begins with a zero repeats nothing: braces around it stand for themselves."""
_GROUP = re.compile(r"\?(?::|P?<\w+>)")
_BEYOND_ASCII = re.compile(r"(?<!\\)(?:\\\\)*\\(?:[pP]|x\{0*[1-9A-Fa-f][0-9A-Fa-f]{2})")
_HEX = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")


class _Unknown(Exception):
    """An expression that is more than what is read here."""


def is_ascii_only(text: str, *, regex: bool = False) -> bool:
    """Whether a pattern names no letter beyond ASCII: not by itself, and an expression not by its
    number or class either. Of such a one each byte of a text is a letter."""
    return text.isascii() and not (regex and _BEYOND_ASCII.search(text))


def literals_of(text: str, *, regex: bool = False) -> Literals:
    """Literals of a pattern, which is valid; none if nothing is known."""
    if regex:
        try:
            needs = _Reader(text).read().all_needs()
        except _Unknown:
            return []
    else:
        needs = [frozenset([text])]
    return [split for need in needs for split in _without_controls(need)]


def _without_controls(need: frozenset[str]) -> Iterable[frozenset[str]]:
    """Without control codes, which no gram holds."""
    if len(need) == 1:
        parts = _CONTROL.split(next(iter(need)))
        yield from (frozenset([part]) for part in parts if _says_something(part))
        return
    longest = frozenset(max(_CONTROL.split(one), key=_size) for one in need)
    if all(map(_says_something, longest)):
        yield longest


def _size(literal: str) -> int:
    return len(literal.encode(errors="surrogatepass"))


def _says_something(literal: str) -> bool:
    return _size(literal) >= LITERAL_MIN


@dataclass
class _Part:
    """Part of an expression: the texts that it matches, if they are few, and what else it needs."""

    exact: frozenset[str] | None
    needs: Literals = field(default_factory=list)

    def all_needs(self) -> Literals:
        return [*self.needs, *_as_need(self.exact)]


def _as_need(exact: frozenset[str] | None) -> Literals:
    return [exact] if exact and all(map(_says_something, exact)) else []


_ANYTHING = _Part(None)
_EMPTY = _Part(_NOTHING)


class _Reader:
    """Reader of an expression, from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._depth = 0

    def read(self) -> _Part:
        part = self._alternatives()
        if self._at < len(self._text):
            raise _Unknown
        return part

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        self._at += 1
        if self._at > len(self._text):
            raise _Unknown
        return self._text[self._at - 1]

    def _matched(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        match = expression.match(self._text, self._at)
        if match:
            self._at = match.end()
        return match

    def _alternatives(self) -> _Part:
        branches = [self._sequence()]
        while self._next() == "|":
            self._at += 1
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else _one_of(branches)

    def _sequence(self) -> _Part:
        needs: Literals = []
        current, is_exact = _NOTHING, True
        while self._next() and self._next() not in "|)":
            part = self._repeated(self._item())
            joined = _joined(current, part.exact)
            if joined is not None:
                current = joined
                continue
            is_exact = False
            needs += [*_as_need(current), *part.needs]
            current = part.exact or _NOTHING
        if is_exact:
            return _Part(current)
        return _Part(None, [*needs, *_as_need(current)])

    def _item(self) -> _Part:
        character = self._take()
        match character:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case ".":
                return _ANYTHING
            case "^" | "$":
                return _EMPTY
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise _Unknown
        return _Part(frozenset([character]))

    def _group(self) -> _Part:
        if self._next() == "?" and not self._matched(_GROUP):
            raise _Unknown
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _Unknown
        part = self._alternatives()
        self._depth -= 1
        if self._take() != ")":
            raise _Unknown
        return part

    def _escape(self) -> _Part:
        if (match := self._matched(_HEX)) is not None:
            return _of_number(int(match[1] or match[2], 16))
        character = self._take()
        if character in _CLASSES:
            return _ANYTHING
        if character in _BORDERS:
            return _EMPTY
        if character in _WRITTEN:
            return _Part(frozenset([_WRITTEN[character]]))
        if character.isalnum() or not character.isascii():
            raise _Unknown
        return _Part(frozenset([character]))

    def _class(self) -> _Part:
        excludes = self._next() == "^"
        self._at += excludes
        members: set[str] | None = set()
        is_first = True
        while is_first or self._next() != "]":
            is_first = False
            if self._text.startswith("[:", self._at):
                raise _Unknown
            low = self._member()
            high = low
            if self._next() == "-" and self._text[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                high = self._member()
            if low is None or high is None or ord(high) - ord(low) >= CLASS_MAX:
                members = None
            elif members is not None:
                members |= {chr(code) for code in range(ord(low), ord(high) + 1)}
        self._at += 1
        if excludes or members is None or len(members) > CLASS_MAX:
            return _ANYTHING
        return _Part(frozenset(members))

    def _member(self) -> str | None:
        """A character of a class; None for several."""
        character = self._take()
        if character != "\\":
            return character
        exact = self._escape().exact
        return None if exact is None else next(iter(exact)) or self._backspace()

    def _backspace(self) -> str:
        raise _Unknown  # a border, which is none within a class

    def _repeated(self, part: _Part) -> _Part:
        least, most = 1, 1
        match self._next():
            case "*":
                least, most = 0, 2
            case "+":
                least, most = 1, 2
            case "?":
                least, most = 0, 1
            case "{" if (match := self._matched(_REPEAT)) is not None:
                least = int(match[1])
                most = least if match[2] is None else int(match[3]) if match[3] else least + 2
                self._at -= 1
            case _:
                return part
        self._at += 1
        if self._next() == "?":
            self._at += 1
        return _times(part, least, most)


def _of_number(code: int) -> _Part:
    # Beyond ASCII it is a byte or a letter, as the rest of the expression decides.
    return _Part(frozenset([chr(code)])) if code < 128 else _ANYTHING


def _joined(first: frozenset[str], second: frozenset[str] | None) -> frozenset[str] | None:
    """Each of these with each of those after it, if they are few and short."""
    if second is None or len(first) * len(second) > ALTERNATIVES_MAX:
        return None
    if max(map(len, first)) + max(map(len, second), default=0) > LENGTH_MAX:
        return None
    return frozenset(one + other for one in first for other in second)


def _one_of(branches: list[_Part]) -> _Part:
    texts = [part.exact for part in branches if part.exact is not None]
    every = frozenset[str]().union(*texts)
    if len(texts) == len(branches) and len(every) <= ALTERNATIVES_MAX:
        return _Part(every)
    chosen = frozenset[str]()
    for part in branches:
        needs = part.all_needs()
        if not needs:
            return _ANYTHING
        chosen |= max(needs, key=lambda need: min(map(_size, need)))
    return _Part(None, [chosen])


def _times(part: _Part, least: int, most: int) -> _Part:
    """A part that comes so many times; `most` may be less than what is allowed."""
    if (least, most) == (0, 1):
        exact = part.exact
        return _Part(exact | _NOTHING) if exact and len(exact) < ALTERNATIVES_MAX else _ANYTHING
    if least == 0:
        return _ANYTHING if most else _EMPTY
    if least == most:
        whole: frozenset[str] | None = _NOTHING
        for _ in range(min(least, LENGTH_MAX)):
            whole = None if whole is None else _joined(whole, part.exact)
        if whole is not None and least <= LENGTH_MAX:
            return _Part(whole)
    return _Part(None, part.all_needs())
