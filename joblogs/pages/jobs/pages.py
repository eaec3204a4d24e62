"""List of jobs, and page of one job."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from joblogs import query
from joblogs.choices import FINISHED, run_rank
from joblogs.filters import JobFilterSet
from joblogs.models import JobInstance, Scope, StepInstance
from joblogs.pages import links, live
from joblogs.pages.formats import duration, elapsed
from joblogs.pages.log.host_log import moment
from joblogs.pages.step.groups import Kind
from joblogs.query import job_list
from joblogs.query.job_list import JobKey

from .failed_hosts import failed_hosts
from .outcome_bars import (
    bars,
    outcome_bar,
    outcomes,
    run_kind,
    status_label,
    step_type_label,
)

JOBS = 30
RARE = ("since", "until", "number")
"""Rarely used filters: collapsed unless one is used."""
UNINDEXED = {"name", "operator"}
"""Filters without an index."""
SELECTIVE = {"host", "number"}
"""Filters that leave few jobs to search."""
_KEY = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)


def jobs_page(
    jobs: QuerySet[JobInstance], scopes: QuerySet[Scope], request: HttpRequest
) -> HttpResponse:
    """Return the page of the matching jobs, latest first; none match an invalid filter."""
    wanted = JobFilterSet(request.GET, queryset=jobs, scopes=scopes)
    page: list[JobInstance] = []
    after = until = None
    if wanted.is_valid():
        key, given = _key(request), {name for name in wanted.filters if request.GET.get(name)}
        among = None if given or request.user.is_superuser else scopes
        if given & UNINDEXED and not given & SELECTIVE:
            until = job_list.look_back(jobs, key)
        page, after = job_list.jobs_after(wanted.qs, key, length=JOBS, scopes=among, until=until)
    tallies = job_list.tallies_of_jobs(page) if page else {}
    single = job_list.single_steps(page) if page else {}
    version = live.version_of([_facts_of(job) for job in page], tallies, single)
    if (same := live.unchanged(request, version)) is not None:
        return same
    kept = {name: str(value) for name, value in request.GET.items() if value and name != "after"}
    empty = not page and not kept
    context = {
        "form": wanted.form,
        "rare": RARE,
        "rare_used": any(kept.get(name) for name in RARE),
        "store_is_empty": empty and request.user.is_superuser,
        "no_scope": empty and not scopes.exists(),
        "narrowed": "&" + links.with_changes(kept) if kept else "",
        "rows": [
            _job_row(job, outcomes(tallies.get(job.pk, [])), single.get(job.pk)) for job in page
        ],
        "filtered": bool(set(kept) & set(wanted.filters)),
        "searched_since": moment(until.create_time) if until and after == until else None,
        "latest": links.with_changes(kept) if "after" in request.GET else None,
        "older": links.with_changes(kept, after=f"{after.create_time}.{after.pk}")
        if after
        else None,
    }
    runs = any(_runs(job) for job in page)
    return live.page(
        request, "joblogs/jobs.html", "joblogs/_jobs.html", context, version=version, runs=runs
    )


def job_page(job: JobInstance, request: HttpRequest) -> HttpResponse:
    """Return the page of a job, with its steps as a time line."""
    steps = query.steps_of(job)
    tallies = job_list.tallies_of_steps(steps)
    version = live.version_of(_facts_of(job), [_facts_of(step) for step in steps], tallies)
    if (same := live.unchanged(request, version)) is not None:
        return same
    times = bars(steps, int(time.time() * 1000))
    hosts = {step.pk: outcomes(tallies.get(step.pk, [])) for step in steps}
    of_job = sum(hosts.values(), Counter[Kind]())
    context = {
        "job": job,
        "kind": run_kind(job, of_job),
        "status": status_label(job, of_job),
        "since": job.start_time if _runs(job) else None,
        "failed_hosts": failed_hosts(steps),
        "started": moment(job.start_time or job.create_time),
        "ended": moment(job.end_time),
        "expired": moment(job.expired_at),
        "took": _took(job),
        "steps": [
            {
                "step": step,
                "kind": run_kind(step, hosts[step.pk]),
                "status": status_label(step, hosts[step.pk]),
                "since": step.start_time if _runs(step) else None,
                "type": step_type_label(step),
                "started": moment(step.start_time),
                "page": links.of_step(step)["step"],
                "took": _took(step),
                "bar": times.get(step.pk),
                "outcome_bar": outcome_bar(hosts[step.pk]),
            }
            for step in steps
        ],
    }
    runs = _runs(job) or any(_runs(step) for step in steps)
    return live.page(
        request, "joblogs/job.html", "joblogs/_job.html", context, version=version, runs=runs
    )


def _job_row(job: JobInstance, hosts: Counter[Kind], step: int | None) -> dict[str, Any]:
    place = [job.scope.scope_type, job.scope.scope_id, job.job_instance_id]
    # A job of one step opens at that step.
    page = reverse("staff:job", args=place)
    return {
        "job": job,
        "page": page if step is None else reverse("staff:step", args=[*place, step]),
        "kind": run_kind(job, hosts),
        "status": status_label(job, hosts),
        "created": moment(job.create_time),
        "took": _took(job),
        "since": job.start_time if _runs(job) else None,
        "outcome_bar": outcome_bar(hosts),
    }


def _runs(run: JobInstance | StepInstance) -> bool:
    return run_rank(run.status) < FINISHED


def _facts_of(run: JobInstance | StepInstance) -> tuple[object, ...]:
    """Return all stored fields of a job or step."""
    return tuple((name, value) for name, value in vars(run).items() if name[0] != "_")


def _took(run: JobInstance | StepInstance) -> str:
    """Return how long a job or step took, or has been running."""
    if _runs(run):
        return elapsed(run.start_time)
    if run.total_time is None and run.start_time is not None and run.end_time is not None:
        return duration(max(0, run.end_time - run.start_time))
    return duration(run.total_time)


def _key(request: HttpRequest) -> JobKey | None:
    match = _KEY.fullmatch(request.GET.get("after", ""))
    return JobKey(int(match[1]), int(match[2])) if match else None
