"""Lists of jobs and of the results of one host: newest first, paginated by key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery

from joblogs.choices import HOST_SUCCEEDED, HOST_UNFINISHED
from joblogs.models import Host, HostResult, JobInstance, Scope, StepInstance

LOOKED_THROUGH = 25_000
"""Jobs that a page searches for a name; searching more takes longer than the rest of the page."""


class JobKey(NamedTuple):
    """Key of the job after which a page of jobs starts."""

    create_time: int
    pk: int


class ResultKey(NamedTuple):
    """Key of the host result after which a page of host results starts."""

    day: date
    pk: int


class Tally(NamedTuple):
    """Number of hosts with a status."""

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
    """Return a page of these jobs, newest first, and the key after which the next page starts.

    `until` is the limit that `look_back` returned: the jobs are searched only up to it, and if they
    do not fill the page, the next page starts there. `scopes` are the scopes of the jobs, if those
    are not all scopes: the query then costs what these scopes hold, whatever the others do.
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
    """Return the job up to which a page searches for something that has no index.

    None means all of these jobs, which are at most LOOKED_THROUGH. Otherwise the key is that of the
    last of the LOOKED_THROUGH newest jobs of the store.
    """
    jobs = _behind(jobs, after).order_by()
    if jobs.values("pk")[: LOOKED_THROUGH + 1].count() <= LOOKED_THROUGH:
        return None
    newest = _behind(JobInstance.objects.all(), after).order_by("-create_time", "-pk")
    keys = newest.values_list("create_time", "pk")[LOOKED_THROUGH - 1 : LOOKED_THROUGH]
    # No key if jobs were deleted between the two queries: then all that are left are few enough.
    return next((JobKey(*key) for key in keys), None)


def _behind(jobs: QuerySet[JobInstance], after: JobKey | None) -> QuerySet[JobInstance]:
    if after is None:
        return jobs
    older = jobs.filter(create_time__lte=after.create_time)
    return older.exclude(create_time=after.create_time, pk__gte=after.pk)


def latest_jobs(jobs: QuerySet[JobInstance], scopes: Iterable[Scope], *, length: int) -> list[int]:
    """Return the primary keys of the newest of these jobs, newest first; `scopes` are theirs."""
    newest = _recent_enough(jobs, scopes, length).order_by("-create_time", "-pk")
    return list(newest.values_list("pk", flat=True)[:length])


def _recent_enough(
    jobs: QuerySet[JobInstance], scopes: Iterable[Scope], length: int
) -> QuerySet[JobInstance]:
    """Return the jobs that may be among the newest `length`.

    An index gives for each scope the time of its `length`-th newest job. Jobs older than the latest
    of these times cannot be among the newest.
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
    """Return a page of a host's results in these scopes, newest first, and the key after which the
    next page starts, None if there is none."""
    hosts = Host.objects.in_scopes(scopes).filter(bk_host_id=bk_host_id)
    results = HostResult.objects.filter(identity__in=list(hosts.values_list("pk", flat=True)))
    results = results.order_by("-day", "-pk")
    if after is not None:
        results = results.filter(day__lte=after.day).exclude(day=after.day, pk__gte=after.pk)
    # Keys first, from the index alone: a host may have thousands of results.
    keys = list(results.values_list("pk", flat=True)[: length + 1])
    rows = list(results.filter(pk__in=keys).select_related("step__job__scope"))
    page = rows[:length]
    return page, ResultKey(page[-1].day, page[-1].pk) if len(rows) > length else None


def tallies_of_jobs(jobs: Iterable[JobInstance]) -> dict[int, list[Tally]]:
    """Return by job the number of targets with each status in their newest attempt. One
    statement."""
    results = HostResult.objects.of_jobs(list(jobs))
    return _tallied(results.latest_attempts(), "step__job_id")


def tallies_of_steps(steps: Sequence[StepInstance]) -> dict[int, list[Tally]]:
    """Return by step the number of targets with each status in their newest attempt."""
    return _tallied(HostResult.objects.filter(step__in=steps).latest_attempts(), "step_id")


def single_steps(jobs: Sequence[JobInstance]) -> dict[int, int]:
    """Return by job the step_instance_id of each job that has exactly one step. One statement."""
    rows = StepInstance.objects.filter(job__in=jobs).order_by().values_list("job_id")
    counted = rows.annotate(Count("pk"), Min("step_instance_id"))
    return {job: step for job, count, step in counted if count == 1}


def failed_hosts(steps: Sequence[StepInstance], *, limit: int) -> tuple[list[HostResult], int]:
    """Return the newest results, in all of these steps, of the hosts that failed most often, and
    the total number of hosts that failed.

    Results are returned for at most `limit` hosts. Two statements.
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
