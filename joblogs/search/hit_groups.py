"""Groups of search hits: hosts that printed the same are one group, so 487 equal hits are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from joblogs.grouping.features import Log
from joblogs.grouping.host_ranges import fold
from joblogs.grouping.looks import Look, looks
from joblogs.query import Result

from .finder import Hits, Line
from .hit_outliers import outlier_places

GROUPS_MAX = 60
HOSTS_MAX, NAMED_MAX = 300, 1_000
"""Hosts that are named: of a group, and of a page. The first of a group always is."""
NAMED_AT_HEAD = 6
FOLDED_MAX = 12
"""Parts of folded names at the head of a group."""
LOOKED_AT_ONCE, LOOKED_AT_BYTES = 500, 256 * 1024
"""Hosts whose hits are looked at together, and bytes of these."""
KEPT_BYTES = 4 * 1024 * 1024
"""Of all hits what is kept, to show those hosts apart that differ in a value the masks hide."""


class HostWithHits(NamedTuple):
    """A host of a group."""

    bk_host_id: int
    name: str


@dataclass(slots=True)
class HitGroup:
    """Hosts whose hits are similar: equal but for slots."""

    label: str
    count: int
    """Hits of each host."""
    lines: list[Line]
    is_outlier: bool = False
    """Only a value tells these from others."""
    hosts: list[HostWithHits] = field(default_factory=list)
    total: int = 0
    values: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """By host the slots in its hits, which may tell it from the others."""
    kept: dict[int, tuple[HostWithHits, list[Line]]] = field(default_factory=dict)

    @property
    def many(self) -> bool:
        """They are folded at the head of the group, and named below it."""
        return self.total > NAMED_AT_HEAD

    @property
    def folded(self) -> list[str]:
        """The names in few words."""
        return fold(host.name for host in self.hosts)[:FOLDED_MAX]

    @property
    def more(self) -> int:
        """Hosts that are not named."""
        return self.total - len(self.hosts)

    @property
    def hidden(self) -> int:
        """Hits of the sample that are not shown."""
        return self.count - sum(line.matches for line in self.lines)


@dataclass(slots=True)
class SearchResults:
    """Results of a search, as far as it came."""

    groups: list[HitGroup] = field(default_factory=list)
    beyond: int = 0
    """Hosts whose groups are too many to be shown."""
    hits: int = 0
    hosts: set[int] = field(default_factory=set)


def gather(
    search: Iterable[Hits],
    labels: dict[int, Result],
) -> SearchResults:
    """Run a search to its end, or to that of its budget."""
    results, groups, named = SearchResults(), dict[tuple[str, int, bytes], HitGroup](), 0
    bytes_left = KEPT_BYTES
    for hits, look in _looked_at(search, labels):
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
        made += _taken_out(group, most=GROUPS_MAX - len(made))
    # As on the step page: the few that are special before the crowd.
    results.groups = sorted(made, key=lambda group: group.total)
    return results


def _looked_at(search: Iterable[Hits], labels: dict[int, Result]) -> Iterator[tuple[Hits, Look]]:
    for some in _batches(search):
        texts = [
            Log(
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


def _taken_out(group: HitGroup, *, most: int) -> Iterable[HitGroup]:
    """The hosts with another value than nearly all of a group have: groups of their own."""
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
        # What is shown may have been that of one of those.
        group.lines = group.kept[group.hosts[0].bk_host_id][1]
    return apart.values()


def label_of(host: int, result: Result | None) -> str:
    """What people call a host."""
    return str(host) if result is None else result.display_name
