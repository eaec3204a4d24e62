"""Texts that a part of an expression matches, as far as they are few: what literals are read of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

LITERAL_MIN = 3
"""A shorter one, in bytes, says nothing."""
LENGTH_MAX = 200

Literals = list[frozenset[str]]
"""Of each of these some alternative is in whatever text matches."""
NOTHING = frozenset([""])


class Limits(NamedTuple):
    """How many members of a class, and how many alternatives, are few."""

    members: int
    alternatives: int


@dataclass(frozen=True)
class MatchedTexts:
    """All texts that a part matches; or, if those are not few, what they have in common."""

    exact: frozenset[str] | None
    needs: Literals = field(default_factory=list)
    first: frozenset[str] = NOTHING
    last: frozenset[str] = NOTHING
    """Of those that are not few: each begins with one of `first` and ends with one of `last`."""

    @property
    def beginnings(self) -> frozenset[str]:
        """What one of them begins with."""
        return self.first if self.exact is None else self.exact

    @property
    def ends(self) -> frozenset[str]:
        """What one of them ends with."""
        return self.last if self.exact is None else self.exact

    def all_needs(self) -> Literals:
        """What whatever holds one of them holds."""
        return [*self.needs, *_as_need(self.exact or NOTHING)]


ANYTHING = MatchedTexts(None)
EMPTY = MatchedTexts(NOTHING)


def size_of(literal: str) -> int:
    """Its bytes."""
    return len(literal.encode(errors="surrogatepass"))


def says_something(literal: str) -> bool:
    """Whether it is long enough to be looked for."""
    return size_of(literal) >= LITERAL_MIN


def in_sequence(parts: list[MatchedTexts], limits: Limits) -> MatchedTexts:
    """Parts one after the other."""
    needs: Literals = []
    first: frozenset[str] | None = None
    current = NOTHING
    for part in parts:
        joined = _joined(current, part.beginnings, limits)
        if part.exact is not None and joined is not None:
            current = joined
            continue
        if joined is None:
            needs += _as_need(part.beginnings)
        start = current if joined is None else joined
        needs += [*_as_need(start), *part.needs]
        first = start if first is None else first
        current = part.ends
    if first is None:
        return MatchedTexts(current)
    return MatchedTexts(None, [*needs, *_as_need(current)], first, current)


def one_of(branches: list[MatchedTexts], limits: Limits) -> MatchedTexts:
    """One of several parts."""
    exact = [part.exact for part in branches if part.exact is not None]
    every = frozenset[str]().union(*exact)
    if len(exact) == len(branches) and len(every) <= limits.alternatives:
        return MatchedTexts(every)
    first = frozenset[str]().union(*(part.beginnings for part in branches))
    last = frozenset[str]().union(*(part.ends for part in branches))
    chosen = frozenset[str]()
    needs = [part.all_needs() for part in branches]
    if all(needs):
        chosen = chosen.union(*(max(own, key=_shortest) for own in needs))
    return MatchedTexts(
        None,
        [chosen] if chosen else [],
        first if len(first) <= limits.alternatives else NOTHING,
        last if len(last) <= limits.alternatives else NOTHING,
    )


def repeated(part: MatchedTexts, least: int, most: int, limits: Limits) -> MatchedTexts:
    """A part that comes so many times; `most` may be less than what is allowed."""
    if (least, most) == (0, 1):
        exact = part.exact
        if exact and len(exact) < limits.alternatives:
            return MatchedTexts(exact | NOTHING)
        return ANYTHING
    if least == 0:
        return ANYTHING if most else EMPTY
    if part.exact is None:
        return part
    whole, times = part.exact, 1
    while times < least and (longer := _joined(whole, part.exact, limits)) is not None:
        whole, times = longer, times + 1
    if times == least == most:
        return MatchedTexts(whole)
    return MatchedTexts(None, [], whole, whole)


def _as_need(texts: frozenset[str]) -> Literals:
    return [texts] if texts and all(map(says_something, texts)) else []


def _shortest(need: frozenset[str]) -> int:
    return min(map(size_of, need))


def _joined(first: frozenset[str], second: frozenset[str], limits: Limits) -> frozenset[str] | None:
    """Each of these with each of those after it, if they are few and short."""
    if len(first) * len(second) > limits.alternatives:
        return None
    if max(map(len, first), default=0) + max(map(len, second), default=0) > LENGTH_MAX:
        return None
    return frozenset(one + other for one in first for other in second)
