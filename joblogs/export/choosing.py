"""Criteria of an export, and the selection of jobs, steps and hosts that they make."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from joblogs.choices import Outcome
from joblogs.filters import JobFilter, first_moment, last_moment
from joblogs.models import Host, HostResult, JobInstance, StepInstance
from joblogs.models.hosts import fold_name
from joblogs.query import Address, Attempts
from joblogs.query.canonical_order import scopes_of
from joblogs.search import Pattern

from .selection import Selection


class NotThere(Exception):
    """Error: a named job, step, host or address is not among these jobs."""

    def __init__(self, kind: str, value: object) -> None:
        self.kind, self.value = kind, value
        super().__init__(kind, value)


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """Criteria of an export; a field that is None or empty does not narrow it."""

    job: int | None = None
    step: int | None = None
    hosts: Collection[int] = ()
    addresses: Collection[Address] = ()
    outcome: Outcome | None = None
    contains: Pattern | None = None
    since: date | None = None
    until: date | None = None
    attempt: int | None = None
    batch: int | None = None
    every_attempt: bool = False


def choose(jobs: QuerySet[JobInstance], criteria: Criteria) -> Selection:
    """Return the selection by these criteria. Raise NotThere for a named object that is missing."""
    jobs = JobFilter(job_instance_id=criteria.job).narrow(jobs)
    if criteria.job is not None and not jobs.exists():
        raise NotThere("job", criteria.job)
    since, until = first_moment(criteria.since), last_moment(criteria.until)
    jobs = JobFilter(created_from=since, created_to=until).narrow(jobs)
    steps = None
    if criteria.step is not None:
        steps = StepInstance.objects.filter(job__in=jobs, step_instance_id=criteria.step)
        if not steps.exists():
            raise NotThere("step", criteria.step)
    _check_hosts(jobs, steps, criteria)
    return Selection(
        jobs=jobs,
        steps=steps,
        hosts=frozenset(criteria.hosts) if criteria.hosts else None,
        addresses=frozenset(criteria.addresses),
        outcome=criteria.outcome,
        contains=criteria.contains,
        attempts=Attempts(criteria.attempt, criteria.batch),
        every_attempt=criteria.every_attempt,
        one_step=criteria.step is not None,
    )


def _check_hosts(
    jobs: QuerySet[JobInstance], steps: QuerySet[StepInstance] | None, criteria: Criteria
) -> None:
    if not criteria.hosts and not criteria.addresses:
        return
    results = HostResult.objects.of_jobs(jobs)
    if steps is not None:
        results = HostResult.objects.filter(step__in=steps)
    names = [address.address for address in criteria.addresses]
    keys = Host.objects.keys(*names, scopes=scopes_of(jobs), bk_host_ids=criteria.hosts)
    numbers, places = set(), set()
    for host in Host.objects.filter(pk__in=keys).with_one_of(results):
        numbers.add(host.bk_host_id)
        for name in (host.ip, host.ipv6, host.folded_name):
            places.add((host.bk_cloud_id, name))
    for number in criteria.hosts:
        if number not in numbers:
            raise NotThere("host", number)
    for cloud, name in criteria.addresses:
        if not {(cloud, name), (cloud, fold_name(name))} & places:
            raise NotThere("ip", f"{cloud}:{name}")
