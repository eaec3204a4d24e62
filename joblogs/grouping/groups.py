"""The groups of a step, from the features of its hosts: by outcome, by lines, then by values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .line_groups import VARIANTS, Part, Why, by_lines, by_sequence
from .luck import Read, without_luck
from .tables import Table
from .value_groups import Place, by_values

Array = npt.NDArray[Any]

FEW_SEQUENCES = 3
"""Failures that ended in so few different ways are apart by that alone."""
NOISE_HOSTS = 4
"""Of fewer failures nobody can say which of their lines are noise."""
MANY_FAILURES = 24
"""Up to so many failures with lines of their own are apart, whatever these are."""


class Outcome(NamedTuple):
    """How a host ended: hosts of different outcomes are never in one group."""

    failed: bool
    key: Hashable


class HostGroup(NamedTuple):
    """Hosts that did the same."""

    hosts: Array
    """Rows of the table, ascending."""
    why: Why
    lines: tuple[int, ...] = ()
    """Hashes of the lines that set it apart; -1 is the beginning of the log."""
    places: tuple[Place, ...] = ()
    """The places in which its values are outliers."""
    like: Array | None = None
    """The hosts from which it differs in values only."""


def group_hosts(table: Table, outcomes: Sequence[Outcome], read: Read) -> list[HostGroup]:
    """Groups of the hosts of a table, each with its outcome; `read` is asked once at most."""
    rows: dict[Outcome, list[int]] = defaultdict(list)
    for row, outcome in enumerate(outcomes):
        rows[outcome].append(row)
    good = lines_of_successes(table, outcomes)
    parts = [
        _failures(table, np.array(own), good) if outcome.failed else by_lines(table, np.array(own))
        for outcome, own in rows.items()
    ]
    made = []
    for part in (part for own in without_luck(table, parts, read) for part in own):
        usual, outliers = by_values(table, np.sort(part.hosts))
        made.append(HostGroup(usual, part.why, part.lines))
        made += [HostGroup(one.hosts, Why.VALUES, (), one.places, usual) for one in outliers]
    return made


def lines_of_successes(table: Table, outcomes: Sequence[Outcome]) -> set[int]:
    """Hashes of all lines that a host printed that succeeded."""
    good = np.array([row for row, one in enumerate(outcomes) if not one.failed], np.int64)
    if not len(good):
        return set()
    _, first = np.unique(table.sequences[good], return_index=True)
    return set(np.unique(table.entries(good[first]).digests).tolist())


def _failures(table: Table, hosts: Array, good: set[int]) -> list[Part]:
    """Groups of hosts that failed with one outcome: by the lines that no success printed, else by
    how they ended. Killed in the midst of 19 different tests is one way to fail."""
    variants = by_sequence(table, hosts)
    if len(variants) <= FEW_SEQUENCES:
        return by_lines(table, hosts, failed=True)
    made: dict[Hashable, list[Array]] = defaultdict(list)
    if not good:
        for variant in variants:
            made[int(table.lasts[variant[0]])].append(variant)
        if not 1 < len(made) <= VARIANTS:
            return by_lines(table, hosts, failed=True)
    else:
        for key, variant in zip(_own_lines(table, variants, good), variants, strict=True):
            made[key].append(variant)
    return [
        Part(
            Why.EXTRA if isinstance(key, frozenset) else Why.VARIANT,
            _first(key),
            np.concatenate(own),
        )
        for key, own in made.items()
    ]


def _first(key: Hashable) -> tuple[int, ...]:
    return tuple(sorted(key)) if isinstance(key, frozenset) else ()


def _own_lines(table: Table, variants: Sequence[Array], good: set[int]) -> list[frozenset[int]]:
    """Of each variant the lines that no success printed. Of very many different failures only
    those lines count that came back, where a host has such."""
    entries = table.entries(np.array([variant[0] for variant in variants]))
    bounds = np.searchsorted(entries.hosts, np.arange(len(variants) + 1))
    digests = entries.digests.tolist()
    logs = [digests[a:b] for a, b in zip(bounds, bounds[1:], strict=False)]
    own = _without_noise([frozenset(log) - good for log in logs], logs, variants, good)
    hosts = sum(map(len, variants))
    if len(set(own)) <= max(MANY_FAILURES, hosts // 3):
        return own
    counts: dict[int, int] = defaultdict(int)
    for lines, variant in zip(own, variants, strict=True):
        for line in lines:
            counts[line] += len(variant)
    again = [frozenset(line for line in lines if counts[line] > 1) for lines in own]
    return [back or lines for back, lines in zip(again, own, strict=True)]


def _without_noise(
    own: list[frozenset[int]], logs: Sequence[list[int]], variants: Sequence[Array], good: set[int]
) -> list[frozenset[int]]:
    """The own lines of each variant, but where most hosts have some of which nobody else has any,
    before a line of the successes: a list of packages is another on each host, and tells nothing of
    why it failed. Then those behind the last line of the successes count, where there are any."""
    counts: dict[int, int] = defaultdict(int)
    for lines, variant in zip(own, variants, strict=True):
        for line in lines:
            counts[line] += len(variant)
    ends = []
    noisy = 0
    for lines, log, variant in zip(own, logs, variants, strict=True):
        last = max((place for place, line in enumerate(log) if line in good), default=-1)
        ends.append(frozenset(log[last + 1 :]))
        noisy += len(variant) * any(counts[line] == 1 for line in lines - ends[-1])
    hosts = sum(map(len, variants))
    if hosts < NOISE_HOSTS or noisy * 2 < hosts:
        return own
    return [end or lines for end, lines in zip(ends, own, strict=True)]
