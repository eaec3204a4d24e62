"""Values that the masks hide and that are the same on nearly all hosts of a group: who differs.

487 hosts printed the like, but one of them loaded another checksum. It is no other shape, so it
would drown in the group; here it is taken out of it. Nothing is read for this: the hashes that
fingerprints hold are compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from joblogs.compare import STEADY_HOSTS, STEADY_SHARE
from joblogs.content.shape import OWN
from joblogs.query.overview import HostOverview

Places = tuple[int, ...]
"""Of telling values, as a log has them, from 0."""


class Odd(NamedTuple):
    """A value that differs, in a place where nearly all hosts of the group have the usual one."""

    place: int
    usual: int
    """Hosts that have the usual value."""
    values: list[list[HostOverview]]
    """The hosts of each other value, the most first."""


def odd_hosts(hosts: Sequence[HostOverview]) -> dict[Places, list[HostOverview]]:
    """Of hosts that printed the like those that differ, by the places in which they do."""
    told = _told(hosts)
    if len(told) < STEADY_HOSTS:
        return {}
    steady = {}
    for place, values in enumerate(zip(*told.values(), strict=True)):
        ((value, count),) = Counter(values).most_common(1)
        if value != OWN and STEADY_SHARE * len(told) <= count < len(told):
            steady[place] = value
    found: dict[Places, list[HostOverview]] = defaultdict(list)
    for host in hosts if steady else ():
        own = told.get(host.bk_host_id)
        if own is not None:
            places = tuple(p for p, value in steady.items() if own[p] not in (value, OWN))
            if places:
                found[places].append(host)
    return found


def odd_values(
    places: Places, hosts: Sequence[HostOverview], usual: Sequence[HostOverview]
) -> list[Odd]:
    """What these hosts have in the places in which they differ; of places that tell hosts apart
    in one way, the first."""
    ordinary = _told(usual)
    found: dict[tuple[frozenset[int], ...], Odd] = {}
    for place in places:
        by_value: dict[bytes, list[HostOverview]] = defaultdict(list)
        for host in hosts:
            by_value[(host.telling or ())[place]].append(host)
        values = sorted(by_value.values(), key=lambda own: (-len(own), own[0].bk_host_id))
        ways = tuple(frozenset(host.bk_host_id for host in own) for own in values)
        ((_, count),) = Counter(own[place] for own in ordinary.values()).most_common(1)
        found.setdefault(ways, Odd(place, count, values))
    return list(found.values())


def _told(hosts: Sequence[HostOverview]) -> dict[int, tuple[bytes, ...]]:
    """The values of the hosts that are known; only those with as many as most, so that the same
    place is the same thing on each."""
    known = {host.bk_host_id: host.telling for host in hosts}
    told = {host: own for host, own in known.items() if own is not None}
    ((size, _),) = Counter(map(len, told.values())).most_common(1) or [(0, 0)]
    return {host: own for host, own in told.items() if len(own) == size}
