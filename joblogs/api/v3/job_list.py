"""Endpoint get_job_instance_list: the jobs of a scope in a period, newest first."""

from __future__ import annotations

from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import access, query
from joblogs.api.base import Operation, ScopeView
from joblogs.api.exchange import success
from joblogs.api.fields import (
    ADDRESS,
    ID,
    NUMBER,
    TEXT,
    Json,
    Parameter,
    ParameterGroup,
    Params,
    count_param,
    described,
    number_of,
    read,
)
from joblogs.api.parameters import address, is_blank, optional_integer, optional_text, required_id
from joblogs.choices import LaunchMode, TaskType
from joblogs.errors import BadRequest, InvalidParameters, ParameterInvalid
from joblogs.filters import JobFilter
from joblogs.models import JobInstance, Scope

from .fields import BizId, Duration, Milliseconds, RunStatusCode, scope_fields, times

PAGE_DEFAULT, PAGE_MAX = 20, 1000
SPAN_MAX_MS = 30 * 24 * 3600 * 1000


def _job_filter(params: Params) -> JobFilter:
    """Return the filter. Raise ParameterInvalid, InvalidParameters or BadRequest."""
    since = required_id(params, "create_time_start")
    until = required_id(params, "create_time_end")
    if until <= since:
        raise ParameterInvalid(None, "create_time_start|create_time_end")
    if until - since > SPAN_MAX_MS:
        raise InvalidParameters
    if not is_blank(params.get("job_instance_id")):
        return JobFilter(job_instance_id=required_id(params, "job_instance_id"))
    task_type = optional_integer(params, "type")
    if task_type is not None and task_type not in TaskType.values:
        raise InvalidParameters
    ip = params.get("ip")
    return JobFilter(
        created_from=since,
        created_to=until,
        operator=optional_text(params, "operator"),
        name=optional_text(params, "name"),
        launch_mode=optional_integer(params, "launch_mode"),
        task_type=task_type,
        status=optional_integer(params, "status"),
        host=None if is_blank(ip) else address(ip),
        schedule=optional_integer(params, "job_cron_id"),
    )


def _length(params: Params, field: str) -> int:
    length = optional_integer(params, field, least=1)
    if length is not None and length > PAGE_MAX:
        raise BadRequest(BadRequest.FIELD, field)
    return PAGE_DEFAULT if length is None else length


_JOB_FILTER: dict[str, Json] = {
    "create_time_start": described(ID, "Created at or after; milliseconds."),
    "create_time_end": described(
        ID, f"Created at or before; at most {SPAN_MAX_MS // 86_400_000} days on."
    ),
    "job_instance_id": described(ID, "Only this job; nothing else but the span is read."),
    "operator": described(TEXT, "Who started it, exactly."),
    "name": described(TEXT, "A part of its name."),
    "launch_mode": described(NUMBER, "How it was started."),
    "type": {
        "type": ["integer", "string"],
        "enum": [*TaskType.values, *map(str, TaskType.values)],
        "description": "Kind of job.",
    },
    "status": described(NUMBER, "Its status."),
    "ip": described(ADDRESS, "Of a host that took part."),
    "job_cron_id": described(NUMBER, "Its schedule; none is kept here, so no job matches."),
}
_LENGTH: Json = {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT}


class JobListParams(Struct, frozen=True, kw_only=True):
    """Parameters: which jobs, and which page of them."""

    filters: Annotated[
        JobFilter,
        ParameterGroup(_job_filter, _JOB_FILTER, required=("create_time_start", "create_time_end")),
    ]
    start: Annotated[int | None, count_param("First job of the page.")]
    length: Annotated[int, Parameter(_length, _LENGTH, "Jobs of the page.")]


class JobEntry(Struct, kw_only=True):
    """Job of a list. Plan and template are not known here."""

    bk_biz_id: BizId
    bk_scope_type: str
    bk_scope_id: str
    job_instance_id: int
    job_plan_id: None = None
    job_template_id: None = None
    name: str
    operator: str
    launch_mode: Annotated[int, number_of(LaunchMode, "How it was started")]
    status: RunStatusCode
    create_time: Milliseconds
    start_time: Milliseconds | None
    end_time: Milliseconds | None
    total_time: Duration | None
    type: Annotated[int, number_of(TaskType, "Kind")]


class JobList(Struct):
    """Page of the jobs of a scope."""

    start: int
    length: int
    total: Annotated[int, Meta(description="Jobs that match.")]
    data: Annotated[list[JobEntry], Meta(description="Newest first.")]


class GetJobInstanceList(ScopeView):
    """View of a page of a scope's jobs, by GET and POST."""

    errors = (*ScopeView.errors, InvalidParameters)
    operations = dict.fromkeys(
        ("get", "post"),
        Operation(
            summary="The jobs of a scope within a span of time",
            request=JobListParams,
            answer=JobList,
        ),
    )

    def answer(self, request: Request, scope: Scope, params: Params) -> HttpResponseBase:
        wanted = read(JobListParams, params)
        start, length = wanted.start or 0, wanted.length
        matching = wanted.filters.narrow(access.jobs_in(scope), [scope])
        jobs, total = query.list_jobs(matching, start=start, length=length)
        entries = [_job_entry(job) for job in jobs]
        return success(request._request, JobList(start, length, total, entries))


def _job_entry(job: JobInstance) -> JobEntry:
    return JobEntry(
        **scope_fields(job.scope),
        job_instance_id=job.job_instance_id,
        name=job.name,
        operator=job.operator,
        launch_mode=job.launch_mode,
        status=job.status,
        **times(job),
        type=job.task_type,
    )
