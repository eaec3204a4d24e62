"""Literals that a text has to contain for a pattern to match in it.

Expressions are parsed by RE2's grammar. If any of an expression is not known here, the whole
expression has no literals.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable

from .matched_texts import (
    ANYTHING,
    EMPTY,
    LITERAL_MIN,
    Limits,
    Literals,
    MatchedTexts,
    in_sequence,
    one_of,
    repeated,
    says_something,
    size_of,
)

__all__ = ["LITERAL_MIN", "Literals", "ignores_case", "is_ascii_only", "literals_of"]

FEW = Limits(members=4, alternatives=16)
MANY = Limits(members=16, alternatives=256)
"""Limits for an expression that has no literals within FEW: each alternative is looked up."""
DEPTH_MAX = 20
"""Maximum nesting of groups; an expression with more is not parsed."""

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_CLASSES, _BORDERS = "DsSwWC", "AzbB"
_WRITTEN = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_REPEAT = re.compile(r"\{(0|[1-9]\d{0,3})(?:(,)(0|[1-9]\d{0,3})?)?\}", re.ASCII)
"""Braces around a number with a leading zero are literal."""
_GROUP = re.compile(r"\?(?:[imsU-]*:|P?<\w+>)")
_FLAGS = re.compile(r"\?[imsU-]*\)")
_IGNORES_CASE = re.compile(r"\(\?[msU]*i[imsU-]*[:)]")
_BEYOND_ASCII = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?:[pP]|x\{0*[1-9A-Fa-f][0-9A-Fa-f]{2}|[4-7][0-7]{2})"
)
_NUMBER = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})|(0[0-7]{0,2}|[1-7][0-7]{1,2})")
_PROPERTY = re.compile(r"[pP](?:[A-Za-z]|\{[^{}]*\})")
_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")
_QUOTED = re.compile(r"(\\[^Q])|\\Q(.*?)(?:\\E|\Z)", re.DOTALL)


class _Unknown(Exception):
    """An expression has syntax that is not known here."""


def is_ascii_only(text: str, *, regex: bool = False) -> bool:
    """Return whether a pattern has no letter beyond ASCII, neither literally nor, in an expression,
    by number or class. For such a pattern, each byte of a text is a character."""
    return text.isascii() and not (regex and _BEYOND_ASCII.search(text))


def ignores_case(expression: str) -> bool:
    """Return whether an expression may have a flag that ignores case."""
    return _IGNORES_CASE.search(expression) is not None


def literals_of(text: str, *, regex: bool = False) -> Literals:
    """Return the literals of a valid pattern; none if nothing is known. The case of their ASCII
    letters has no meaning."""
    if not regex:
        return list(_without_controls(frozenset([text])))
    for limits in (FEW, MANY):
        try:
            needs = _Reader(text, limits).read().all_needs()
        except _Unknown:
            return []
        literals = [split for need in dict.fromkeys(needs) for split in _without_controls(need)]
        if literals:
            return literals
    return []


def _without_controls(need: frozenset[str]) -> Iterable[frozenset[str]]:
    """Yield a need without control codes, which are in no gram."""
    if len(need) == 1:
        parts = _CONTROL.split(next(iter(need)))
        yield from (frozenset([part]) for part in parts if says_something(part))
        return
    longest = frozenset(max(_CONTROL.split(one), key=size_of) for one in need)
    if all(map(says_something, longest)):
        yield longest


class _Reader:
    """Parser of an expression."""

    def __init__(self, text: str, limits: Limits) -> None:
        self._text, self._at = _QUOTED.sub(_unquoted, text), 0
        self._limits = limits
        self._depth = 0

    def read(self) -> MatchedTexts:
        """Return the texts that the expression matches. Raises _Unknown."""
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

    def _alternatives(self) -> MatchedTexts:
        branches = [self._sequence()]
        while self._next() == "|":
            self._at += 1
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else one_of(branches, self._limits)

    def _sequence(self) -> MatchedTexts:
        parts = []
        while self._next() and self._next() not in "|)":
            parts.append(self._repeated(self._item()))
        return in_sequence(parts, self._limits)

    def _item(self) -> MatchedTexts:
        character = self._take()
        match character:
            case "(":
                return EMPTY if self._matched(_FLAGS) else self._group()
            case "[":
                return self._class()
            case ".":
                return ANYTHING
            case "^" | "$":
                return EMPTY
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise _Unknown
        return MatchedTexts(frozenset([character]))

    def _group(self) -> MatchedTexts:
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

    def _escape(self) -> MatchedTexts:
        if (match := self._matched(_NUMBER)) is not None:
            return _of_number(int(match[3], 8) if match[3] else int(match[1] or match[2], 16))
        if self._matched(_PROPERTY):
            return ANYTHING
        character = self._take()
        if character == "d":
            return self._one_of_few(set(string.digits))
        if character in _CLASSES:
            return ANYTHING
        if character in _BORDERS:
            return EMPTY
        if character in _WRITTEN:
            return MatchedTexts(frozenset([_WRITTEN[character]]))
        if character.isalnum() or not character.isascii():
            raise _Unknown
        return MatchedTexts(frozenset([character]))

    def _class(self) -> MatchedTexts:
        excludes = self._next() == "^"
        self._at += excludes
        members: set[str] | None = set()
        is_first = True
        while is_first or self._next() != "]":
            is_first = False
            low = self._member()
            high = low
            if self._next() == "-" and self._text[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                high = self._member()
            if low is None or high is None or ord(high) - ord(low) >= 2 * self._limits.members:
                members = None
            elif members is not None:
                members |= {_folded(chr(code)) for code in range(ord(low), ord(high) + 1)}
        self._at += 1
        return ANYTHING if excludes or members is None else self._one_of_few(members)

    def _one_of_few(self, members: set[str]) -> MatchedTexts:
        return ANYTHING if len(members) > self._limits.members else MatchedTexts(frozenset(members))

    def _member(self) -> str | None:
        """Return the next character of a class; None if it stands for several."""
        if self._text.startswith("[:", self._at):
            end = self._text.find(":]", self._at + 2)
            if end >= 0:
                self._at = end + 2
                return None
        character = self._take()
        if character != "\\":
            return character
        exact = self._escape().exact
        if exact == EMPTY.exact:
            raise _Unknown  # a word border, which has another meaning within a class
        return next(iter(exact)) if exact is not None and len(exact) == 1 else None

    def _repeated(self, part: MatchedTexts) -> MatchedTexts:
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
        return repeated(part, least, most, self._limits)


def _folded(character: str) -> str:
    return character.lower() if character.isascii() else character


def _of_number(code: int) -> MatchedTexts:
    # Beyond ASCII it is a byte or a letter, depending on the rest of the expression.
    return MatchedTexts(frozenset([chr(code)])) if code < 128 else ANYTHING


def _unquoted(match: re.Match[str]) -> str:
    """Return an escape unchanged, and a text between \\Q and \\E with escaped punctuation."""
    if match[1] is not None:
        return match[1]
    return _PUNCTUATION.sub(r"\\\g<0>", match[2])
