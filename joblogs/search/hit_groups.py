"""Groups of search hits: hosts with the same hits are one group, so 487 equal hits are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from joblogs.grouping.features import LogSample
from joblogs.grouping.host_ranges import fold
from joblogs.grouping.looks import Look, looks
from joblogs.query import Result

from .finder import FoundLine, Hits
from .hit_outliers import outlier_places

GROUPS_MAX = 60
HOSTS_MAX, NAMED_MAX = 300, 1_000
"""Maximum named hosts of a group, and of a page. The first host of a group is always named."""
NAMED_AT_HEAD = 6
FOLDED_MAX = 12
"""Maximum parts of folded names at the head of a group."""
LOOKED_AT_ONCE, LOOKED_AT_BYTES = 500, 256 * 1024
"""Hosts whose hits are compared together, and bytes of these hits."""
KEPT_BYTES = 4 * 1024 * 1024
"""Bytes of hits that are kept, to show hosts separately that differ in a value hidden by masks."""


class HostWithHits(NamedTuple):
    """Host of a group, with its name."""

    bk_host_id: int
    name: str


@dataclass(slots=True)
class HitGroup:
    """Group of hosts whose hits are similar: equal except for slots."""

    label: str
    count: int
    """Number of hits of each host."""
    lines: list[FoundLine]
    is_outlier: bool = False
    """Whether these hosts differ from others only in a value."""
    hosts: list[HostWithHits] = field(default_factory=list)
    total: int = 0
    values: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Slots in the hits by host, which may distinguish it from the others."""
    kept: dict[int, tuple[HostWithHits, list[FoundLine]]] = field(default_factory=dict)

    @property
    def many(self) -> bool:
        """Whether its names are folded at its head and listed below."""
        return self.total > NAMED_AT_HEAD

    @property
    def folded(self) -> list[str]:
        """Folded names, at most FOLDED_MAX parts."""
        return fold(host.name for host in self.hosts)[:FOLDED_MAX]

    @property
    def more(self) -> int:
        """Number of hosts that are not named."""
        return self.total - len(self.hosts)

    @property
    def hidden(self) -> int:
        """Number of hits of the sample that are not shown."""
        return self.count - sum(line.matches for line in self.lines)


@dataclass(slots=True)
class SearchResults:
    """Results of a search, which may have ended early."""

    groups: list[HitGroup] = field(default_factory=list)
    beyond: int = 0
    """Number of hosts in groups beyond GROUPS_MAX."""
    hits: int = 0
    hosts: set[int] = field(default_factory=set)


def gather(
    search: Iterable[Hits],
    labels: dict[int, Result],
) -> SearchResults:
    """Run a search to its end or the end of its budget, and group its hits."""
    results, groups, named = SearchResults(), dict[tuple[str, int, bytes], HitGroup](), 0
    bytes_left = KEPT_BYTES
    for hits, look in _with_looks(search, labels):
        host = hits.host.bk_host_id
        label = labels.get(host)
        key = hits.label, hits.count, look.skeleton
        results.hits += hits.count
        results.hosts.add(host)
        if key not in groups:
            if len(groups) == GROUPS_MAX:
                results.beyond += 1
                continue
            groups[key] = HitGroup(hits.label, hits.count, hits.lines)
        group = groups[key]
        group.total += 1
        group.values[host] = look.slots
        bytes_left -= sum(len(line.data) for line in hits.lines)
        if bytes_left > 0:
            group.kept[host] = HostWithHits(host, label_of(host, label)), hits.lines
        if not group.hosts or (len(group.hosts) < HOSTS_MAX and named < NAMED_MAX):
            named += 1
            group.hosts.append(HostWithHits(host, label_of(host, label)))
    made = list(groups.values())
    for group in groups.values():
        made += _remove_outliers(group, most=GROUPS_MAX - len(made))
    # As on the step page: small groups before large ones.
    results.groups = sorted(made, key=lambda group: group.total)
    return results


def _with_looks(search: Iterable[Hits], labels: dict[int, Result]) -> Iterator[tuple[Hits, Look]]:
    for some in _batches(search):
        texts = [
            LogSample(
                b"".join(line.data for line in hits.lines if line.matches),
                label.own_names if (label := labels.get(hits.host.bk_host_id)) else (),
            )
            for hits in some
        ]
        yield from zip(some, looks(texts), strict=True)


def _batches(search: Iterable[Hits]) -> Iterator[list[Hits]]:
    some: list[Hits] = []
    size = 0
    for hits in search:
        some.append(hits)
        size += sum(len(line.data) for line in hits.lines)
        if len(some) >= LOOKED_AT_ONCE or size >= LOOKED_AT_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _remove_outliers(group: HitGroup, *, most: int) -> Iterable[HitGroup]:
    """Remove hosts from a group that have another value than nearly all others, and return them as
    at most `most` new groups."""
    apart: dict[tuple[int, ...], HitGroup] = {}
    for host, places in outlier_places(group.values).items():
        if host not in group.kept or [named.bk_host_id for named in group.hosts] == [host]:
            continue
        named, lines = group.kept[host]
        key = (*places, -1, *(group.values[host][place] for place in places))
        if key not in apart:
            if len(apart) >= most:
                continue
            apart[key] = HitGroup(group.label, group.count, lines, is_outlier=True)
        apart[key].hosts.append(named)
        apart[key].total += 1
        group.total -= 1
        group.hosts = [other for other in group.hosts if other.bk_host_id != host]
    if apart and group.hosts and group.hosts[0].bk_host_id in group.kept:
        # The shown lines may have been those of a removed host.
        group.lines = group.kept[group.hosts[0].bk_host_id][1]
    return apart.values()


def label_of(host: int, result: Result | None) -> str:
    """Return the display name of a host; its id if it has no result."""
    return str(host) if result is None else result.display_name
