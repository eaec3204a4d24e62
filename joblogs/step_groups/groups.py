"""Groups of a step's hosts, by outcome and then by output."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from joblogs import log_features, query
from joblogs.choices import HOST_SUCCEEDED, StepType
from joblogs.grouping.failure_keys import failure_key, telling_lines
from joblogs.grouping.features import LogSample
from joblogs.grouping.groups import Outcome, group_hosts, lines_of_successes
from joblogs.grouping.line_groups import Why
from joblogs.grouping.tables import Table
from joblogs.grouping.value_groups import Place
from joblogs.models import StepInstance
from joblogs.query import Range, StepHost
from joblogs.query.overview import Overview, normal_status

Array = npt.NDArray[Any]

LUCK_BYTES = 64 * 1024
"""Bytes read of a log to find words that vary, and whether only these make its host different."""


class Printed(StrEnum):
    """What is known about the output of a group's hosts."""

    COMPARED = "compared"
    NOTHING = "nothing"
    UNKNOWN = "unknown"
    """It has not been compared yet, or was deleted by the retention policy."""
    RUNNING = "running"
    """The hosts have not finished."""


@dataclass(eq=False)
class StepGroup:
    """Group of hosts with the same outcome and similar output, by name."""

    status: int
    exit_code: int | None
    tag: str
    hosts: list[StepHost]
    printed: Printed
    why: Why = Why.VARIANT
    lines: tuple[int, ...] = ()
    """Hashes of the lines that make it different."""
    places: tuple[Place, ...] = ()
    """Places of the values that make it different."""
    like: StepGroup | None = None
    """Group from which it differs only in values."""
    is_crowd: bool = False
    """Whether it is the largest group that succeeded, or the largest of all if none did."""
    other_output: bool = False
    """Whether its output differs from the crowd's; a different tag or exit code does not count."""
    rows: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    """Rows of its hosts in the table of features."""

    @property
    def first(self) -> StepHost:
        return self.hosts[0]

    @property
    def finished(self) -> bool:
        return self.printed is not Printed.RUNNING

    @property
    def succeeded(self) -> bool:
        return self.status in HOST_SUCCEEDED

    @property
    def failed(self) -> bool:
        return self.finished and not self.succeeded

    @cached_property
    def key(self) -> str:
        """Name of the group in addresses, which does not change while its first host stays."""
        what = (self.status, self.exit_code, self.tag, self.printed, self.first.bk_host_id)
        return hashlib.sha256(repr(what).encode()).hexdigest()[:12]


@dataclass(eq=False)
class StepGroups:
    """Groups of a step: failures first, the largest before others; the crowd last."""

    overview: Overview
    groups: list[StepGroup]
    compared: int = 0
    to_compare: int = 0
    """Finished hosts with output; `compared` is the number of these that were compared."""
    table: Table = field(default_factory=lambda: Table([]))
    hosts: list[StepHost] = field(default_factory=list)
    """Hosts of the table's rows."""
    lines_of_successes: set[int] = field(default_factory=set)
    read_hosts: set[int] = field(default_factory=set)
    read_bytes: int = 0
    """Bytes of log text read for the groups; `read_hosts` has the ids of the hosts."""
    is_similar: bool = True

    @property
    def step(self) -> StepInstance:
        return self.overview.step

    @cached_property
    def failure_keys(self) -> dict[str, bytes]:
        """Failure keys by the keys of the failing groups; none for output that was not compared."""
        keys = {}
        for group in self.groups:
            if group.failed and group.printed in (Printed.COMPARED, Printed.NOTHING):
                lines = telling_lines(self.table, group.rows, self.lines_of_successes)
                keys[group.key] = failure_key(group.status, group.exit_code, lines)
        return keys

    @property
    def crowd(self) -> StepGroup | None:
        return next((group for group in self.groups if group.is_crowd), None)


class _Key(NamedTuple):
    status: int
    exit_code: int | None
    tag: str
    printed: Printed


def computed_groups(overview: Overview, *, seconds: float = 0) -> StepGroups:
    """Return groups of hosts with similar output. Missing features are computed for at most
    `seconds`; hosts that still have none are grouped by outcome."""
    made = StepGroups(overview, [])
    features = _features(overview, seconds)
    hosts: dict[_Key, list[StepHost]] = defaultdict(list)
    compared: list[tuple[StepHost, _Key]] = []
    for host in overview.by_name:
        key = _key(host, overview, features)
        hosts[key].append(host)
        if key.printed is Printed.COMPARED:
            compared.append((host, key))
    made.hosts = [host for host, _ in compared]
    made.compared = made.to_compare = len(compared)
    if overview.step.job.expired_at is None:
        unknown = (own for key, own in hosts.items() if key.printed is Printed.UNKNOWN)
        made.to_compare += sum(map(len, unknown))
    if compared:
        made.table = Table([_packed(host, features) for host in made.hosts])
        made.groups += _compared(made, [key for _, key in compared])
    others = (pair for pair in hosts.items() if pair[0].printed is not Printed.COMPARED)
    made.groups += [StepGroup(*key[:3], own, key.printed) for key, own in others]
    _settle(made)
    return made


def identical_groups(overview: Overview, similar: StepGroups) -> StepGroups:
    """Return groups of hosts with identical output."""
    hosts: dict[tuple[_Key, Hashable], list[StepHost]] = defaultdict(list)
    for host in overview.by_name:
        digests = host.digests
        printed = Printed.COMPARED if digests is not None else Printed.UNKNOWN
        key = _outcome(host, overview, printed)
        hosts[key, digests if key.printed is Printed.COMPARED else None].append(host)
    row_of = {host.bk_host_id: row for row, host in enumerate(similar.hosts)}

    def rows_of(own: Iterable[StepHost]) -> Array:
        known = [row_of[host.bk_host_id] for host in own if host.bk_host_id in row_of]
        return np.array(known, np.int64)

    made = StepGroups(
        overview,
        [
            StepGroup(*key[:3], own, key.printed, rows=rows_of(own))
            for (key, _), own in hosts.items()
        ],
        table=similar.table,
        hosts=similar.hosts,
        lines_of_successes=similar.lines_of_successes,
        is_similar=False,
    )
    made.to_compare = sum(len(group.hosts) for group in made.groups if group.first.size)
    unknown = (group for group in made.groups if group.printed is Printed.UNKNOWN)
    made.compared = made.to_compare - sum(len(group.hosts) for group in unknown)
    _settle(made)
    return made


def _features(overview: Overview, seconds: float) -> dict[int, bytes]:
    """Return the features of the logs of finished hosts, by host result."""
    step = overview.step
    if step.step_type == StepType.FILE or step.job.expired_at is not None:
        return {}
    results = [
        result
        for host in overview.by_name
        if host.newest.finished
        for result in host.results
        if result.held_size
    ]
    if not results:
        return {}
    features = log_features.stored(step.day, results)
    missing = [result for result in results if result.pk not in features]
    if missing and seconds:
        features |= log_features.compute_and_keep(step.day, missing, seconds=seconds)
    return features


def _packed(host: StepHost, features: Mapping[int, bytes]) -> list[bytes]:
    return [features[result.pk] for result in host.results if result.held_size]


def _key(host: StepHost, overview: Overview, features: Mapping[int, bytes]) -> _Key:
    known = all(result.pk in features for result in host.results if result.held_size)
    return _outcome(host, overview, Printed.COMPARED if known else Printed.UNKNOWN)


def _outcome(host: StepHost, overview: Overview, printed: Printed) -> _Key:
    newest = host.newest
    if not newest.finished:
        printed = Printed.RUNNING
    elif not host.size or overview.step.step_type == StepType.FILE:
        printed = Printed.NOTHING
    return _Key(normal_status(host.status), newest.exit_code, newest.tag or "", printed)


def _compared(step_groups: StepGroups, keys: Sequence[_Key]) -> Iterable[StepGroup]:
    outcomes = [Outcome(key.status not in HOST_SUCCEEDED, key[:3]) for key in keys]
    table = step_groups.table
    found = group_hosts(table, outcomes, lambda rows: _logs(step_groups, rows))
    step_groups.lines_of_successes = table.with_alike(lines_of_successes(table, outcomes))
    of_rows: dict[int, StepGroup] = {}
    for group in found:
        rows = group.hosts
        key = keys[int(rows[0])]
        like = None if group.like is None else of_rows[int(group.like[0])]
        own = [step_groups.hosts[row] for row in rows.tolist()]
        of_rows[int(rows[0])] = StepGroup(
            *key[:3],
            own,
            key.printed,
            group.why,
            tuple(table.with_alike(group.lines)),
            group.places,
            like,
            rows=rows,
        )
    return of_rows.values()


def _logs(step_groups: StepGroups, rows: Sequence[int]) -> dict[int, LogSample]:
    """Return the beginnings of long logs of hosts that succeeded, and the ends of all others."""
    succeeded = (row for row in rows if step_groups.hosts[row].status in HOST_SUCCEEDED)
    long = [row for row in succeeded if step_groups.hosts[row].size > LUCK_BYTES]
    logs, rest = dict[int, LogSample](), sorted(set(rows).difference(long))
    for part, some in ((Range(0, LUCK_BYTES), long), (Range(tail=LUCK_BYTES), rest)):
        read = query.script_range(step_groups.step, [step_groups.hosts[row] for row in some], part)
        for row, (host, _, parts) in zip(some, read if some else (), strict=True):
            logs[row] = LogSample(b"".join(parts), host.newest.own_names)
            step_groups.read_hosts.add(host.bk_host_id)
    step_groups.read_bytes += sum(len(log.data) for log in logs.values())
    return logs


def _settle(step_groups: StepGroups) -> None:
    """Determine the crowd and the groups with other output, and sort the groups."""
    known = [g for g in step_groups.groups if g.printed in (Printed.COMPARED, Printed.NOTHING)]
    succeeded = [group for group in known if group.succeeded]
    crowd = max(succeeded or known, key=lambda g: (len(g.hosts), g.key), default=None)
    if crowd is not None:
        crowd.is_crowd = True
        _compare_with(crowd, known, step_groups.table)
    step_groups.groups.sort(
        key=lambda group: (
            not group.failed,
            group.is_crowd,
            not group.finished,
            -len(group.hosts) if group.failed else len(group.hosts),
            group.first.place,
        )
    )


def _compare_with(crowd: StepGroup, groups: Iterable[StepGroup], table: Table) -> None:
    outcome = (crowd.status, crowd.exit_code, crowd.tag)
    usual = set(table.sequences[crowd.rows].tolist())
    for group in groups:
        if group is crowd:
            continue
        if group.printed is not Printed.COMPARED or crowd.printed is not Printed.COMPARED:
            group.other_output = group.printed is not crowd.printed
        elif (group.status, group.exit_code, group.tag) == outcome or group.like is not None:
            group.other_output = True
        else:
            group.other_output = not usual.issuperset(table.sequences[group.rows].tolist())
