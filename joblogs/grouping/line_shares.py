"""How many hosts of one outcome have which line, and where in their logs lines are noise."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .line_forms import TROUBLE
from .tables import Table

Array = npt.NDArray[Any]

VARIANTS = 6
"""As many different outputs of one outcome are a group each."""
SMALL_HOSTS, SMALL_PATTERNS = 24, 2
"""Of fewer hosts lines come and go if there are more sets of them."""
MISSING, RARE = 0.03, 0.1
"""Shares of hosts: a line is of nearly all but for so many; of so many it is rare."""
OWN_LINES = 0.5
"""More hosts with lines of their own in one place are noise."""
ALTERNATIVE, ALTERNATIVES = 0.3, 5
"""So are lines that no more than such a share has, where there are so many of them in one place."""
FAR = 5
"""In such a place a line deviates that so many times fewer or more hosts have than the others."""
SAME_PLACE = 0.8
"""A line is an anchor if so many hosts have it in the same place among those of nearly all."""
COMES_AND_GOES = 0.2
"""One line alone comes and goes if such a share of the hosts has it, and such a share has not."""
SMALL_TROUBLE = 0.34
"""Of few hosts such a share has a line that tells of trouble, if it sets them apart."""
REPEATED = 0.1, 0.97
"""A line comes by chance if between so many of its hosts print it more than once."""
KIND_LINES, KIND_SHARE = 3, 0.15
"""As many lines, and such a part of a log, that come and go together are two kinds of hosts."""


def by_sequence(table: Table, hosts: Array) -> list[Array]:
    """The hosts, those that printed the same lines together."""
    _, index = np.unique(table.sequences[hosts], return_inverse=True)
    order = np.argsort(index, kind="stable")
    return np.split(hosts[order], np.flatnonzero(np.diff(index[order])) + 1) if len(hosts) else []


class LineShares:
    """Lines of one host of each variant, weighted by its hosts; how many hosts have which."""

    def __init__(self, table: Table, variants: Sequence[Array]) -> None:
        self.weights = np.array([len(variant) for variant in variants], float)
        self.total = self.weights.sum()
        entries = table.entries(np.array([variant[0] for variant in variants]))
        keys = entries.hosts.astype(np.uint64) << np.uint64(32) | entries.lines
        _, first, many = np.unique(keys, return_index=True, return_counts=True)
        order = np.argsort(first)
        once, repeated = first[order], many[order] > 1
        self.owners = entries.hosts[once]
        self.forms = entries.forms[once]
        self.lines, self.index = np.unique(entries.lines[once], return_inverse=True)
        self.shares = np.bincount(self.index, self.weights[self.owners]) / self.total
        nearly_all = 1 - max(1.01 / self.total, MISSING)
        self.few = max(1.01 / self.total, RARE)
        """Share of the hosts that a rare line has at most: of few hosts that is one."""
        self.core = self.shares >= nearly_all
        repeated = np.bincount(self.index, self.weights[self.owners] * repeated)
        again = repeated / self.total / self.shares
        self.at_random = (again > REPEATED[0]) & (again < REPEATED[1])
        """Lines that some hosts print once, others again and again: others print none by chance."""
        self.rare = self.shares <= self.few
        if self.total < SMALL_HOSTS:
            tells = np.bincount(self.index, self.forms & TROUBLE) > 0
            self.rare |= tells & (self.shares <= SMALL_TROUBLE)
        self.between = ~self.rare & (self.shares < nearly_all)

    def kinds(self) -> list[bool] | None:
        """Of two kinds of hosts, by the lines that come and go together, which each variant is."""
        one_of_many = np.zeros(len(self.lines), bool)
        one_of_many[self.index[self.alternatives()]] = True
        between = self.between & ~one_of_many
        if not between.any():
            return None
        marks = np.random.default_rng(1).random(len(self.weights))
        sums = np.bincount(self.index, marks[self.owners])[between]
        _, where, many = np.unique(sums, return_inverse=True, return_counts=True)
        best = int(many.argmax())
        lines_of_log = len(self.index) / len(self.weights)
        if many[best] < max(KIND_LINES, KIND_SHARE * lines_of_log):
            return None
        line = np.flatnonzero(between)[where == best][0]
        has = np.zeros(len(self.weights), bool)
        has[self.owners[self.index == line]] = True
        # Where one side has no lines that the other lacks, lines come and go together.
        return list(has) if np.isclose(sums, marks.sum() - sums[where == best][0]).any() else None

    def crowds(self, some: Array) -> Array:
        """Of each line what share of the hosts has some of these lines in its place."""
        place = np.unique(np.stack([self.before[some], self.owners[some]]), axis=1)
        hosts = np.bincount(place[0] + 1, self.weights[place[1]], len(self.lines) + 1)
        return (hosts / self.total)[self.before + 1]

    def strange(self, some: Array) -> Array:
        """Which of these lines look like those of few hosts in their place: they tell something
        else than the lines that hosts have of their own there."""
        keys = (self.before + 1) * 256 + self.forms
        loose = ~self.core[self.index]
        pairs = np.unique(np.stack([keys[loose], self.owners[loose]]), axis=1)
        hosts = np.bincount(pairs[0], self.weights[pairs[1]], (len(self.lines) + 1) * 256)
        return some & (hosts[keys] <= self.few * self.total)

    def like(self, at: int) -> tuple[int, ...]:
        """Lines that look like one of these in its place, that not nearly all have."""
        same = (self.before == self.before[at]) & (self.forms == self.forms[at])
        return tuple(np.unique(self.index[same & ~self.core[self.index]]).tolist())

    def alternatives(self) -> Array:
        """Which lines stand where hosts have one of several that no large part of them has."""
        some = self.shares[self.index] <= ALTERNATIVE
        kinds = np.unique(np.stack([self.before[some], self.index[some]]), axis=1)[0]
        different = np.bincount(kinds + 1, minlength=len(self.lines) + 1)
        return some & (different >= ALTERNATIVES)[self.before + 1]

    def unlike_others(self) -> Array:
        """Which lines far fewer or far more hosts have than the other lines in their place."""
        loose = np.flatnonzero(~self.core[self.index])
        unlike = np.zeros(len(self.index), bool)
        pairs = np.unique(np.stack([self.before[loose], self.index[loose]]), axis=1)
        for where in np.unique(pairs[0]):
            lines = pairs[1][pairs[0] == where]
            if len(lines) >= ALTERNATIVES:
                low, high = np.quantile(self.shares[lines], (0.1, 0.9))
                hosts = self.shares[lines] * self.total
                other = (hosts * FAR < low * self.total) | (hosts > FAR * high * self.total)
                unlike |= (self.before == where) & np.isin(self.index, lines[other])
        return unlike

    def noisy_places(self) -> list[int]:
        """Hashes of the lines behind which most hosts have some that few have."""
        own = (self.shares * self.total <= max(1, RARE * self.total))[self.index]
        pairs = np.unique(np.stack([self.before[own], self.owners[own]]), axis=1)
        many = np.bincount(pairs[0] + 1, self.weights[pairs[1]], len(self.lines) + 1)
        return [self.hash_of(int(at) - 1) for at in np.flatnonzero(many > OWN_LINES * self.total)]

    def patterns(self) -> list[float]:
        """A number for each set of the lines that neither few nor nearly all have; one for all
        where there are too many sets."""
        sums = self._patterns
        most = VARIANTS if self.total >= SMALL_HOSTS else SMALL_PATTERNS
        if len(np.unique(sums)) > most or self.come_and_go:
            return [0.0] * len(sums)
        return list(sums)

    @cached_property
    def _patterns(self) -> Array:
        """Of each variant a number for its set of those lines."""
        marks = np.where(self.between, np.random.default_rng(2).random(len(self.lines)), 0)
        return np.bincount(self.owners, marks[self.index], len(self.weights)).round(9)

    @cached_property
    def come_and_go(self) -> bool:
        """Whether the lines that neither few nor nearly all have come and go one by one: then there
        are more sets of them than lines, else each of some kinds of hosts has its own. One alone
        comes and goes if many hosts have it and many have not."""
        if not self.between.any() or self.total < SMALL_HOSTS:
            return False
        marks = np.random.default_rng(1).random(len(self.weights))
        hosts = np.bincount(self.index, marks[self.owners])[self.between].round(9)
        sets = len(np.unique(hosts))
        shares = self.shares[self.between]
        if sets == 1 and min(shares[0], 1 - shares[0]) < COMES_AND_GOES:
            return False
        return len(np.unique(self._patterns)) > sets

    def hash_of(self, index: int) -> int:
        """Hash of a line; -1 is the beginning of the log."""
        return int(self.lines[index]) if index >= 0 else -1

    @cached_property
    def anchors(self) -> Array:
        """Which lines nearly all have in the same place among these, from the beginning or from the
        end: those that come in any order (`mount`) say nothing of where the others are."""
        rows = np.flatnonzero(self.core[self.index])
        lines, owners = self.index[rows], self.owners[rows]
        begins = np.searchsorted(owners, np.arange(len(self.weights) + 1))
        from_begin = np.arange(len(rows)) - begins[owners]
        from_end = begins[owners + 1] - np.arange(len(rows))
        anchors = np.zeros(len(self.lines), bool)
        for ranks in (from_begin, from_end):
            pairs, index = np.unique(np.stack([lines, ranks]), axis=1, return_inverse=True)
            hosts = np.bincount(index.ravel(), self.weights[owners], pairs.shape[1])
            anchors[pairs[0][hosts >= SAME_PLACE * self.total]] = True
        return anchors

    @cached_property
    def before(self) -> Array:
        """Of each line the last anchor before it, or -1: its place."""
        rows = np.arange(len(self.index))
        last = np.maximum.accumulate(np.where(self.anchors[self.index], rows, -1))
        begins = np.searchsorted(self.owners, np.arange(len(self.weights)))
        return np.where(last >= begins[self.owners], self.index[last], -1)


class NoisyPlaces(NamedTuple):
    """Where hosts that succeed have lines of their own."""

    anchors: set[int]
    """Hashes of the lines that nearly all of them have in the same place."""
    places: set[int]
    """Of these lines those behind which they do; -1 is the beginning of the log."""

    def without_noise(self, log: Sequence[int], good: set[int]) -> frozenset[int]:
        """Of a host's lines those that no success printed, unless they stand where successes have
        lines of their own and the host went on as they do; all, if there are no others."""
        lines: set[int] = set()
        kept: set[int] = set()
        held: set[int] = set()
        noisy = -1 in self.places
        for line in log:
            if line in self.anchors:
                held.clear()
                noisy = line in self.places
            elif line not in good:
                lines.add(line)
                (held if noisy else kept).add(line)
        return frozenset(kept | held or lines)


def noisy_places(table: Table, outcomes: Sequence[Array]) -> NoisyPlaces:
    """Where the hosts of these outcomes, that succeeded, have lines of their own."""
    found = NoisyPlaces(set(), set())
    if outcomes:
        lines = LineShares(table, by_sequence(table, max(outcomes, key=len)))
        found.anchors.update(lines.lines[lines.anchors].tolist())
        found.places.update(lines.noisy_places())
    return found
