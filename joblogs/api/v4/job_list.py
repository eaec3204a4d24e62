"""Endpoint v4_get_job_instance_list: the jobs of a scope, newest first."""

from __future__ import annotations

import time
from enum import IntEnum
from functools import partial
from typing import Annotated, Any

from django.http.response import HttpResponseBase
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from joblogs import access, query
from joblogs.api.base import Operation, ScopeView
from joblogs.api.exchange import success
from joblogs.api.fields import (
    ADDRESS,
    NUMBER,
    TEXT,
    Json,
    Parameter,
    ParameterGroup,
    Params,
    described,
    number_of,
    read,
)
from joblogs.api.parameters import (
    address,
    is_blank,
    number_within,
    optional_integer,
    optional_text,
    required_integer,
)
from joblogs.api.v3.fields import Duration, Milliseconds, RunStatusCode
from joblogs.choices import LaunchMode, RunStatus, TaskType
from joblogs.errors import BadRequest
from joblogs.filters import JobFilter
from joblogs.models import JobInstance, Scope

from .fields import BizId, ended, scope_without_nulls

OFFSET_MAX = 10_000
LENGTH_DEFAULT, LENGTH_MAX = 10, 200
NO_PLAN = -1
_UNFINISHED = (RunStatus.RUNNING, RunStatus.WAITING_CONFIRMATION, RunStatus.TERMINATING)


def _job_filter(params: Params) -> JobFilter:
    """Return the filter; ids of a job or schedule below 1 are ignored. Raise ParameterInvalid or
    BadRequest."""
    number = optional_integer(params, "job_instance_id")
    since = required_integer(params, "create_time_start")
    until = required_integer(params, "create_time_end")
    if number is not None and number > 0:
        return JobFilter(job_instance_id=number)
    schedule = optional_integer(params, "job_cron_id")
    ip = params.get("ip")
    return JobFilter(
        created_from=since,
        created_to=until,
        operator=optional_text(params, "operator"),
        name=optional_text(params, "name"),
        launch_mode=_known(params, "launch_mode", LaunchMode),
        task_type=_known(params, "type", TaskType),
        status=_known(params, "status", RunStatus),
        host=None if is_blank(ip) else address(ip),
        schedule=schedule if schedule is not None and schedule > 0 else None,
    )


def _known(params: Params, field: str, kind: type[IntEnum]) -> int | None:
    number = optional_integer(params, field)
    if number is not None and number not in list(kind):
        raise BadRequest(BadRequest.FIELD, field)
    return number


def _numbers(kind: type[IntEnum], text: str) -> Json:
    numbers = [*map(int, kind), *(str(int(value)) for value in kind)]
    return {"type": ["integer", "string"], "enum": numbers, "description": text}


_FILTER: dict[str, Json] = {
    "create_time_start": described(NUMBER, "Created at or after; milliseconds."),
    "create_time_end": described(NUMBER, "Created at or before; milliseconds."),
    "job_instance_id": described(NUMBER, "Only this job; nothing else is looked at."),
    "operator": described(TEXT, "Who started it, exactly."),
    "name": described(TEXT, "A part of its name."),
    "launch_mode": _numbers(LaunchMode, "How it was started."),
    "type": _numbers(TaskType, "Kind of job."),
    "status": _numbers(RunStatus, "Its status."),
    "ip": described(ADDRESS, "Of a host that took part."),
    "job_cron_id": described(NUMBER, "Its schedule; none is kept here, so no job matches."),
}
_OFFSET = partial(number_within, least=0, most=OFFSET_MAX, default=0, text=BadRequest.LIST_OFFSET)
_LENGTH = partial(
    number_within, least=1, most=LENGTH_MAX, default=LENGTH_DEFAULT, text=BadRequest.LIST_LENGTH
)


class V4JobListParams(Struct, frozen=True, kw_only=True):
    """Parameters: which jobs, and which page of them."""

    filters: Annotated[
        JobFilter,
        ParameterGroup(_job_filter, _FILTER, required=("create_time_start", "create_time_end")),
    ]
    offset: Annotated[
        int,
        Parameter(
            _OFFSET,
            {"type": "integer", "minimum": 0, "maximum": OFFSET_MAX, "default": 0},
            "Jobs before the page.",
        ),
    ]
    length: Annotated[
        int,
        Parameter(
            _LENGTH,
            {"type": "integer", "minimum": 1, "maximum": LENGTH_MAX, "default": LENGTH_DEFAULT},
            "Jobs of the page.",
        ),
    ]


class V4JobEntry(Struct, kw_only=True):
    """Job of a list."""

    bk_biz_id: BizId = UNSET
    bk_scope_type: str
    bk_scope_id: str
    job_instance_id: int
    job_plan_id: (
        Annotated[int, Meta(description="-1 unless it ran a plan, which is not known here.")]
        | UnsetType
    ) = UNSET
    job_template_id: (
        Annotated[int, Meta(description="-1 unless it ran a plan, which is not known here.")]
        | UnsetType
    ) = UNSET
    name: str
    operator: str
    launch_mode: Annotated[int, number_of(LaunchMode, "How it was started")]
    status: RunStatusCode
    start_time: Milliseconds | UnsetType = UNSET
    end_time: Milliseconds | UnsetType = UNSET
    total_time: (
        Annotated[Duration, Meta(description="Until now for one that runs.")] | UnsetType
    ) = UNSET
    create_time: Milliseconds
    type: Annotated[int, number_of(TaskType, "Kind")]


class V4JobList(Struct):
    """Page of the jobs of a scope; the last one is shorter than requested."""

    job_instance_list: Annotated[list[V4JobEntry], Meta(description="Newest first.")]


class V4GetJobInstanceList(ScopeView):
    """View of a page of a scope's jobs, by GET."""

    http_method_names = ["get"]
    operations = {
        "get": Operation(
            summary="The jobs of a scope, in version 4 of the API",
            description="No key is null: what is not known is left out. There is no total.",
            request=V4JobListParams,
            answer=V4JobList,
        )
    }

    def answer(self, request: Request, scope: Scope, params: Params) -> HttpResponseBase:
        wanted = read(V4JobListParams, params)
        matching = wanted.filters.narrow(access.jobs_in(scope), scopes=[scope])
        jobs = query.page_of_jobs(matching, start=wanted.offset, length=wanted.length)
        return success(request._request, V4JobList([_entry(job) for job in jobs]))


def _entry(job: JobInstance) -> V4JobEntry:
    plan: Any = UNSET if job.task_type == TaskType.PLAN else NO_PLAN
    times = ended(job)
    if job.total_time is None and job.start_time is not None and job.status in _UNFINISHED:
        times["total_time"] = max(0, int(time.time() * 1000) - job.start_time)
    return V4JobEntry(
        **scope_without_nulls(job),
        job_instance_id=job.job_instance_id,
        job_plan_id=plan,
        job_template_id=plan,
        name=job.name,
        operator=job.operator,
        launch_mode=job.launch_mode,
        status=job.status,
        create_time=job.create_time,
        type=job.task_type,
        **times,
    )
