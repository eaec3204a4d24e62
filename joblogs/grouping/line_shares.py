"""Shares of the hosts of one outcome that have each line, and places in which lines are noise."""

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
"""Maximum different outputs of one outcome that are a group each."""
SMALL_HOSTS, SMALL_PATTERNS = 24, 2
"""For fewer hosts, lines come and go if there are more sets of them than SMALL_PATTERNS."""
MISSING, RARE = 0.03, 0.1
"""Shares of hosts: nearly all hosts have a line that at most MISSING lack; a rare line is on at
most RARE."""
OWN_LINES = 0.5
"""Lines are noise in a place where more than this share of the hosts has lines of its own."""
ALTERNATIVE, ALTERNATIVES = 0.3, 5
"""Lines on at most the share ALTERNATIVE are also noise if a place has at least ALTERNATIVES."""
FAR = 5
"""In such a place, a line deviates if it is on this many times fewer or more hosts than others."""
SAME_PLACE = 0.8
"""A line is an anchor if this share of the hosts has it in the same place among common lines."""
COMES_AND_GOES = 0.2
"""A single line comes and goes if at least this share of the hosts has it, and lacks it."""
SMALL_TROUBLE = 0.34
"""For few hosts, maximum share with a line that reports trouble for the line to be rare."""
REPEATED = 0.1, 0.97
"""A line occurs by chance if between these shares of its hosts print it more than once."""
KIND_LINES, KIND_SHARE = 3, 0.15
"""Number and share of a log's lines that occur together from which hosts are of two kinds."""


def by_sequence(table: Table, hosts: Array) -> list[Array]:
    """Return the hosts in groups that printed the same lines."""
    _, index = np.unique(table.sequences[hosts], return_inverse=True)
    order = np.argsort(index, kind="stable")
    return np.split(hosts[order], np.flatnonzero(np.diff(index[order])) + 1) if len(hosts) else []


class LineShares:
    """Lines of one host of each variant, weighted by the variant's hosts, and their shares."""

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
        """Maximum share of the hosts with a rare line: of few hosts, one."""
        self.core = self.shares >= nearly_all
        repeated = np.bincount(self.index, self.weights[self.owners] * repeated)
        again = repeated / self.total / self.shares
        self.at_random = (again > REPEATED[0]) & (again < REPEATED[1])
        """Lines that some hosts print once and others repeatedly: hosts may lack them by chance."""
        self.rare = self.shares <= self.few
        if self.total < SMALL_HOSTS:
            tells = np.bincount(self.index, self.forms & TROUBLE) > 0
            self.rare |= tells & (self.shares <= SMALL_TROUBLE)
        self.between = ~self.rare & (self.shares < nearly_all)

    def kinds(self) -> list[bool] | None:
        """Return for each variant which of two kinds of hosts it is, by lines that occur together;
        None if there are no two kinds."""
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
        # The other kind must have lines that these hosts lack.
        return list(has) if np.isclose(sums, marks.sum() - sums[where == best][0]).any() else None

    def crowds(self, some: Array) -> Array:
        """Return for each line the share of the hosts with any of these lines in its place."""
        place = np.unique(np.stack([self.before[some], self.owners[some]]), axis=1)
        hosts = np.bincount(place[0] + 1, self.weights[place[1]], len(self.lines) + 1)
        return (hosts / self.total)[self.before + 1]

    def strange(self, some: Array) -> Array:
        """Return which of these lines have a form that few hosts have in their place: they are
        different from the hosts' own lines there."""
        keys = (self.before + 1) * 256 + self.forms
        loose = ~self.core[self.index]
        pairs = np.unique(np.stack([keys[loose], self.owners[loose]]), axis=1)
        hosts = np.bincount(pairs[0], self.weights[pairs[1]], (len(self.lines) + 1) * 256)
        return some & (hosts[keys] <= self.few * self.total)

    def like(self, at: int) -> tuple[int, ...]:
        """Return the lines with the same place and form as a line, except common ones."""
        same = (self.before == self.before[at]) & (self.forms == self.forms[at])
        return tuple(np.unique(self.index[same & ~self.core[self.index]]).tolist())

    def alternatives(self) -> Array:
        """Return which lines are alternatives: in a place with several lines, each on at most the
        share ALTERNATIVE of the hosts."""
        some = self.shares[self.index] <= ALTERNATIVE
        kinds = np.unique(np.stack([self.before[some], self.index[some]]), axis=1)[0]
        different = np.bincount(kinds + 1, minlength=len(self.lines) + 1)
        return some & (different >= ALTERNATIVES)[self.before + 1]

    def unlike_others(self) -> Array:
        """Return which lines are on far fewer or far more hosts than the others in their place."""
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
        """Return the hashes of the lines after which most hosts have rare lines."""
        own = (self.shares * self.total <= max(1, RARE * self.total))[self.index]
        pairs = np.unique(np.stack([self.before[own], self.owners[own]]), axis=1)
        many = np.bincount(pairs[0] + 1, self.weights[pairs[1]], len(self.lines) + 1)
        return [self.hash_of(int(at) - 1) for at in np.flatnonzero(many > OWN_LINES * self.total)]

    def patterns(self) -> list[float]:
        """Return a number for each variant that stands for its set of the lines that are neither
        rare nor common; 0 for all if there are too many sets."""
        sums = self._patterns
        most = VARIANTS if self.total >= SMALL_HOSTS else SMALL_PATTERNS
        if len(np.unique(sums)) > most or self.come_and_go:
            return [0.0] * len(sums)
        return list(sums)

    @cached_property
    def _patterns(self) -> Array:
        """Number for the set of these lines of each variant."""
        marks = np.where(self.between, np.random.default_rng(2).random(len(self.lines)), 0)
        return np.bincount(self.owners, marks[self.index], len(self.weights)).round(9)

    @cached_property
    def come_and_go(self) -> bool:
        """Whether the lines that are neither rare nor common come and go independently: then there
        are more sets of them than lines; otherwise some kinds of hosts have their own lines. A
        single line comes and goes if many hosts have it and many lack it."""
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
        """Return the hash of a line; -1 for the beginning of the log."""
        return int(self.lines[index]) if index >= 0 else -1

    @cached_property
    def anchors(self) -> Array:
        """Which common lines are in the same place among common lines on most hosts, counted from
        the beginning or the end. Lines in random order (`mount`) are no anchors."""
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
        """Place of each line: the last anchor before it, or -1."""
        rows = np.arange(len(self.index))
        last = np.maximum.accumulate(np.where(self.anchors[self.index], rows, -1))
        begins = np.searchsorted(self.owners, np.arange(len(self.weights)))
        return np.where(last >= begins[self.owners], self.index[last], -1)


class NoisyPlaces(NamedTuple):
    """Places in which successful hosts have lines of their own."""

    anchors: set[int]
    """Hashes of the lines that nearly all of them have in the same place."""
    places: set[int]
    """Hashes of the anchors after which they have own lines; -1 is the beginning of the log."""

    def without_noise(self, log: Sequence[int], good: set[int]) -> frozenset[int]:
        """Return the lines of a host that no success printed, without those in noisy places after
        which the host continued like successes; all of them if no others are left."""
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
    """Return the places in which the hosts of the largest of these successful outcomes have lines
    of their own."""
    found = NoisyPlaces(set(), set())
    if outcomes:
        lines = LineShares(table, by_sequence(table, max(outcomes, key=len)))
        found.anchors.update(lines.lines[lines.anchors].tolist())
        found.places.update(lines.noisy_places())
    return found
