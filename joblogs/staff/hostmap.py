"""All hosts of a step as squares: one for each, or one for several where they are too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from django.utils.translation import gettext

from joblogs.query.overview import HostOverview

from .groups import WORST_FIRST, Group, in_order
from .host_table import ROWS

SQUARES_MAX = 3_000
NAMES_MAX = 100_000
"""Characters of all names: longer ones are for the table."""
AGGREGATED = 1_000


class Square(NamedTuple):
    """A host, or several that follow each other by name."""

    colour: str
    title: str
    bk_host_id: int
    first: int
    """Where its first host is in the order of names, from 0."""
    hosts: int

    @property
    def page(self) -> int:
        """The page of the host table that its first host is on."""
        return self.first // ROWS + 1


class LegendEntry(NamedTuple):
    """What a colour of the map stands for."""

    colour: str
    hosts: int
    label: str
    group: str
    """The key of the first group of this colour."""


def squares(groups: Sequence[Group]) -> list[Square]:
    """The map, in the order of names."""
    group_of = {host.bk_host_id: group for group in groups for host in group.hosts}
    hosts = sorted((host for group in groups for host in group.hosts), key=in_order)
    if len(hosts) <= SQUARES_MAX and sum(len(host.name) for host in hosts) <= NAMES_MAX:
        return [
            Square(group_of[host.bk_host_id].colour, host.name, host.bk_host_id, place, 1)
            for place, host in enumerate(hosts)
        ]
    each = -(-len(hosts) // AGGREGATED)
    return [
        _square(place, hosts[place : place + each], group_of)
        for place in range(0, len(hosts), each)
    ]


def _square(place: int, hosts: list[HostOverview], group_of: dict[int, Group]) -> Square:
    groups = [group_of[host.bk_host_id] for host in hosts]
    # The rarest of the worst: what is not like everything else must not drown.
    worst = min(groups, key=lambda group: (group.crowd, WORST_FIRST[group.kind], len(group.hosts)))
    labels = Counter(group.label for group in groups)
    said = ", ".join(f"{count} {label}" for label, count in labels.most_common())
    title = gettext("%(first)s to %(last)s: %(said)s") % {
        "first": hosts[0].name[:60],
        "last": hosts[-1].name[:60],
        "said": said,
    }
    return Square(worst.colour, title, hosts[0].bk_host_id, place, len(hosts))


def legend(groups: Sequence[Group]) -> list[LegendEntry]:
    """What the colours stand for, the most hosts first."""
    hosts = Counter[str]()
    labels: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for group in groups:
        first.setdefault(group.colour, group.key)
        hosts[group.colour] += len(group.hosts)
        labels.setdefault(group.colour, []).append(_label(group))
    return [
        LegendEntry(colour, count, _together(labels[colour]), first[colour])
        for colour, count in hosts.most_common()
    ]


def _label(group: Group) -> str:
    if group.colour == "odd":
        return gettext("succeeded with other output")
    if group.colour == "silent":
        return gettext("said nothing")
    return f"{group.label} ({group.exit_code})" if group.exit_code else group.label


def _together(labels: list[str]) -> str:
    different = list(dict.fromkeys(labels))
    return " · ".join(different) if len(different) < 3 else gettext("other ways to fail")
