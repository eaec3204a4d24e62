"""Hosts with another value than nearly all that printed a line alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from joblogs.grouping.slots import CLOCK, DATE, DATE_WITHOUT_YEAR, OWN
from joblogs.grouping.value_groups import STEADY

HOSTS_MIN = 5
"""Of fewer hosts nothing says what is usual."""

Slots = tuple[int, ...]
Places = tuple[int, ...]
"""Of slots, from 0."""


def outlier_places(slots: Mapping[int, Slots]) -> dict[int, Places]:
    """Of hosts, by the slots of the lines that they printed, those that differ from nearly all,
    and where."""
    comparable = _comparable(slots)
    if len(comparable) < HOSTS_MIN:
        return {}
    steady = {}
    for place, column in enumerate(zip(*comparable.values(), strict=True)):
        ((value, count),) = Counter(column).most_common(1)
        is_moment = value >> 24 in (DATE, DATE_WITHOUT_YEAR, CLOCK, OWN)
        if not is_moment and STEADY * len(comparable) <= count < len(comparable):
            steady[place] = value
    if not steady:
        return {}
    outliers = {
        host: tuple(p for p, value in steady.items() if own[p] not in (value, OWN << 24))
        for host, own in comparable.items()
    }
    return {host: places for host, places in outliers.items() if places}


def _comparable(slots: Mapping[int, Slots]) -> dict[int, Slots]:
    """Those with as many slots as most, so that the same place is the same thing on each."""
    ((size, _),) = Counter(map(len, slots.values())).most_common(1) or [(0, 0)]
    return {host: own for host, own in slots.items() if len(own) == size}
