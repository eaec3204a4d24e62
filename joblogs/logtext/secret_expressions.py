"""Expressions of rules: where a text holds a secret that is fulfilled first, and by which rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import re2

from .secret_forms import FILLER, LOOK_BACK, Rule, any_of, filled

_BEFORE: Final = (
    rb"(?:\b|[0-9_\x80-\xff]|\\{1,4}[nrtbf]|%[0-9A-Fa-f]{2}"
    rb"|\\{1,2}u[0-9A-Fa-f]{4}|\\{1,2}x[0-9A-Fa-f]{2})"
)
"""Where a word begins: behind no letter, but for one that ends an escape."""
_MEMORY: Final = 64 * 1024 * 1024
"""Bytes that an expression may take for what it learned of texts."""


class Found(NamedTuple):
    """A secret that is fulfilled; the one that is so first comes first."""

    end: int
    begin: int
    start: int
    """Where its mask starts; it stops at `stop`."""
    stop: int
    rule: Rule


class Expression:
    """Some rules as one expression."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = list(rules)
        own = any(rule.own for rule in rules)
        wholes = [_whole(rule) for rule in rules]
        self._compiled = compiled(any_of(wholes), never_nl=own, captures=False)
        self.search = self._compiled.search
        """The leftmost secret, if any is fulfilled: as `search` of `re` does."""
        self._wholes, self._own = wholes, own
        self._each: dict[int, Any] = {}
        self._which = re2.Set.FullMatchSet(_options(own, captures=False))
        for whole in wholes:
            self._which.Add(whole)
        self._which.Compile()

    def first(self, view: bytearray, position: int) -> Found | None:
        """Of the secrets that begin at or after a position the one that is fulfilled first."""
        while found := self.search(view, position):
            while shorter := self.search(view, found.start(), found.end() - 1):
                found = shorter
            if found.end() - found.start() <= LOOK_BACK:
                return self._found(view, *found.span())
            position = found.start() + 1
        return None

    def at(self, view: bytearray, position: int) -> Found | None:
        """The secret that begins right here."""
        found = self._compiled.match(view, position)
        while found and (shorter := self._compiled.match(view, position, found.end() - 1)):
            found = shorter
        if found is None or found.end() - position > LOOK_BACK:
            return None
        return self._found(view, position, found.end())

    def _found(self, view: bytearray, begin: int, end: int) -> Found:
        part = bytes(view[begin:end])
        # Which of them it is does not depend on what stands before.
        index = min(self._which.Match(part))
        if index not in self._each:
            self._each[index] = compiled(self._wholes[index], never_nl=self._own)
        found = self._each[index].fullmatch(part)
        groups = [found.span(n) for n in range(1, found.re.groups + 1)]
        start, stop = next((span for span in groups if span[0] >= 0), (0, 0))
        if start >= stop:
            start, stop = 0, len(part)
        return Found(end, begin, begin + start, begin + stop, self._rules[index])


class Cursor:
    """The next secret of one expression in a view that is masked from its beginning on."""

    def __init__(self, expression: Expression, view: bytearray, position: int) -> None:
        self._expression, self._view = expression, view
        self.found = expression.first(view, position)

    def advance(self, position: int) -> None:
        """All before this position is settled, and the byte before it may be masked by now."""
        if self.found is not None and self.found.begin < position:
            self.found = self._expression.first(self._view, position)
        elif here := self._expression.at(self._view, position):
            self.found = min(here, self.found) if self.found else here


def begins_of(rule: Rule, literals: Iterable[bytes]) -> bytes:
    """An expression of how a rule begins."""
    return begins_with(literals, rule.ignore_case, rule.apart)


def begins_with(literals: Iterable[bytes], ignore_case: bool, apart: bool) -> bytes:
    """An expression of some literals."""
    found = any_of(map(_literal, sorted(literals, reverse=True)))
    found = b"(?i:%s)" % found if ignore_case else found
    return _BEFORE + found if apart else found


def parts_of(rule: Rule) -> set[bytes]:
    """What a text ends with when only a part of how the rule begins has come."""
    return {begins[:n] for begins in rule.begins for n in range(1, len(begins))}


def compiled(expression: bytes, *, never_nl: bool = False, captures: bool = True) -> Any:
    """An expression over bytes, made ready."""
    return re2.compile(expression, _options(never_nl, captures=captures))


def _options(never_nl: bool, *, captures: bool) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.never_nl = never_nl
    options.never_capture = not captures
    options.max_mem = _MEMORY
    return options


def _whole(rule: Rule) -> bytes:
    then = filled(rule.then)
    then = b"(?i:%s)" % then if rule.ignore_case else then
    if not rule.key and b"(" not in rule.then.replace(b"(?", b"").replace(rb"\\(", b""):
        then = b"(%s)" % then
    return begins_of(rule, rule.begins) + then


def _literal(literal: bytes) -> bytes:
    parts = [re2.escape(literal[n : n + 1]) for n in range(len(literal))]
    return FILLER.join(parts)
