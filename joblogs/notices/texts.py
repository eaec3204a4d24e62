"""New texts to search by many patterns, joined into one text where possible."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from joblogs.search import Pattern, occurs
from joblogs.search.terminal_readings import is_coded


class Place(NamedTuple):
    """NamedTuple of a range of a host result's log: bytes [start, stop)."""

    result: int
    start: int
    stop: int


class Texts:
    """Texts of whole lines, with their places.

    Texts in ASCII without terminal codes are joined and searched at once, because most of the time
    of a search is spent per call.
    """

    def __init__(
        self, texts: Iterable[tuple[Place, bytes]], *, out_of_reach: Sequence[Place] = ()
    ) -> None:
        """`out_of_reach`: places whose texts cannot be read now."""
        self._out_of_reach = out_of_reach
        self._plain: list[Place] = []
        self._others: list[tuple[Place, bytes]] = []
        parts: list[bytes] = []
        self._all: list[tuple[Place, bytes]] = []
        for place, data in texts:
            self._all.append((place, data))
            if data.isascii() and b"\r" not in data and not is_coded(data):
                self._plain.append(place)
                parts.append(data if data.endswith(b"\n") else data + b"\n")
            else:
                self._others.append((place, data))
        self._joined = b"".join(parts)
        self._starts = list(accumulate(map(len, parts), initial=0))

    def holding(self, pattern: Pattern) -> Iterator[Place]:
        """Yield the places whose texts match a pattern, and those out of reach, which may match."""
        yield from self._out_of_reach
        if not pattern.is_of_lines:
            yield from (place for place, data in self._all if occurs(pattern, [data]))
            return
        position = 0
        while position < len(self._joined) and (span := pattern.find(self._joined, position)):
            if span[0] >= len(self._joined):
                break
            index = bisect_right(self._starts, span[0]) - 1
            yield self._plain[index]
            position = self._starts[index + 1]
        yield from (place for place, data in self._others if occurs(pattern, [data]))
