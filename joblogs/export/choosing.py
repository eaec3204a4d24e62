"""What an export is asked for by numbers, addresses and dates: found, or said to be missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from joblogs import filters
from joblogs.models import JobInstance, StepInstance
from joblogs.query import Address, Attempts
from joblogs.query.canonical_order import results_named, scopes_of
from joblogs.search import Pattern

from .selection import Outcome, Selection


class NotThere(Exception):
    """One of the things that were named is not among these jobs."""

    def __init__(self, kind: str, value: object) -> None:
        self.kind, self.value = kind, value
        super().__init__(kind, value)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to export of some jobs; what says nothing narrows nothing."""

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


def choose(jobs: QuerySet[JobInstance], wanted: Wanted) -> Selection:
    """The selection that is meant. Raises NotThere for what is named and not there."""
    if wanted.job is not None:
        jobs = jobs.filter(job_instance_id=wanted.job)
        if not jobs.exists():
            raise NotThere("job", wanted.job)
    if wanted.since is not None:
        jobs = filters.created_since(jobs, wanted.since)
    if wanted.until is not None:
        jobs = filters.created_until(jobs, wanted.until)
    steps = None
    if wanted.step is not None:
        found = StepInstance.objects.filter(job__in=jobs, step_instance_id=wanted.step)
        steps = found
        if not found.exists():
            raise NotThere("step", wanted.step)
    _check_hosts(jobs, steps, wanted)
    return Selection(
        jobs=jobs,
        steps=steps,
        hosts=frozenset(wanted.hosts) if wanted.hosts else None,
        addresses=frozenset(wanted.addresses),
        outcome=wanted.outcome,
        contains=wanted.contains,
        attempts=Attempts(wanted.attempt, wanted.batch),
        every_attempt=wanted.every_attempt,
        one_step=wanted.step is not None,
    )


def _check_hosts(
    jobs: QuerySet[JobInstance], steps: QuerySet[StepInstance] | None, wanted: Wanted
) -> None:
    if not wanted.hosts and not wanted.addresses:
        return
    scopes = scopes_of(jobs)
    among = Q(step__job__in=jobs) if steps is None else Q(step__in=steps)
    for host in wanted.hosts:
        if not results_named(scopes, [host], ()).filter(among).exists():
            raise NotThere("host", host)
    for address in wanted.addresses:
        if not results_named(scopes, None, [address]).filter(among).exists():
            raise NotThere("ip", f"{address.bk_cloud_id}:{address.address}")
