"""Places that a pattern asks for: whether a text may match is answered by its signature alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .grams import query_places
from .literals import ignores_case, is_ascii_only, literals_of


@dataclass(frozen=True, slots=True)
class PatternPlaces:
    """Places that are marked in every text in which a pattern matches.

    Of each of `needs` one alternative is in such a text, with all of its places.
    """

    needs: tuple[tuple[tuple[int, ...], ...], ...]

    @classmethod
    def of(cls, text: str, *, regex: bool = False, ignore_case: bool = False) -> PatternPlaces:
        """Those of a pattern that is valid; none if it asks for nothing that is marked."""
        is_ascii = is_ascii_only(text, regex=regex)
        in_any_case = ignore_case or (regex and ignores_case(text))
        needs = []
        for literals in literals_of(text, regex=regex):
            alternatives = tuple(
                tuple(query_places(literal, ignore_case=in_any_case, is_ascii=is_ascii))
                for literal in sorted(literals)
            )
            if all(alternatives):
                needs.append(alternatives)
        return cls(tuple(needs))

    @property
    def all(self) -> set[int]:
        """All of them."""
        return {place for need in self.needs for places in need for place in places}

    def some(self, most: int) -> set[int]:
        """So many of them at most of each alternative, from all over it."""
        return {
            place
            for need in self.needs
            for places in need
            for place in places[:: -(-len(places) // most)]
        }

    def columns(self, row: Callable[[int], int], every: int) -> int:
        """The parts that may match, each one a bit: of `every` one, by the row of a place."""
        left = every
        for need in self.needs:
            some = 0
            for places in need:
                these = left
                for place in places:
                    these &= row(place)
                some |= these
            left = some
        return left
