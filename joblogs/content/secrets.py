"""Secrets in what jobs print: found as the text arrives, masked byte by byte.

A mask replaces each byte by an asterisk and leaves newlines, so lengths, offsets and lines stay
what they were. What is masked depends on the text alone, never on how it was cut: read byte by
byte, a text is masked as soon as a secret is one, and then for as long as its class goes on; a
masked byte is a border that no later secret crosses. So all that must be remembered between two
runs is whether a mask is still open and how many bytes at the end may begin a secret.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import re2

from .chunks import Range, union
from .secret_rules import LOOK_BACK, RULES, Rule

__all__ = ["LOOK_BACK", "RULES", "Masks", "Rule", "Secrets", "State", "cover", "secrets_of"]

RANGES_KEPT, RANGES_APART = 500, 1024 * 1024
"""So many masked ranges are kept as they are; further ones that are closer than that are one."""

_BORDER, _STAR = b"\n", b"*"
"""What a masked byte looks like to the rules, and to readers."""
_STARS = bytes(byte if byte in b"\r\n" else ord(_STAR) for byte in range(256))


class State(NamedTuple):
    """What is remembered of the end of a text; that of a text that begins is `State()`."""

    unsettled: int = 0
    """Bytes at the end that may begin a secret: the next run must see them, and the one before."""
    masking: str = ""
    """Or: the rule whose mask goes on."""
    begun: bytes = b""
    """Or, and by far the most often: the end is no more than this part of how a rule begins. It is
    remembered itself, because it tells nothing, and the next run needs not see the text for it."""

    @property
    def size(self) -> int:
        """Bytes at the end that the next run begins with."""
        return self.unsettled or len(self.begun)


@dataclass(slots=True)
class Masks:
    """What a run came to. Ranges count from the beginning of the text it was given."""

    ranges: list[Range] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)
    state: State = State()

    @property
    def places(self) -> int:
        """Secrets found; one that only goes on was counted before."""
        return sum(self.found.values())


class Secrets:
    """Some rules, ready to be used."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        kinds = ([r for r in rules if r.lines], [r for r in rules if not r.lines])
        self._expressions = [_Expression(kind) for kind in kinds if kind]
        self._more = {
            rule.name: _compiled(rule.more + b"*", never_nl=not rule.lines)
            for rule in rules
            if rule.more
        }
        whole = {rule: _begins(rule, rule.begins) + b"(%s*)" % rule.within for rule in rules}
        partial = [_begins(rule, _parts(rule)) for rule in rules]
        parts = {part for rule in rules for part in _parts(rule)}
        self._begun = parts | {part.lower() for part in parts}
        in_line = [expression for rule, expression in whole.items() if not rule.lines]
        self._cut = _compiled(_any(whole.values()) + rb"\z")
        self._unsettled = _compiled(_any([*whole.values(), *partial]) + rb"\z")
        self._unsettled_line = _compiled(_any([*in_line, *partial]) + rb"\z")
        self._lines = _shortest(begins for rule in rules if rule.lines for begins in rule.begins)
        apart = [rule for rule in rules if rule.apart]
        starts = [_begins(rule, rule.begins) for rule in apart]
        partial = [_begins(rule, _parts(rule)) + rb"\z" for rule in apart]
        self._starts = _compiled(_any([*starts, *partial]))
        firsts = {begins[:1] for rule in apart for begins in rule.begins}
        self._firsts = frozenset(b"".join(first.lower() + first.upper() for first in firsts))

    def __bool__(self) -> bool:
        return bool(self.rules)

    def goes_on(self, rule: str) -> bool:
        """Whether a mask of a rule of this name may go on with what comes next."""
        return rule in self._more

    def absent(self, text: bytes | bytearray) -> bool:
        """Whether no secret is fulfilled within a text: one pass over it."""
        return not any(expression.search(text) for expression in self._expressions)

    def needs_context(self, text: bytes | bytearray) -> bool:
        """Whether the byte before a text decides about what the text begins with."""
        # Its first byte tells nearly always, and costs next to nothing.
        return bool(text) and text[0] in self._firsts and self._starts.match(text) is not None

    def state(self, text: bytes | bytearray, position: int = 0) -> State:
        """The state at the end of a text that holds no secret at or after a position."""
        position = max(position, len(text) - LOOK_BACK)
        lines = any(text.find(begins, position) >= 0 for begins in self._lines)
        if not lines and text.endswith(b"\n"):
            return State()
        # Read from its end, a text without such a beginning is settled by its last newline.
        found = (self._unsettled if lines else self._unsettled_line).search(text, position)
        if found is None:
            return State()
        begun = bytes(text[found.start() :])
        if begun.lower() in self._begun or begun in self._begun:
            return State(begun=begun)
        return State(len(begun))

    def mask(
        self,
        text: bytearray,
        *,
        start: int = 0,
        masking: str = "",
        masked: Iterable[Sequence[int]] = (),
    ) -> Masks:
        """Mask a text in place: what was unsettled, from `start` on, and what is new.

        Before it stands at most the one byte of context. `masking` is that of the state, `masked`
        are ranges of the text that are masked already.
        """
        masks, position, view = Masks(), start, bytearray(text)
        for begin, stop in masked:
            view[begin:stop] = view[begin:stop].replace(_STAR, _BORDER)
        if masking in self._more:
            position = self._put(text, view, masks, start, self._end(masking, view, start))
            masks.state = State(masking=masking)
        cursors = [_Cursor(expression, view, position) for expression in self._expressions]
        while found := min((c.found for c in cursors if c.found), default=None):
            start, position, rule = found.start, found.stop, found.rule
            masks.state = State()
            if text[start:position].strip(b"*\r\n"):
                if position == found.end and rule.more:
                    position = self._end(rule.name, view, position)
                    masks.state = State(masking=rule.name)
                masks.found[rule.name] = masks.found.get(rule.name, 0) + 1
                self._put(text, view, masks, start, position)
            else:
                # Whoever printed it has masked it already.
                view[start:position] = _BORDER * (position - start)
            for cursor in cursors:
                cursor.advance(position)
        if not masks.state.masking or position < len(text):
            masks.state = self.state(view, position)
        return masks

    def cut(self, text: bytearray, *, start: int = 0) -> Masks:
        """Mask what may be the first part of a secret whose rest is never kept."""
        masks = Masks()
        found = self._cut.search(text, max(start, len(text) - LOOK_BACK))
        if found is not None:
            begins = max(found.start(n) for n in range(1, len(self.rules) + 1))
            if begins < len(text):
                self._put(text, bytearray(text), masks, begins, len(text))
                masks.found["cut"] = 1
        return masks

    def _end(self, rule: str, view: bytearray, position: int) -> int:
        end: int = self._more[rule].match(view, position).end()
        return end

    @staticmethod
    def _put(text: bytearray, view: bytearray, masks: Masks, start: int, stop: int) -> int:
        if start < stop:
            text[start:stop] = text[start:stop].translate(_STARS)
            view[start:stop] = _BORDER * (stop - start)
            masks.ranges.append((start, stop))
        return stop


class _Found(NamedTuple):
    """A secret that is fulfilled; the one that is so first comes first."""

    end: int
    begin: int
    start: int
    """Where its mask starts; it stops at `stop`."""
    stop: int
    rule: Rule


class _Expression:
    """Some rules as one expression: each is two groups, all of it and what is masked of it."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = list(rules)
        # What stands at memory speed before an expression that few texts need.
        begins = _shortest(b for rule in rules for b in rule.begins)
        self._literals = begins if rules[0].lines else None
        self._compiled = _compiled(
            _any(b"(%s)" % _then(rule) for rule in rules), never_nl=not rules[0].lines
        )

    def search(self, view: bytes | bytearray, position: int = 0, end: int | None = None) -> Any:
        """The leftmost secret, if any is fulfilled."""
        if self._literals and not any(view.find(b, position) >= 0 for b in self._literals):
            return None
        return self._compiled.search(view, position, end)

    def first(self, view: bytearray, position: int) -> _Found | None:
        """Of the secrets that begin at or after a position the one that is fulfilled first."""
        while found := self.search(view, position):
            while shorter := self.search(view, found.start(), found.end() - 1):
                found = shorter
            if found.end() - found.start() <= LOOK_BACK:
                return self._found(view, found)
            position = found.start() + 1
        return None

    def at(self, view: bytearray, position: int) -> _Found | None:
        """The secret that begins right here."""
        found = self._compiled.match(view, position)
        while found and (shorter := self._compiled.match(view, position, found.end() - 1)):
            found = shorter
        if found is None or found.end() - position > LOOK_BACK:
            return None
        return self._found(view, found)

    def _found(self, view: bytearray, found: Any) -> _Found:
        # As it was when the text came just so far.
        found = self._compiled.match(view, found.start(), found.end())
        index = next(n for n in range(len(self._rules)) if found.start(2 * n + 1) >= 0)
        start, stop = found.span(2 * index + 2)
        if start >= stop:
            start, stop = found.span()
        return _Found(found.end(), found.start(), start, stop, self._rules[index])


class _Cursor:
    """The next secret of one expression in a view that is masked from its beginning on."""

    def __init__(self, expression: _Expression, view: bytearray, position: int) -> None:
        self._expression, self._view = expression, view
        self.found = expression.first(view, position)

    def advance(self, position: int) -> None:
        """All before this position is settled, and the byte before it may be masked by now."""
        if self.found is not None and self.found.begin < position:
            self.found = self._expression.first(self._view, position)
        elif here := self._expression.at(self._view, position):
            self.found = min(here, self.found) if self.found else here


def cover(ranges: Iterable[Sequence[int]], more: Iterable[Range]) -> list[Range]:
    """Masked ranges and further ones, of which a log may have very many, as at most a few."""
    result: list[Range] = []
    for start, stop in union([*((start, stop) for start, stop in ranges), *more]):
        if len(result) >= RANGES_KEPT and start - result[-1][1] < RANGES_APART:
            result[-1] = (result[-1][0], stop)
        else:
            result.append((start, stop))
    return result


@functools.lru_cache(maxsize=8)
def secrets_of(rules: tuple[Rule, ...]) -> Secrets:
    """These rules, made ready once."""
    return Secrets(rules)


def _then(rule: Rule) -> bytes:
    then = rule.then if _has_group(rule.then) else b"(%s)" % rule.then
    then = b"(?i:%s)" % then if rule.ignore_case else then
    return _begins(rule, rule.begins) + then


def _shortest(literals: Iterable[bytes]) -> list[bytes]:
    """Those without which none of the literals is in a text: not those that begin with another."""
    every = set(literals)
    return [one for one in every if not any(one != o and one.startswith(o) for o in every)]


def _has_group(expression: bytes) -> bool:
    return bool(_compiled(expression).groups)


def _parts(rule: Rule) -> set[bytes]:
    """What a text ends with when only a part of how the rule begins has come."""
    return {begins[:n] for begins in rule.begins for n in range(1, len(begins))}


def _begins(rule: Rule, literals: Iterable[bytes]) -> bytes:
    found = _any(sorted(map(re2.escape, literals), reverse=True))
    found = b"(?i:%s)" % found if rule.ignore_case else found
    return rb"\b" + found if rule.apart else found


def _any(expressions: Iterable[bytes]) -> bytes:
    return b"(?:%s)" % b"|".join(expressions)


def _compiled(expression: bytes, *, never_nl: bool = False) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.never_nl = never_nl
    return re2.compile(expression, options)
