"""What ran: jobs and what ran on one machine, newest first, page after page by key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery

from joblogs.choices import HOST_SUCCEEDED, HOST_UNFINISHED
from joblogs.models import Host, HostResult, JobInstance, Scope, StepInstance

LOOKED_THROUGH = 25_000
"""Jobs that a page looks through for a name: more take longer than the page itself."""


class JobKey(NamedTuple):
    """Where a page of jobs starts: after this one."""

    create_time: int
    pk: int


class ResultKey(NamedTuple):
    """Where a page of host results starts: after this one."""

    day: date
    pk: int


class Tally(NamedTuple):
    """On how many hosts something came to a status."""

    status: int
    hosts: int


def jobs_after(
    jobs: QuerySet[JobInstance],
    after: JobKey | None,
    *,
    length: int,
    scopes: Iterable[Scope] | None = None,
    until: JobKey | None = None,
) -> tuple[list[JobInstance], JobKey | None]:
    """Some of these jobs, newest first, and where the next page starts, if there is one: behind
    `until` (`look_back`) if there are no more before it.

    `scopes`: those that the jobs are in, where they are not all. Their page costs what they hold,
    however old, and not what others do.
    """
    jobs = _behind(jobs, after)
    if scopes is not None:
        jobs = _recent_enough(jobs, scopes, length + 1)
    if until is not None:
        older = Q(create_time=until.create_time, pk__lt=until.pk)
        jobs = jobs.filter(create_time__gte=until.create_time).exclude(older)
    rows = list(jobs.select_related("scope").order_by("-create_time", "-pk")[: length + 1])
    page = rows[:length]
    return page, JobKey(page[-1].create_time, page[-1].pk) if len(rows) > length else until


def look_back(jobs: QuerySet[JobInstance], after: JobKey | None) -> JobKey | None:
    """How far a page looks for what no index has: up to the key that the next page starts after.

    None: through all of these jobs, for they are at most LOOKED_THROUGH. Else among the newest so
    many of the store.
    """
    jobs = _behind(jobs, after).order_by()
    if jobs.values("pk")[: LOOKED_THROUGH + 1].count() <= LOOKED_THROUGH:
        return None
    newest = _behind(JobInstance.objects.all(), after).order_by("-create_time", "-pk")
    (last,) = newest.values_list("create_time", "pk")[LOOKED_THROUGH - 1 : LOOKED_THROUGH]
    return JobKey(*last)


def _behind(jobs: QuerySet[JobInstance], after: JobKey | None) -> QuerySet[JobInstance]:
    if after is None:
        return jobs
    older = jobs.filter(create_time__lte=after.create_time)
    return older.exclude(create_time=after.create_time, pk__gte=after.pk)


def latest_jobs(jobs: QuerySet[JobInstance], scopes: Iterable[Scope], *, length: int) -> list[int]:
    """Keys of the newest of these jobs, which are in these scopes, newest first."""
    newest = _recent_enough(jobs, scopes, length).order_by("-create_time", "-pk")
    return list(newest.values_list("pk", flat=True)[:length])


def _recent_enough(
    jobs: QuerySet[JobInstance], scopes: Iterable[Scope], length: int
) -> QuerySet[JobInstance]:
    """Those of the jobs that may be among the newest so many.

    As many as that are in one of the scopes since a time that its index tells at once; whatever is
    older need not be looked at.
    """
    last = jobs.filter(scope=OuterRef("pk")).order_by("-create_time", "-pk")
    times = Scope.objects.filter(pk__in=[scope.pk for scope in scopes]).annotate(
        time=Subquery(last.values("create_time")[length - 1 : length])
    )
    oldest: int | None = times.aggregate(newest=Max("time"))["newest"]
    return jobs if oldest is None else jobs.filter(create_time__gte=oldest)


def results_after(
    scopes: QuerySet[Scope], bk_host_id: int, after: ResultKey | None, *, length: int
) -> tuple[list[HostResult], ResultKey | None]:
    """What ran on a machine in these scopes, newest first, and where the next page starts."""
    hosts = Host.objects.in_scopes(scopes).filter(bk_host_id=bk_host_id)
    results = HostResult.objects.filter(identity__in=list(hosts.values_list("pk", flat=True)))
    results = results.order_by("-day", "-pk")
    if after is not None:
        results = results.filter(day__lte=after.day).exclude(day=after.day, pk__gte=after.pk)
    # Their keys by the index alone: a host may have run thousands of times.
    keys = list(results.values_list("pk", flat=True)[: length + 1])
    rows = list(results.filter(pk__in=keys).select_related("step__job__scope"))
    page = rows[:length]
    return page, ResultKey(page[-1].day, page[-1].pk) if len(rows) > length else None


def tallies_of_jobs(jobs: Iterable[JobInstance]) -> dict[int, list[Tally]]:
    """By job, how often the newest attempts on its targets came to each status. One statement."""
    results = HostResult.objects.of_jobs(list(jobs))
    return _tallied(results.latest_attempts(), "step__job_id")


def tallies_of_steps(steps: Sequence[StepInstance]) -> dict[int, list[Tally]]:
    """The same by step."""
    return _tallied(HostResult.objects.filter(step__in=steps).latest_attempts(), "step_id")


def single_steps(jobs: Sequence[JobInstance]) -> dict[int, int]:
    """Of jobs with one step that step's id, by job. One statement."""
    rows = StepInstance.objects.filter(job__in=jobs).order_by().values_list("job_id")
    counted = rows.annotate(Count("pk"), Min("step_instance_id"))
    return {job: step for job, count, step in counted if count == 1}


def failed_hosts(steps: Sequence[StepInstance], *, limit: int) -> tuple[list[HostResult], int]:
    """Newest results, in all of these steps, of the hosts that failed in most of them.

    Of at most `limit` hosts, and how many failed in all. Two statements.
    """
    newest = HostResult.objects.filter(step__in=steps).latest_attempts().order_by()
    failed = newest.exclude(status__in=(*HOST_SUCCEEDED, *HOST_UNFINISHED))
    counts = dict(failed.values_list("host_id").annotate(Count("pk")))
    hosts = sorted(counts, key=lambda host: (-counts[host], host))[:limit]
    if not hosts:
        return [], 0
    columns = ("step", "host_id", "host_name", "ip", "ipv6", "status", "exit_code")
    return list(newest.filter(host_id__in=hosts).only(*columns)), len(counts)


def _tallied(results: QuerySet[HostResult], by: str) -> dict[int, list[Tally]]:
    rows: dict[int, list[Tally]] = defaultdict(list)
    for key, status, hosts in results.order_by().values_list(by, "status").annotate(Count("pk")):
        rows[key].append(Tally(status, hosts))
    return rows
