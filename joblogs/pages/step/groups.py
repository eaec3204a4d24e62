"""The hosts of a step in groups of those that ended alike and printed alike."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

from joblogs.choices import HOST_SUCCEEDED, HostStatus, host_rank
from joblogs.pages.formats import host_status_label
from joblogs.query import StepHost
from joblogs.query.overview import Overview, normal_status

from .outliers import Outlier, outlier_hosts, outlier_values

TIMED_OUT = {
    *(HostStatus.TIMED_OUT, HostStatus.SCRIPT_TIMED_OUT, HostStatus.FILE_TIMED_OUT),
    *(HostStatus.SCRIPT_LOG_TIMED_OUT, HostStatus.FILE_LOG_TIMED_OUT),
}
SHADES = 5
"""Ways to fail that have a colour of their own; all further ones share the last."""


class Kind(StrEnum):
    """What became of a host, as the pages colour it; the worst first."""

    BAD = "bad"
    LATE = "late"
    SILENT = "silent"
    RUNNING = "run"
    WAITING = "wait"
    OK = "ok"


WORST_FIRST = {kind: rank for rank, kind in enumerate(Kind)}


def kind_of_status(status: int) -> Kind:
    """What a status alone says."""
    if status in HOST_SUCCEEDED:
        return Kind.OK
    if status in TIMED_OUT:
        return Kind.LATE
    return (Kind.WAITING, Kind.RUNNING, Kind.BAD)[host_rank(status)]


def kind_of(host: StepHost, *, prints: bool) -> Kind:
    """What became of a host; `prints` says that its step prints something at all."""
    kind = kind_of_status(host.status)
    return Kind.SILENT if prints and host.silent and kind in (Kind.BAD, Kind.LATE) else kind


@dataclass
class Group:
    """Hosts with one outcome and one output."""

    key: str
    kind: Kind
    status: int
    exit_code: int | None
    tag: str
    known: bool
    """False: these have output that was not fingerprinted (yet), equal or not."""
    hosts: list[StepHost]
    crowd: bool = False
    colour: str = ""
    outliers: list[Outlier] = field(default_factory=list)
    """These printed what `like` did, but for these values."""
    like: Group | None = None

    @cached_property
    def label(self) -> str:
        """The status in words; of an exit code that is not zero, the code."""
        return host_status_label(self.status, self.exit_code)

    @cached_property
    def worst_first(self) -> tuple[bool, int, int]:
        """What to sort the hosts of several groups by: what is rare and bad first."""
        return self.crowd, WORST_FIRST[self.kind], len(self.hosts)

    @property
    def failed_by_exit_code(self) -> bool:
        """Whether the exit code says all of why it failed."""
        return self.status == HostStatus.EXIT_CODE_NOT_ZERO and bool(self.exit_code)

    @property
    def first(self) -> StepHost:
        return self.hosts[0]

    @property
    def silent(self) -> bool:
        return self.known and not self.first.size


def groups(step_overview: Overview, *, identical: bool, prints: bool) -> list[Group]:
    """The groups, smallest first, the crowd last: it is the largest that did it."""
    together: dict[tuple[object, ...], list[StepHost]] = defaultdict(list)
    for host in step_overview.by_name:
        printed = host.print_of(identical=identical) if host.newest.finished else ()
        newest = host.newest
        key = (normal_status(host.status), newest.exit_code, newest.tag or "", printed)
        together[key].append(host)
    made = [
        Group(
            key=hashlib.sha256(repr(key).encode()).hexdigest()[:12],
            kind=kind_of(min(hosts, key=attrgetter("newest.host_id")), prints=prints),
            status=key[0],  # type: ignore[arg-type]
            exit_code=key[1],  # type: ignore[arg-type]
            tag=key[2],  # type: ignore[arg-type]
            known=key[3] is not None,
            hosts=hosts,
        )
        for key, hosts in together.items()
    ]
    if not identical:
        made += [outlier for group in made for outlier in _taken_out(group)]
    crowd = _crowd(made)
    if crowd is not None:
        crowd.crowd = True
    _colour(made)
    made.sort(key=lambda group: (group.crowd, len(group.hosts), *_rank(group)))
    return made


def _taken_out(group: Group) -> list[Group]:
    """Those of a group that have other values than nearly all of it: groups of their own."""
    by_places = outlier_hosts(group.hosts) if group.known and group.first.newest.finished else {}
    if not by_places:
        return []
    other = {host.bk_host_id for hosts in by_places.values() for host in hosts}
    group.hosts = [host for host in group.hosts if host.bk_host_id not in other]
    return [
        replace(
            group,
            key=hashlib.sha256(f"{group.key} {places}".encode()).hexdigest()[:12],
            hosts=hosts,
            outliers=outlier_values(places, hosts, group.hosts),
            like=group,
        )
        for places, hosts in by_places.items()
    ]


def _rank(group: Group) -> tuple[int, int]:
    return WORST_FIRST[group.kind], group.first.place


def _crowd(made: Iterable[Group]) -> Group | None:
    known = [group for group in made if group.known and group.first.newest.finished]
    ok = [group for group in known if group.kind is Kind.OK]
    return max(ok or known, key=lambda group: (len(group.hosts), group.key), default=None)


def _colour(made: list[Group]) -> None:
    bad = [group for group in made if group.kind is Kind.BAD]
    bad.sort(key=lambda group: (-len(group.hosts), group.key))
    shades = {group.key: f"bad{min(shade, SHADES)}" for shade, group in enumerate(bad, start=1)}
    for group in made:
        odd = group.kind is Kind.OK and not group.crowd
        group.colour = shades.get(group.key) or ("odd" if odd else str(group.kind))
