"""Hosts with another value than nearly all hosts that printed a similar line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from joblogs.grouping.slots import CLOCK, DATE, DATE_WITHOUT_YEAR, OWN
from joblogs.grouping.value_groups import STEADY

HOSTS_MIN = 5
"""For fewer hosts it is not known which value is usual."""

Slots = tuple[int, ...]
Places = tuple[int, ...]
"""Indexes of slots, from 0."""


def outlier_places(slots: Mapping[int, Slots]) -> dict[int, Places]:
    """Return the hosts whose slots differ from those of nearly all hosts, and the places in which
    they do."""
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
    """Return the hosts with the most common number of slots, so that places are comparable."""
    ((size, _),) = Counter(map(len, slots.values())).most_common(1) or [(0, 0)]
    return {host: own for host, own in slots.items() if len(own) == size}
