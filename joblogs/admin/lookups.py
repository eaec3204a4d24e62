"""Conditions for searches and lists of the admin, each served by one index."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from joblogs import access, times
from joblogs.models import Host, HostResult, StepInstance
from joblogs.query import job_list

from .base import newest_by_key

LATEST_JOBS = 200
"""Newest jobs whose steps and host results a list without a search shows to staff."""
LATEST_RUNS = 5_000
"""Newest results on a host whose jobs and files a search finds."""


def rows_of_day(term: str, field: str) -> list[Q]:
    """Return a condition for the rows of a day, or [] if the term is not a day."""
    try:
        return [Q(**{field: times.day(term)})]
    except ValueError:
        return []


def host_keys(term: str, number: int | None, user: User) -> list[int]:
    """Return the keys of the hosts that a term names, by indexes of Host: HostResult has none.

    Values, not a subquery, so that the planner knows how few there are.
    """
    numbers = [] if number is None else [number]
    scopes = access.visible_scopes(user)
    keys = Host.objects.keys(term, scopes=scopes, bk_host_ids=numbers)
    return [key for (key,) in keys.values_list("pk")]


def results_on(term: str, number: int | None, user: User) -> QuerySet[HostResult]:
    """Return the newest results on the hosts that a term names, in the order of an index."""
    results = HostResult.objects.filter(identity__in=host_keys(term, number, user))
    return results.order_by("-day", "-pk")[:LATEST_RUNS]


def jobs_on(term: str, number: int | None, user: User) -> list[int]:
    """Return the keys of the jobs of the newest results on the hosts that a term names.

    Values, not a subquery, with which the planner may scan all jobs, newest first.
    """
    return list(set(results_on(term, number, user).values_list("step__job", flat=True)))


def rows_of_steps(number: int | None, user: User) -> list[Q]:
    """Return conditions for rows by step id and by job id: an index each, and few rows."""
    if number is None:
        return []
    steps = visible_steps(user).order_by()
    ways = (Q(step_instance_id=number), Q(job__job_instance_id=number))
    return [Q(step__in=list(steps.filter(way).values_list("pk", flat=True))) for way in ways]


def visible_steps(user: User) -> QuerySet[StepInstance]:
    """Return the steps of the jobs that a member of staff may browse."""
    steps = StepInstance.objects.all()
    if user.is_superuser:
        return steps
    return steps.filter(job__scope__in=access.visible_scope_ids(user))


def latest_jobs(user: User, length: int) -> list[int]:
    """Return the keys of the newest jobs that a member of staff may browse."""
    return job_list.latest_jobs(
        access.visible_jobs(user), access.visible_scopes(user), length=length
    )


def latest_of_steps(rows: QuerySet[Any], user: User) -> QuerySet[Any]:
    """Filter rows to the newest of the table or, for staff, to steps of their newest jobs."""
    if user.is_superuser:
        return newest_by_key(rows)
    steps = StepInstance.objects.filter(job__in=latest_jobs(user, LATEST_JOBS))
    return rows.filter(step__in=list(steps.values_list("pk", flat=True)))
