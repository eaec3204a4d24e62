"""Hosts in groups by which lines they printed.

Of hosts that printed many different things those come apart that miss a line of nearly all, or
have one that few have in a place where most have nothing of their own. So the number of groups is
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
"""Fewer hosts are never compared by lines; of fewer than SMALL_HOSTS a variant may be had for each
four."""
EACH_MIN, EACH = 3, 0.75
"""If as many of them printed something of their own, nobody can say who deviates."""
FEW_VARIANTS = 2
"""So many outputs of a few hosts are a group each; of more the lines are compared."""
SAME_NUMBER = 0.9
"""Where hosts have lines of their own, and so many have as many of them, hosts with another number
deviate."""
DEPTH = 3
"""As often as kinds of hosts are split further."""


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
    lines: tuple[int, ...]
    """Hashes of the lines, or of the one before the place."""


def variants_max(hosts: int) -> int:
    """How many different outputs of so many hosts are a group each."""
    return min(VARIANTS, max(4, hosts // 4)) if hosts < SMALL_HOSTS else VARIANTS


def by_lines(table: Table, hosts: Array, *, failed: bool = False, depth: int = 0) -> list[Part]:
    """Groups of hosts of one outcome."""
    variants = by_sequence(table, hosts)
    most = variants_max(len(hosts)) if depth == 0 else 1
    if failed:
        most = max(most, len(hosts) // 20)  # outputs that come back are ways to fail, not noise
    few = len(variants) <= most
    small = len(hosts) < SMALL_HOSTS
    if (few or len(hosts) < FEW_HOSTS) and (
        failed or len(variants) <= (FEW_VARIANTS if small else 1)
    ):
        return [Part(Why.VARIANT, (), variant) for variant in variants]
    if len(hosts) < FEW_HOSTS:
        if _each_alike(table, variants):
            return [Part(Why.VARIANT, (), hosts)]
        return [Part(Why.VARIANT, (), variant) for variant in variants]
    lines = LineShares(table, variants)
    if few and not small and not lines.come_and_go:
        return [Part(Why.VARIANT, (), variant) for variant in variants]
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
        Part(what[0], what[1], np.concatenate(own))
        if what
        else Part(Why.VARIANT, (), np.concatenate(own))
        for (what, _), own in made.items()
    ]


def _each_alike(table: Table, variants: Sequence[Array]) -> bool:
    """Whether nearly each of very few hosts printed something of its own besides what they share:
    then nobody can say who deviates."""
    if len(variants) < max(EACH_MIN, EACH * sum(map(len, variants))):
        return False
    lines = LineShares(table, variants)
    return bool(lines.core.sum() * 2 >= len(lines.index) / len(variants))


def _deviations(lines: LineShares, *, failed: bool) -> list[list[_Deviation]]:
    """How each variant deviates."""
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
        # Many have some line here, each another; but ways to fail are kept apart.
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
    """Which own lines of hosts that lack a line of nearly all look like the noise of others: it
    may be the line behind which these stand."""
    cores = np.bincount(lines.owners, lines.core[lines.index], len(lines.weights))
    lacking = cores < lines.core.sum()
    return own & lacking[lines.owners] & np.isin(lines.forms, np.unique(lines.forms[noisy]))


def _strange(lines: LineShares, crowded: Array) -> Array:
    """Which lines, where many hosts have some of their own, look like none of these, or tell of
    trouble as few hosts do: if few hosts have such lines at all."""
    found = np.zeros_like(crowded)
    some = lines.strange(crowded)
    for strange in (some & (lines.forms & TROUBLE > 0), some):
        found |= strange & (lines.crowds(strange) <= lines.few)
    return found


def _mostly_unique(lines: LineShares, before: Array, own: Array) -> Array:
    """Which lines stand in a place where nearly every host has another one."""
    hosts = np.bincount(before[own] + 1, lines.weights[lines.owners[own]], len(lines.lines) + 1)
    kinds = np.unique(np.stack([before[own], lines.index[own]]), axis=1)[0]
    different = np.bincount(kinds + 1, minlength=len(lines.lines) + 1)
    return (different * 3 > hosts)[before + 1]


def _other_numbers(
    lines: LineShares, before: Array, noisy: Array, deviating: list[list[_Deviation]]
) -> None:
    """Where each host has lines of its own: who has another number of them."""
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
    """Variant and line, of lines that nearly all have and this one has not."""
    cores = np.flatnonzero(lines.core & ~lines.at_random)
    number = np.full(len(lines.lines), -1)
    number[cores] = np.arange(len(cores))
    has = np.zeros((len(lines.weights), len(cores)), bool)
    of_core = number[lines.index] >= 0
    has[lines.owners[of_core], number[lines.index[of_core]]] = True
    return [(int(v), int(cores[c])) for v, c in zip(*np.nonzero(~has), strict=True)]
