"""Counterpart of a log in a comparison: the majority, an earlier attempt or run, another host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from django.db.models import QuerySet

from joblogs import query
from joblogs.choices import StepType
from joblogs.compare import BYTES_MAX, Side, Steady, single_hosts, steady_values
from joblogs.models import HostResult, JobInstance, StepInstance
from joblogs.query import Attempts, Range, StepHost, host_history
from joblogs.query.overview import overview
from joblogs.step_groups import step_groups

COMPARE_SECONDS = 1.0
"""Longest time to group logs that are not grouped yet."""
SAMPLE_HOSTS = 50
SAMPLE_BYTES = 4 * 1024 * 1024
"""Hosts and bytes of a group that are read to find its steady values."""


class CounterpartKind(StrEnum):
    """Choices of the kind of counterpart."""

    GROUP = "group"
    ATTEMPT = "attempt"
    EARLIER = "earlier"
    HOST = "host"


class LogName(NamedTuple):
    """NamedTuple that identifies a host's log: step, host and attempts."""

    step: StepInstance
    bk_host_id: int
    attempts: Attempts


@dataclass
class Counterpart:
    """Counterpart of a log, or the reason why there is none."""

    log: LogName | None = None
    reason: str = ""
    """Reason without a counterpart: `nobody`, `no-group`, `alone`, `first`, `no-earlier`, `files`
    or `expired`."""
    gone: JobInstance | None = None
    """The job whose logs have expired, for the reason `expired`."""
    group_hosts: int = 0
    steady: Mapping[tuple[int, int], Steady] = field(default_factory=dict)
    sampled_hosts: int = 0
    sampled_bytes: int = 0


def find_counterpart(
    log: LogName, host: StepHost, kind: CounterpartKind, *, other: str, jobs: QuerySet[JobInstance]
) -> Counterpart:
    """Return the counterpart of a log of this kind.

    `host` is the log's host in its step. `other` names another host by id, name or address. An
    earlier run is searched for in `jobs`.
    """
    if log.step.job.expired_at is not None:
        return Counterpart(reason="expired", gone=log.step.job)
    if log.step.step_type == StepType.FILE:
        return Counterpart(reason="files")
    if kind is CounterpartKind.ATTEMPT:
        return _previous_attempt(log, host, host_history.results_on(log.step, log.bk_host_id))
    if kind is CounterpartKind.EARLIER:
        return _earlier_run(log, jobs)
    if kind is CounterpartKind.HOST:
        return _other_host(log, other)
    return _majority(log)


def side(step: StepInstance, host: StepHost, *, end: bool = False) -> Side:
    """Return the first or the last BYTES_MAX of a script log, in whole lines."""
    names, text = host.newest.own_names, query.script_text(step, host)
    if text.size <= BYTES_MAX:
        return Side(text.read(0, text.size) if text.size else b"", names)
    if end:
        data = text.read(text.size - BYTES_MAX, text.size)
        skipped = data.find(b"\n") + 1
        start = text.size - BYTES_MAX + skipped
        return Side(data[skipped:], names, text.newlines_before(start) + 1, cut=True)
    data = text.read(0, BYTES_MAX)
    return Side(data[: data.rfind(b"\n") + 1 or BYTES_MAX], names, cut=True)


def _previous_attempt(log: LogName, host: StepHost, results: list[HostResult]) -> Counterpart:
    now = max((result.execute_count for result in host.results), default=0)
    role = host.newest.role
    before = [r for r in results if r.execute_count < now and r.role == role]
    if not before:
        return Counterpart(reason="first")
    attempts = Attempts(before[0].execute_count, log.attempts.batch)
    return Counterpart(log._replace(attempts=attempts))


def _earlier_run(log: LogName, jobs: QuerySet[JobInstance]) -> Counterpart:
    step = host_history.same_step_before(jobs, log.step, log.bk_host_id)
    if step is None or not host_history.results_on(step, log.bk_host_id):
        return Counterpart(reason="no-earlier")
    if step.job.expired_at is not None:
        return Counterpart(reason="expired", gone=step.job)
    return Counterpart(LogName(step, log.bk_host_id, Attempts()))


def _other_host(log: LogName, other: str) -> Counterpart:
    host = _named(log.step, other.strip())
    if host is None:
        return Counterpart(reason="nobody")
    groups = step_groups(overview(log.step, log.attempts), seconds=COMPARE_SECONDS).groups
    hosts = next((g.hosts for g in groups if any(h.bk_host_id == host for h in g.hosts)), [])
    group = _sampled(log, hosts[:SAMPLE_HOSTS])
    group.log = log._replace(bk_host_id=host)
    return group


def _named(step: StepInstance, other: str) -> int | None:
    """Return the id of a host of the step by id, name or address, or None."""
    for host, result in host_history.host_labels(step).items() if other else ():
        if other in (str(host), result.host_name, result.ip, result.ipv6):
            return host
    return None


def _majority(log: LogName) -> Counterpart:
    crowd = step_groups(overview(log.step, log.attempts), seconds=COMPARE_SECONDS).crowd
    if crowd is None or not crowd.first.size:
        return Counterpart(reason="no-group")
    others = [host for host in crowd.hosts if host.bk_host_id != log.bk_host_id]
    if not others:
        return Counterpart(reason="alone")
    group = _sampled(log, others[:SAMPLE_HOSTS])
    if group.log is None:
        group.log = log._replace(bk_host_id=others[0].bk_host_id)
    group.group_hosts = len(crowd.hosts)
    return group


def _sampled(log: LogName, members: list[StepHost]) -> Counterpart:
    """Return the steady values of these hosts, and the host that differs least from them."""
    bytes_left, chosen = SAMPLE_BYTES, []
    for member in members:
        bytes_left -= member.size
        if bytes_left < 0:
            break
        chosen.append(member)

    def read(some: Sequence[StepHost]) -> list[tuple[StepHost, Side]]:
        parts_of = query.script_range(log.step, some, Range()) if some else ()
        return [(host, Side(b"".join(parts), host.newest.own_names)) for host, _, parts in parts_of]

    # Logs that cannot be read now are left out of the sample.
    sides = query.read_what_is_there(log.step, chosen, read, query.Lost())
    if not sides:
        return Counterpart()
    steady = steady_values(side for _, side in sides)
    best = min(sides, key=lambda pair: (single_hosts(pair[1], steady), pair[0].bk_host_id))[0]
    return Counterpart(
        log._replace(bk_host_id=best.bk_host_id),
        steady=steady,
        sampled_hosts=len(sides),
        sampled_bytes=sum(len(side.data) for _, side in sides),
    )
