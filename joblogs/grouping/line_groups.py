"""Hosts in groups by which lines they printed.

Of hosts that printed many different things those come apart that miss a line of nearly all, or
have one that few have in a place where most have nothing of their own. So the number of groups is
bounded by the number of deviating lines, not by their combinations.
"""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .tables import Table

Array = npt.NDArray[Any]

VARIANTS = 6
"""As many different outputs of one outcome are a group each."""
FEW_HOSTS, SMALL_HOSTS = 6, 24
"""Fewer hosts are never compared by lines; with fewer, a variant may be had for each four."""
MISSING, RARE = 0.03, 0.1
"""Shares of hosts: a line is of nearly all but for so many; of so many it is rare."""
OWN_LINES, SAME_NUMBER = 0.5, 0.9
"""More hosts with lines of their own in one place are noise; if so many have as many of them, hosts
with another number deviate."""
KIND_LINES, KIND_SHARE, DEPTH = 3, 0.15, 3
"""As many lines, and such a part of a log, that come and go together are two kinds of hosts."""


class Why(StrEnum):
    """What sets a group apart."""

    VARIANT = "variant"
    """Its lines, as a whole."""
    EXTRA = "extra"
    """A line that few have."""
    MISSING = "missing"
    """It lacks a line of nearly all."""
    PLACE = "place"
    """A line of its own, or another number of them, in a place."""
    VALUES = "values"
    """A value that is an outlier in its place."""


class Part(NamedTuple):
    """Rows of some hosts, and what sets them apart: hashes of the lines in question."""

    why: Why
    lines: tuple[int, ...]
    hosts: Array


class _Deviation(NamedTuple):
    """How a host deviates: the share of hosts that do so, and by what."""

    share: float
    why: Why
    line: int


def by_sequence(table: Table, hosts: Array) -> list[Array]:
    """The hosts, those that printed the same lines together."""
    _, index = np.unique(table.sequences[hosts], return_inverse=True)
    order = np.argsort(index, kind="stable")
    return np.split(hosts[order], np.flatnonzero(np.diff(index[order])) + 1) if len(hosts) else []


def variants_max(hosts: int) -> int:
    """How many different outputs of so many hosts are a group each."""
    return min(VARIANTS, max(4, hosts // 4)) if hosts < SMALL_HOSTS else VARIANTS


def by_lines(table: Table, hosts: Array, *, failed: bool = False, depth: int = 0) -> list[Part]:
    """Groups of hosts of one outcome."""
    variants = by_sequence(table, hosts)
    most = variants_max(len(hosts)) if depth == 0 else 1
    if failed:
        most = max(most, len(hosts) // 20)  # outputs that come back are ways to fail, not noise
    if len(variants) <= most or len(hosts) < FEW_HOSTS:
        return [Part(Why.VARIANT, (), variant) for variant in variants]
    lines = _Lines(table, variants)
    if depth < DEPTH and (marks := lines.kinds()) is not None:
        sides = (
            [v for v, has in zip(variants, marks, strict=True) if has == side] for side in (1, 0)
        )
        return [
            part
            for side in sides
            for part in by_lines(table, np.concatenate(side), failed=failed, depth=depth + 1)
        ]
    deviating, patterns = lines.deviations(failed=failed), lines.patterns()
    made: dict[tuple[Any, float], list[Array]] = defaultdict(list)
    for variant, own, pattern in zip(variants, deviating, patterns, strict=True):
        made[(min(own)[1:] if own else None), pattern].append(variant)
    return [
        Part(what[0], (what[1],), np.concatenate(own))
        if what
        else Part(Why.VARIANT, (), np.concatenate(own))
        for (what, _), own in made.items()
    ]


class _Lines:
    """Lines of one host of each variant, weighted by its hosts; how many hosts have which."""

    def __init__(self, table: Table, variants: list[Array]) -> None:
        self.weights = np.array([len(variant) for variant in variants], float)
        self.total = self.weights.sum()
        entries = table.entries(np.array([variant[0] for variant in variants]))
        once = entries.words >> 5 & 3 == 0
        self.owners = entries.hosts[once]
        self.lines, self.index = np.unique(entries.digests[once], return_inverse=True)
        self.shares = np.bincount(self.index, self.weights[self.owners]) / self.total
        nearly_all = 1 - max(1.01 / self.total, MISSING)
        self.core = self.shares >= nearly_all
        self.rare = self.shares <= RARE
        self.between = (self.shares > RARE) & (self.shares < nearly_all)

    def kinds(self) -> list[bool] | None:
        """Of two kinds of hosts, by the lines that come and go together, which each variant is."""
        if not self.between.any():
            return None
        marks = np.random.default_rng(1).random(len(self.weights))
        sums = np.bincount(self.index, marks[self.owners])[self.between]
        _, where, many = np.unique(sums, return_inverse=True, return_counts=True)
        best = int(many.argmax())
        lines_of_log = len(self.index) / len(self.weights)
        if many[best] < max(KIND_LINES, KIND_SHARE * lines_of_log):
            return None
        line = np.flatnonzero(self.between)[where == best][0]
        has = np.zeros(len(self.weights), bool)
        has[self.owners[self.index == line]] = True
        return list(has)

    def deviations(self, *, failed: bool) -> list[list[_Deviation]]:
        """How each variant deviates."""
        deviating: list[list[_Deviation]] = [[] for _ in self.weights]
        before = self._before()
        own = self.rare[self.index]
        place = np.unique(np.stack([before[own], self.owners[own]]), axis=1)
        at_place = (
            np.bincount(place[0] + 1, self.weights[place[1]], len(self.lines) + 1) / self.total
        )
        crowds = at_place[before + 1]
        noisy = own & (crowds > OWN_LINES)
        if failed:
            noisy &= self._mostly_unique(before, own)
        self._other_numbers(before, noisy, deviating)
        for at in np.flatnonzero(own & ~noisy):
            where, line = int(before[at]), int(self.index[at])
            # Many have some line here, each another; but ways to fail are told apart.
            crowded = crowds[at] > RARE and not (failed and crowds[at] > OWN_LINES)
            reason = (
                _Deviation(float(crowds[at]), Why.PLACE, self._line(where))
                if crowded
                else _Deviation(float(self.shares[line]), Why.EXTRA, self._line(line))
            )
            deviating[self.owners[at]].append(reason)
        for variant, line in self._missing():
            share = 1 - float(self.shares[line])
            deviating[variant].append(_Deviation(share, Why.MISSING, self._line(line)))
        return deviating

    def patterns(self) -> list[float]:
        """A number for each set of the lines that neither few nor nearly all have; one for all
        where there are too many sets."""
        marks = np.where(self.between, np.random.default_rng(2).random(len(self.lines)), 0)
        sums = np.bincount(self.owners, marks[self.index], len(self.weights)).round(9)
        return list(sums) if len(np.unique(sums)) <= VARIANTS else [0.0] * len(sums)

    def _line(self, index: int) -> int:
        """Hash of a line; -1 is the beginning of the log."""
        return int(self.lines[index]) if index >= 0 else -1

    def _before(self) -> Array:
        """Of each line the last one before it that nearly all have, or -1: its place."""
        rows = np.arange(len(self.index))
        last = np.maximum.accumulate(np.where(self.core[self.index], rows, -1))
        begins = np.searchsorted(self.owners, np.arange(len(self.weights)))
        return np.where(last >= begins[self.owners], self.index[last], -1)

    def _mostly_unique(self, before: Array, own: Array) -> Array:
        """Which lines stand in a place where nearly every host has another one."""
        hosts = np.bincount(before[own] + 1, self.weights[self.owners[own]], len(self.lines) + 1)
        kinds = np.unique(np.stack([before[own], self.index[own]]), axis=1)[0]
        different = np.bincount(kinds + 1, minlength=len(self.lines) + 1)
        return (different * 3 > hosts)[before + 1]

    def _other_numbers(
        self, before: Array, noisy: Array, deviating: list[list[_Deviation]]
    ) -> None:
        """Where each host has lines of its own: who has another number of them."""
        places = np.stack([before[noisy], self.owners[noisy]])
        pairs, many = np.unique(places, axis=1, return_counts=True)
        for where in np.unique(pairs[0]):
            here, variants = many[pairs[0] == where], pairs[1][pairs[0] == where]
            usual = np.bincount(here, self.weights[variants]).argmax()
            if self.weights[variants[here == usual]].sum() >= SAME_NUMBER * self.total:
                for variant in variants[here != usual]:
                    deviating[variant].append(_Deviation(0.01, Why.PLACE, self._line(int(where))))

    def _missing(self) -> list[tuple[int, int]]:
        """Variant and line, of lines that nearly all have and this one has not."""
        cores = np.flatnonzero(self.core)
        number = np.full(len(self.lines), -1)
        number[cores] = np.arange(len(cores))
        has = np.zeros((len(self.weights), len(cores)), bool)
        of_core = number[self.index] >= 0
        has[self.owners[of_core], number[self.index[of_core]]] = True
        return [(int(v), int(cores[c])) for v, c in zip(*np.nonzero(~has), strict=True)]
