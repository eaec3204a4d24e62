"""Texts that a part of an expression matches, if they are few; the basis of literals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

LITERAL_MIN = 3
"""Minimum bytes of a literal; a shorter one is not looked up."""
LENGTH_MAX = 200

Literals = list[frozenset[str]]
"""Sets of alternatives: every matching text contains one alternative of each set."""
NOTHING = frozenset([""])


class Limits(NamedTuple):
    """Maximum members of a class, and maximum alternatives."""

    members: int
    alternatives: int


@dataclass(frozen=True)
class MatchedTexts:
    """All texts that a part matches, or what they have in common if they are not few."""

    exact: frozenset[str] | None
    """All of the texts; None if they are not few."""
    needs: Literals = field(default_factory=list)
    first: frozenset[str] = NOTHING
    last: frozenset[str] = NOTHING
    """If they are not few: each begins with one of `first` and ends with one of `last`."""

    @property
    def beginnings(self) -> frozenset[str]:
        """Alternatives with which each of them begins."""
        return self.first if self.exact is None else self.exact

    @property
    def ends(self) -> frozenset[str]:
        """Alternatives with which each of them ends."""
        return self.last if self.exact is None else self.exact

    def all_needs(self) -> Literals:
        """Return the literals of a text that contains one of them."""
        return [*self.needs, *_as_need(self.exact or NOTHING)]


ANYTHING = MatchedTexts(None)
EMPTY = MatchedTexts(NOTHING)


def size_of(literal: str) -> int:
    """Return the size of a literal in bytes."""
    return len(literal.encode(errors="surrogatepass"))


def says_something(literal: str) -> bool:
    """Return whether a literal is long enough to be looked up."""
    return size_of(literal) >= LITERAL_MIN


def in_sequence(parts: list[MatchedTexts], limits: Limits) -> MatchedTexts:
    """Return the texts that consecutive parts match."""
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
    """Return the texts that one of several parts matches."""
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
    """Return the texts of a repeated part; `most` may be less than the expression allows."""
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
    """Return each of the first texts joined with each of the second; None if they are too many or
    too long."""
    if len(first) * len(second) > limits.alternatives:
        return None
    if max(map(len, first), default=0) + max(map(len, second), default=0) > LENGTH_MAX:
        return None
    return frozenset(one + other for one in first for other in second)
