"""Values that the masks hide and that are the same on nearly all hosts of a group: who differs.

487 hosts printed the like, but one of them loaded another checksum. It is no other shape, so it
would drown in the group; here it is taken out of it. Nothing is read for this: the hashes that
fingerprints hold are compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from joblogs.compare import STEADY_HOSTS, STEADY_SHARE
from joblogs.logtext.fingerprint import OWN
from joblogs.query import StepHost

Values = tuple[bytes, ...]
"""Hashes of the telling values of a log, in their order."""
Places = tuple[int, ...]
"""Of telling values, as a log has them, from 0."""


class Outlier(NamedTuple):
    """A value that differs, in a place where nearly all hosts of the group have the usual one."""

    place: int
    usual: int
    """Hosts that have the usual value."""
    values: list[list[StepHost]]
    """The hosts of each other value, the most first."""


def outlier_hosts(hosts: Sequence[StepHost]) -> dict[Places, list[StepHost]]:
    """Of hosts that printed the like those that differ, by the places in which they do."""
    places = outlier_places({host.bk_host_id: host.value_hashes for host in hosts})
    grouped: dict[Places, list[StepHost]] = defaultdict(list)
    for host in hosts if places else ():
        if host.bk_host_id in places:
            grouped[places[host.bk_host_id]].append(host)
    return grouped


def outlier_places(values: Mapping[int, Values | None]) -> dict[int, Places]:
    """Of hosts, by what they have in each place, those that differ from nearly all, and where."""
    comparable = _comparable(values)
    if len(comparable) < STEADY_HOSTS:
        return {}
    steady = {}
    for place, column in enumerate(zip(*comparable.values(), strict=True)):
        ((value, count),) = Counter(column).most_common(1)
        if value != OWN and STEADY_SHARE * len(comparable) <= count < len(comparable):
            steady[place] = value
    if not steady:
        return {}
    outliers = {
        host: tuple(place for place, value in steady.items() if own[place] not in (value, OWN))
        for host, own in comparable.items()
    }
    return {host: places for host, places in outliers.items() if places}


def outlier_values(
    places: Places, hosts: Sequence[StepHost], usual: Sequence[StepHost]
) -> list[Outlier]:
    """What these hosts have in the places in which they differ; of places that tell hosts apart
    in one way, the first."""
    ordinary = _comparable({host.bk_host_id: host.value_hashes for host in usual})
    grouped: dict[tuple[frozenset[int], ...], Outlier] = {}
    for place in places:
        by_value: dict[bytes, list[StepHost]] = defaultdict(list)
        for host in hosts:
            by_value[(host.value_hashes or ())[place]].append(host)
        values = sorted(by_value.values(), key=lambda own: (-len(own), own[0].bk_host_id))
        ways = tuple(frozenset(host.bk_host_id for host in own) for own in values)
        ((_, count),) = Counter(own[place] for own in ordinary.values()).most_common(1)
        grouped.setdefault(ways, Outlier(place, count, values))
    return list(grouped.values())


def _comparable(known: Mapping[int, Values | None]) -> dict[int, Values]:
    """What is known; only of hosts with as many values as most, so that the same place is the
    same thing on each."""
    comparable = {host: own for host, own in known.items() if own is not None}
    ((size, _),) = Counter(map(len, comparable.values())).most_common(1) or [(0, 0)]
    return {host: own for host, own in comparable.items() if len(own) == size}
