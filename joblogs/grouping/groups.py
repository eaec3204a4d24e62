"""Groups of a step's hosts, from their features: by outcome, by lines, then by values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .features import digest_of
from .line_groups import LineGroup, Why, by_lines, variants_max
from .line_shares import VARIANTS, NoisyPlaces, by_sequence, noisy_places
from .luck import Read, is_noise, skeletons_of, without_luck
from .plain_words import plain_words
from .tables import Table, key_of
from .value_groups import Place, by_values
from .words import Alike, Sample, alike_lines

Array = npt.NDArray[Any]

FEW_SEQUENCES = 3
"""Maximum different outputs of failures whose groups are variants, without distinguishing lines."""
NOISE_HOSTS = 4
"""For fewer failures it is not known which of their lines are noise."""
FAILURES_READ, SUCCESSES_READ = 100, 40
"""Logs that are read for each outcome to find words that vary."""
MANY_FAILURES = 24
"""Maximum different sets of own lines of failures that are separate groups in any case."""


class Outcome(NamedTuple):
    """Outcome of a host: hosts with different outcomes are never in one group."""

    failed: bool
    key: Hashable


class HostGroup(NamedTuple):
    """Group of hosts with similar output."""

    hosts: Array
    """Rows of the table, ascending."""
    why: Why
    lines: tuple[int, ...] = ()
    """Hashes of the lines that make it different; -1 is the beginning of the log."""
    places: tuple[Place, ...] = ()
    """Places in which its values are outliers."""
    like: Array | None = None
    """Hosts from which it differs only in values."""


def group_hosts(table: Table, outcomes: Sequence[Outcome], read: Read) -> list[HostGroup]:
    """Return the groups of a table's hosts, whose outcomes are given; `read` is called at most
    twice. The table is changed to ignore words that vary."""
    rows: dict[Outcome, list[int]] = defaultdict(list)
    for row, outcome in enumerate(outcomes):
        rows[outcome].append(row)
    table.leave_aside(_varying_words(table, rows, read))
    good = lines_of_successes(table, outcomes)
    noise = noisy_places(table, [np.array(own) for one, own in rows.items() if not one.failed])
    parts = [
        _failures(table, np.array(own), good, noise)
        if outcome.failed
        else _successes(table, np.array(own))
        for outcome, own in rows.items()
    ]
    made = []
    for part in (part for own in without_luck(table.raw, parts, read) for part in own):
        usual, outliers = by_values(table, np.sort(part.hosts))
        made.append(HostGroup(usual, part.why, part.lines))
        made += [HostGroup(one.hosts, Why.VALUES, (), one.places, usual) for one in outliers]
    return made


def _successes(table: Table, hosts: Array) -> list[LineGroup]:
    """Return groups of hosts that succeeded with one outcome.

    If there are more different outputs than were read, words that vary say less than the number of
    hosts with each line.
    """
    is_read = len(by_sequence(table.raw, hosts)) <= SUCCESSES_READ
    return by_lines(table if is_read else table.raw, hosts)


def lines_of_successes(table: Table, outcomes: Sequence[Outcome]) -> set[int]:
    """Return the hashes of all lines that successful hosts printed."""
    good = np.array([row for row, one in enumerate(outcomes) if not one.failed], np.int64)
    if not len(good):
        return set()
    _, first = np.unique(table.sequences[good], return_index=True)
    return set(np.unique(table.entries(good[first]).lines).tolist())


def _varying_words(table: Table, rows: Mapping[Outcome, Sequence[int]], read: Read) -> list[Alike]:
    """Return lines that are equal except for words that vary, found in the logs of some hosts:
    failures with different output, and successes if they differ or if there are such failures."""
    weights: dict[int, tuple[int, bool]] = {}
    for outcome in sorted(rows, key=lambda one: not one.failed):
        variants = sorted(by_sequence(table, np.array(rows[outcome])), key=len, reverse=True)
        if outcome.failed:
            chosen = variants[:FAILURES_READ]
        elif not outcome.failed and (weights or len(variants) > variants_max(len(rows[outcome]))):
            chosen = variants[:: max(1, len(variants) // SUCCESSES_READ)][:SUCCESSES_READ]
        else:
            continue
        weights |= {int(one[0]): (len(one), outcome.failed) for one in chosen}
    if not any(failed for _, failed in weights.values()) and len(weights) < 2:
        return []
    logs = read(sorted(weights)) if weights else {}
    skeletons_by_row = dict(zip(logs, skeletons_of(logs.values()), strict=True))
    for row, skeletons in skeletons_by_row.items():
        plain = {digest_of(one): _plain_digest(one) for one in skeletons}
        table.plain |= plain
        if not weights[row][1]:
            table.plain_of_successes.update(plain.values())
    hosts = np.array(sorted(row for own in rows.values() for row in own), np.int64)
    return alike_lines(
        [Sample(skeletons, *weights[row]) for row, skeletons in skeletons_by_row.items()],
        lambda line, slot: is_noise(table, hosts, key_of(line, 0), slot + 1),
    )


def _plain_digest(skeleton: bytes) -> int:
    words = plain_words(skeleton)
    return digest_of(words) if words else 0


def _failures(table: Table, hosts: Array, good: set[int], noise: NoisyPlaces) -> list[LineGroup]:
    """Return groups of hosts that failed with one outcome: by the lines that no success printed,
    otherwise by their last lines. Being killed during 19 different tests is one failure."""
    variants = by_sequence(table, hosts)
    few = len(variants) <= FEW_SEQUENCES
    if few and not good:
        return by_lines(table, hosts, failed=True)
    made: dict[Hashable, list[Array]] = defaultdict(list)
    if not good:
        for variant in variants:
            made[int(table.lasts[variant[0]])].append(variant)
        if not 1 < len(made) <= VARIANTS:
            return by_lines(table, hosts, failed=True)
    else:
        for key, variant in zip(_own_lines(table, variants, good, noise), variants, strict=True):
            ended = few and not key  # without own lines, by their last line
            made[int(table.lasts[variant[0]]) if ended else key].append(variant)
    if few:
        return [LineGroup(Why.VARIANT, (), np.concatenate(own)) for own in made.values()]
    return [
        LineGroup(Why.EXTRA, tuple(sorted(key)), np.concatenate(own))
        if isinstance(key, frozenset)
        else LineGroup(Why.VARIANT, (), np.concatenate(own))
        for key, own in made.items()
    ]


class _Printed(NamedTuple):
    """Output of a host of a variant, and the number of hosts."""

    lines: list[int]
    raw: list[int]
    """Hashes of the lines with their own words."""
    hosts: int


def _own_lines(
    table: Table, variants: Sequence[Array], good: set[int], noise: NoisyPlaces
) -> list[frozenset[int]]:
    """Return for each variant the lines that no success printed, except in places where successes
    have lines of their own.

    For very many different failures, only lines of several hosts count, if a host has any.
    """
    entries = table.entries(np.array([variant[0] for variant in variants]))
    bounds = np.searchsorted(entries.hosts, np.arange(len(variants) + 1))
    lines, raw = entries.lines.tolist(), entries.digests.tolist()
    logs = [
        _Printed(lines[a:b], raw[a:b], len(variant))
        for a, b, variant in zip(bounds, bounds[1:], variants, strict=False)
    ]
    own = [noise.without_noise(log.lines, good) for log in logs]
    own = _without_noise(own, logs, good)
    hosts = sum(log.hosts for log in logs)
    if len(set(own)) <= max(MANY_FAILURES, hosts // 3):
        return own
    counts = _counts((lines, log.hosts) for lines, log in zip(own, logs, strict=True))
    again = [frozenset(line for line in lines if counts[line] > 1) for lines in own]
    return [back or lines for back, lines in zip(again, own, strict=True)]


def _without_noise(
    own: list[frozenset[int]], logs: Sequence[_Printed], good: set[int]
) -> list[frozenset[int]]:
    """Return the own lines of each variant without noise.

    If most hosts have unique lines before a line of the successes (such as a list of packages,
    which says nothing about the failure), only the lines after the last line of the successes
    count, if there are any.
    """
    hosts = sum(log.hosts for log in logs)
    counts = _counts((lines, log.hosts) for lines, log in zip(own, logs, strict=True))
    raw_counts = _counts((set(log.raw), log.hosts) for log in logs)
    ends = []
    noisy = 0
    for lines, log in zip(own, logs, strict=True):
        last = max((place for place, line in enumerate(log.lines) if line in good), default=-1)
        ends.append(frozenset(log.lines[last + 1 :]))
        noisy += log.hosts * any(
            raw_counts[raw] == 1 and counts[line] <= max(1, hosts // 3)
            for line, raw in zip(log.lines[:last], log.raw, strict=False)
            if line in lines
        )
    if hosts < NOISE_HOSTS or noisy * 2 < hosts:
        return own
    return [end or lines for end, lines in zip(ends, own, strict=True)]


def _counts(logs: Iterable[tuple[Iterable[int], int]]) -> dict[int, int]:
    """Return the number of hosts that printed each line."""
    counts: dict[int, int] = defaultdict(int)
    for lines, hosts in logs:
        for line in lines:
            counts[line] += hosts
    return counts
