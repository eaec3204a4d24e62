"""Expressions of rules, which find the secret that is complete first, and its rule."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import re2

from .secret_forms import FILLER, LOOK_BACK, Rule, any_of, filled

_BEFORE: Final = (
    rb"(?:\b|[0-9_\x80-\xff]|\\{1,4}[nrtbf]|%[0-9A-Fa-f]{2}"
    rb"|\\{1,2}u[0-9A-Fa-f]{4}|\\{1,2}x[0-9A-Fa-f]{2})"
)
"""Beginning of a word: not after a letter, except one that ends an escape."""
_MEMORY: Final = 64 * 1024 * 1024
"""Maximum memory of an expression for its automaton's states, in bytes."""


class FoundSecret(NamedTuple):
    """Complete secret; secrets are ordered by the place at which they are complete."""

    end: int
    begin: int
    start: int
    """Start of its mask, which ends at `stop`."""
    stop: int
    rule: Rule


class Expression:
    """Expression that combines several rules."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = list(rules)
        own = any(rule.own for rule in rules)
        wholes = [_whole(rule) for rule in rules]
        self._compiled = compiled(any_of(wholes), never_nl=own, captures=False)
        self.search = self._compiled.search
        """Search for the leftmost complete secret, like `search` of `re`."""
        self._wholes, self._own = wholes, own
        self._each: dict[int, Any] = {}

    @functools.cached_property
    def _which(self) -> Any:
        """Which of them a secret is; most programs find none."""
        which = re2.Set.FullMatchSet(_options(self._own, captures=False))
        for whole in self._wholes:
            which.Add(whole)
        which.Compile()
        return which

    def first(self, view: bytearray, position: int) -> FoundSecret | None:
        """Return the secret that begins at or after a position and is complete first."""
        while found := self.search(view, position):
            while shorter := self.search(view, found.start(), found.end() - 1):
                found = shorter
            if found.end() - found.start() <= LOOK_BACK:
                return self._found(view, *found.span())
            position = found.start() + 1
        return None

    def at(self, view: bytearray, position: int) -> FoundSecret | None:
        """Return the secret that begins exactly at a position."""
        found = self._compiled.match(view, position)
        while found and (shorter := self._compiled.match(view, position, found.end() - 1)):
            found = shorter
        if found is None or found.end() - position > LOOK_BACK:
            return None
        return self._found(view, position, found.end())

    def _found(self, view: bytearray, begin: int, end: int) -> FoundSecret:
        part = bytes(view[begin:end])
        # Its rule does not depend on the text before.
        index = min(self._which.Match(part))
        if index not in self._each:
            self._each[index] = compiled(self._wholes[index], never_nl=self._own)
        found = self._each[index].fullmatch(part)
        groups = [found.span(n) for n in range(1, found.re.groups + 1)]
        start, stop = next((span for span in groups if span[0] >= 0), (0, 0))
        if start >= stop:
            start, stop = 0, len(part)
        return FoundSecret(end, begin, begin + start, begin + stop, self._rules[index])


class Cursor:
    """Cursor to the next secret of one expression, in a view that is masked from start to end."""

    def __init__(self, expression: Expression, view: bytearray, position: int) -> None:
        self._expression, self._view = expression, view
        self.found = expression.first(view, position)

    def advance(self, position: int) -> None:
        """Move to a position; everything before it is settled, and the byte before it may have been
        masked."""
        if self.found is not None and self.found.begin < position:
            self.found = self._expression.first(self._view, position)
        elif here := self._expression.at(self._view, position):
            self.found = min(here, self.found) if self.found else here


def begins_of(rule: Rule, literals: Iterable[bytes]) -> bytes:
    """Return the expression for a rule's beginning, given these literals."""
    return begins_with(literals, rule.ignore_case, rule.apart)


def begins_with(literals: Iterable[bytes], ignore_case: bool, apart: bool) -> bytes:
    """Return the expression for one of these literals."""
    found = any_of(map(_literal, sorted(literals, reverse=True)))
    found = b"(?i:%s)" % found if ignore_case else found
    return _BEFORE + found if apart else found


def parts_of(rule: Rule) -> set[bytes]:
    """Return the incomplete beginnings of a rule."""
    return {begins[:n] for begins in rule.begins for n in range(1, len(begins))}


def compiled(expression: bytes, *, never_nl: bool = False, captures: bool = True) -> Any:
    """Return a compiled expression over bytes."""
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


_ESCAPED: Final = [re2.escape(bytes([byte])) for byte in range(256)]


def _literal(literal: bytes) -> bytes:
    return FILLER.join([_ESCAPED[byte] for byte in literal])
