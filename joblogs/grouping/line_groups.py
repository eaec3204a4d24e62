"""Groups of hosts by the lines that they printed.

Among hosts with many different outputs, a host deviates if it lacks a line that nearly all have, or
if it has a rare line in a place where most have no lines of their own. The number of groups is thus
bounded by the number of deviating lines, not by their combinations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .line_forms import TROUBLE
from .line_shares import OWN_LINES, SMALL_HOSTS, VARIANTS, LineShares, by_sequence
from .tables import Table

Array = npt.NDArray[Any]

FEW_HOSTS = 6
"""Fewer hosts are never compared by lines; below SMALL_HOSTS, there is one variant per four
hosts."""
EACH_MIN, EACH = 3, 0.75
"""Number and share of a few hosts with different outputs from which none of them deviates."""
FEW_VARIANTS = 2
"""Maximum outputs of a few hosts that are a group each; of more outputs the lines are compared."""
SAME_NUMBER = 0.9
"""If this share of the hosts has the same number of own lines in a place, hosts with another number
deviate."""
DEPTH = 3
"""Maximum number of times that kinds of hosts are split further."""


class Why(StrEnum):
    """Reason why a group is separate."""

    VARIANT = "variant"
    """Its lines as a whole."""
    EXTRA = "extra"
    """A line that few hosts have."""
    MISSING = "missing"
    """The lack of a line that nearly all hosts have."""
    PLACE = "place"
    """Own lines, or another number of them, in a place."""
    VALUES = "values"
    """A value that is an outlier in its place."""


class LineGroup(NamedTuple):
    """Rows of some hosts, and why they are separate, with the hashes of the relevant lines."""

    why: Why
    lines: tuple[int, ...]
    hosts: Array


class _Deviation(NamedTuple):
    """Deviation of a host: the share of hosts that have it, and its reason."""

    share: float
    why: Why
    lines: tuple[int, ...]
    """Hashes of the lines, or of the line before the place."""


def variants_max(hosts: int) -> int:
    """Return the maximum number of different outputs of `hosts` hosts that are a group each."""
    return min(VARIANTS, max(4, hosts // 4)) if hosts < SMALL_HOSTS else VARIANTS


def by_lines(
    table: Table, hosts: Array, *, failed: bool = False, depth: int = 0
) -> list[LineGroup]:
    """Return the groups of hosts with one outcome."""
    variants = by_sequence(table, hosts)
    most = variants_max(len(hosts)) if depth == 0 else 1
    if failed:
        most = max(most, len(hosts) // 20)  # repeated outputs are kinds of failures, not noise
    few = len(variants) <= most
    small = len(hosts) < SMALL_HOSTS
    if (few or len(hosts) < FEW_HOSTS) and (
        failed or len(variants) <= (FEW_VARIANTS if small else 1)
    ):
        return [LineGroup(Why.VARIANT, (), variant) for variant in variants]
    if len(hosts) < FEW_HOSTS:
        if _each_alike(table, variants):
            return [LineGroup(Why.VARIANT, (), hosts)]
        return [LineGroup(Why.VARIANT, (), variant) for variant in variants]
    lines = LineShares(table, variants)
    if few and not small and not lines.come_and_go:
        return [LineGroup(Why.VARIANT, (), variant) for variant in variants]
    if depth < DEPTH and (marks := lines.kinds()) is not None:
        sides = (
            [v for v, has in zip(variants, marks, strict=True) if has == side] for side in (1, 0)
        )
        return [
            part
            for side in sides
            for part in by_lines(table, np.concatenate(side), failed=failed, depth=depth + 1)
        ]
    deviating, patterns = _deviations(lines, failed=failed), lines.patterns()
    made: dict[tuple[Any, float], list[Array]] = defaultdict(list)
    for variant, own, pattern in zip(variants, deviating, patterns, strict=True):
        made[(min(own)[1:] if own else None), pattern].append(variant)
    return [
        LineGroup(what[0], what[1], np.concatenate(own))
        if what
        else LineGroup(Why.VARIANT, (), np.concatenate(own))
        for (what, _), own in made.items()
    ]


def _each_alike(table: Table, variants: Sequence[Array]) -> bool:
    """Return whether nearly each of very few hosts has lines of its own besides common ones: then
    it is not known which host deviates."""
    if len(variants) < max(EACH_MIN, EACH * sum(map(len, variants))):
        return False
    lines = LineShares(table, variants)
    return bool(lines.core.sum() * 2 >= len(lines.index) / len(variants))


def _deviations(lines: LineShares, *, failed: bool) -> list[list[_Deviation]]:
    """Return the deviations of each variant."""
    deviating: list[list[_Deviation]] = [[] for _ in lines.weights]
    before = lines.before
    own = lines.rare[lines.index]
    crowds = np.maximum(lines.crowds(own), lines.crowds(lines.alternatives()))
    strange = _strange(lines, own & (crowds > lines.few)) if not failed else np.zeros_like(own)
    noisy = own & (crowds > OWN_LINES) & ~lines.unlike_others() & ~strange
    if failed:
        noisy &= _mostly_unique(lines, before, own)
    noisy |= _moved(lines, own & ~strange, noisy)
    _other_numbers(lines, before, noisy, deviating)
    for at in np.flatnonzero(own & ~noisy):
        where, line = int(before[at]), int(lines.index[at])
        # Many have a different line here; but kinds of failures are kept separate.
        crowded = crowds[at] > lines.few and not (failed and crowds[at] > OWN_LINES)
        share = round(float(lines.shares[line]), 6)
        if strange[at]:
            alike = lines.like(int(at))
            share = round(float(lines.shares[list(alike)].sum()), 6)
            reason = _Deviation(share, Why.EXTRA, tuple(map(lines.hash_of, alike)))
        elif crowded:
            reason = _Deviation(float(crowds[at]), Why.PLACE, (lines.hash_of(where),))
        else:
            reason = _Deviation(share, Why.EXTRA, (lines.hash_of(line),))
        deviating[lines.owners[at]].append(reason)
    for variant, line in _missing(lines):
        share = round(1 - float(lines.shares[line]), 6)
        deviating[variant].append(_Deviation(share, Why.MISSING, (lines.hash_of(line),)))
    return deviating


def _moved(lines: LineShares, own: Array, noisy: Array) -> Array:
    """Return which own lines of hosts that lack a common line look like the noise of others: the
    missing line may be the anchor of the noise."""
    cores = np.bincount(lines.owners, lines.core[lines.index], len(lines.weights))
    lacking = cores < lines.core.sum()
    return own & lacking[lines.owners] & np.isin(lines.forms, np.unique(lines.forms[noisy]))


def _strange(lines: LineShares, crowded: Array) -> Array:
    """Return which of the lines in places where many hosts have their own look different from the
    others, or report trouble, if only few hosts have such lines."""
    found = np.zeros_like(crowded)
    some = lines.strange(crowded)
    for strange in (some & (lines.forms & TROUBLE > 0), some):
        found |= strange & (lines.crowds(strange) <= lines.few)
    return found


def _mostly_unique(lines: LineShares, before: Array, own: Array) -> Array:
    """Return which lines are in a place where nearly every host has a different line."""
    hosts = np.bincount(before[own] + 1, lines.weights[lines.owners[own]], len(lines.lines) + 1)
    kinds = np.unique(np.stack([before[own], lines.index[own]]), axis=1)[0]
    different = np.bincount(kinds + 1, minlength=len(lines.lines) + 1)
    return (different * 3 > hosts)[before + 1]


def _other_numbers(
    lines: LineShares, before: Array, noisy: Array, deviating: list[list[_Deviation]]
) -> None:
    """Add the hosts with another number of lines where each host has lines of its own."""
    places = np.stack([before[noisy], lines.owners[noisy]])
    pairs, many = np.unique(places, axis=1, return_counts=True)
    for where in np.unique(pairs[0]):
        here, variants = many[pairs[0] == where], pairs[1][pairs[0] == where]
        usual = np.bincount(here, lines.weights[variants]).argmax()
        if lines.weights[variants[here == usual]].sum() >= SAME_NUMBER * lines.total:
            for variant in variants[here != usual]:
                place = (lines.hash_of(int(where)),)
                deviating[variant].append(_Deviation(0.01, Why.PLACE, place))


def _missing(lines: LineShares) -> list[tuple[int, int]]:
    """Return variants, and lines that they lack although nearly all hosts have them."""
    cores = np.flatnonzero(lines.core & ~lines.at_random)
    number = np.full(len(lines.lines), -1)
    number[cores] = np.arange(len(cores))
    has = np.zeros((len(lines.weights), len(cores)), bool)
    of_core = number[lines.index] >= 0
    has[lines.owners[of_core], number[lines.index[of_core]]] = True
    return [(int(v), int(cores[c])) for v, c in zip(*np.nonzero(~has), strict=True)]
