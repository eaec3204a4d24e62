"""Runs in turn, medians, and how much they scatter."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Run = Callable[[], float]
"""One run of a contestant; the seconds that it took, as it counts them."""


class Figure(NamedTuple):
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    def shown(self, digits: int = 2) -> str:
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}–{self.high:.{digits}f})"


class Finding(NamedTuple):
    """A row of the table. `reached` is None where there is no goal."""

    database: str
    case: str
    goal: str
    measured: str
    reached: bool | None
    note: str = ""


def interleaved(contestants: Mapping[str, Run], *, rounds: int) -> dict[str, list[float]]:
    """Run all in turn, so often: whatever slows the machine down slows all of them down.

    A first round does not count: caches, connections, imports.
    """
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        # Every other round the other way round, so that nobody always comes after the same one.
        order = list(contestants) if turn % 2 else list(reversed(contestants))
        for name in order:
            seconds = contestants[name]()
            if turn:
                taken[name].append(seconds)
    return taken


def figure(values: Sequence[float]) -> Figure:
    if len(values) < 2:
        return Figure(values[0], values[0], values[0])
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return Figure(middle, low, high)


def ratio(numbers: Sequence[float], to: Sequence[float]) -> Figure:
    """Of runs that were made side by side: the ratio of each pair."""
    return figure([a / b for a, b in zip(numbers, to, strict=True)])
