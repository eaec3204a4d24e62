"""Places of a pattern, by which a signature alone shows whether its text may match."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .grams import query_places
from .literals import ignores_case, is_ascii_only, literals_of


@dataclass(frozen=True, slots=True)
class PatternPlaces:
    """Places that are marked for every text in which a pattern matches.

    Such a text contains one alternative of each of `needs`, with all of its places.
    """

    needs: tuple[tuple[tuple[int, ...], ...], ...]

    @classmethod
    def of(cls, text: str, *, regex: bool = False, ignore_case: bool = False) -> PatternPlaces:
        """Return the places of a valid pattern; none if it has no grams."""
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
        """All places."""
        return {place for need in self.needs for places in need for place in places}

    def some(self, most: int) -> set[int]:
        """Return at most `most` places of each alternative, evenly distributed."""
        return {
            place
            for need in self.needs
            for places in need
            for place in places[:: -(-len(places) // most)]
        }

    def columns(self, row: Callable[[int], int], every: int) -> int:
        """Return the parts that may match as a bit mask, out of the mask `every`; `row` returns the
        mask of the parts with a place."""
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
