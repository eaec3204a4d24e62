"""The list of jobs, and the page of one."""

from __future__ import annotations

import re
import time
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from joblogs import query
from joblogs.filters import JobFilterSet
from joblogs.models import JobInstance, Scope, StepInstance
from joblogs.pages import links
from joblogs.pages.formats import duration
from joblogs.pages.log.host_log import moment
from joblogs.pages.rendering import rendered
from joblogs.query import job_list
from joblogs.query.job_list import JobKey, Tally

from .outcome_bars import bars, outcome_bar, run_kind, status_label, step_type_label

JOBS = 30
RARE = ("since", "until", "number")
"""Filters that few ask for: folded away unless they are used."""
_KEY = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)


def jobs_page(
    jobs: QuerySet[JobInstance], scopes: QuerySet[Scope], request: HttpRequest
) -> HttpResponse:
    """The jobs that are asked for, latest first. Filters that make no sense show none."""
    wanted = JobFilterSet(request.GET, queryset=jobs, scopes=scopes)
    page: list[JobInstance] = []
    after = None
    if wanted.is_valid():
        narrowed = any(request.GET.get(name) for name in wanted.filters)
        among = None if narrowed or request.user.is_superuser else scopes
        page, after = job_list.jobs_after(wanted.qs, _key(request), length=JOBS, scopes=among)
    tallies = job_list.tallies_of_jobs(page) if page else {}
    kept = {name: str(value) for name, value in request.GET.items() if value and name != "after"}
    empty = not page and not kept
    context = {
        "form": wanted.form,
        "rare": RARE,
        "rare_used": any(kept.get(name) for name in RARE),
        "store_is_empty": empty and request.user.is_superuser,
        "no_scope": empty and not scopes.exists(),
        "narrowed": "&" + links.with_changes(kept) if kept else "",
        "rows": [_job_row(job, tallies.get(job.pk, [])) for job in page],
        "filtered": bool(set(kept) & set(wanted.filters)),
        "latest": links.with_changes(kept) if "after" in request.GET else None,
        "older": links.with_changes(kept, after=f"{after.create_time}.{after.pk}")
        if after
        else None,
    }
    return HttpResponse(rendered("joblogs/jobs.html", context, request))


def job_page(job: JobInstance, request: HttpRequest) -> HttpResponse:
    """The steps of a job as a time line."""
    steps = query.steps_of(job)
    tallies = job_list.tallies_of_steps(steps)
    times = bars(steps, int(time.time() * 1000))
    context = {
        "job": job,
        "kind": run_kind(job),
        "status": status_label(job),
        "started": moment(job.start_time or job.create_time),
        "ended": moment(job.end_time),
        "expired": moment(job.expired_at),
        "took": duration(_took(job)),
        "steps": [
            {
                "step": step,
                "kind": run_kind(step),
                "status": status_label(step),
                "type": step_type_label(step),
                "started": moment(step.start_time),
                "took": duration(_took(step)),
                "bar": times.get(step.pk),
                "outcome_bar": outcome_bar(tallies.get(step.pk, [])),
            }
            for step in steps
        ],
    }
    return HttpResponse(rendered("joblogs/job.html", context, request))


def _job_row(job: JobInstance, tallies: list[Tally]) -> dict[str, Any]:
    return {
        "job": job,
        "kind": run_kind(job),
        "status": status_label(job),
        "created": moment(job.create_time),
        "took": duration(_took(job)),
        "outcome_bar": outcome_bar(tallies),
    }


def _took(run: JobInstance | StepInstance) -> int | None:
    if run.total_time is not None:
        return run.total_time
    if run.start_time is None or run.end_time is None:
        return None
    return max(0, run.end_time - run.start_time)


def _key(request: HttpRequest) -> JobKey | None:
    match = _KEY.fullmatch(request.GET.get("after", ""))
    return JobKey(int(match[1]), int(match[2])) if match else None
