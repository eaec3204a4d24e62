"""Endpoint get_job_instance_list: the jobs of a scope within a span of time, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import query
from joblogs.api.base import ScopeView
from joblogs.api.envelope import success
from joblogs.api.fields import Params
from joblogs.api.parameters import address, is_blank, optional_integer, optional_text, required_id
from joblogs.choices import TaskType
from joblogs.errors import BadRequest, InvalidParameters, ParameterInvalid
from joblogs.models import JobInstance, Scope
from joblogs.query import JobFilter

from .fields import scope_fields, times

PAGE_DEFAULT, PAGE_MAX = 20, 1000
SPAN_MAX_MS = 30 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class JobListParams:
    """Parameters: which jobs, and which page of them."""

    filters: JobFilter
    start: int
    length: int

    @classmethod
    def read(cls, params: Params) -> JobListParams:
        """Raises ParameterInvalid, InvalidParameters or BadRequest."""
        filters = _job_filter(params)
        start = optional_integer(params, "start", least=0)
        length = optional_integer(params, "length", least=1)
        if length is not None and length > PAGE_MAX:
            raise BadRequest(BadRequest.FIELD, "length")
        return cls(filters, start or 0, PAGE_DEFAULT if length is None else length)


def _job_filter(params: Params) -> JobFilter:
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
        address=None if is_blank(ip) else address(ip),
        schedule=optional_integer(params, "job_cron_id"),
    )


class GetJobInstanceList(ScopeView):
    """View of a page of a scope's jobs, by GET and POST."""

    def answer(self, request: Request, scope: Scope, params: Params) -> HttpResponseBase:
        wanted = JobListParams.read(params)
        start, length = wanted.start, wanted.length
        jobs, total = query.list_jobs(scope, wanted.filters, start=start, length=length)
        page = {"start": start, "length": length, "total": total}
        return success(request._request, {**page, "data": [_job_entry(job) for job in jobs]})


def _job_entry(job: JobInstance) -> dict[str, Any]:
    return {
        **scope_fields(job.scope),
        "job_instance_id": job.job_instance_id,
        # A plan and its template are the executor's.
        "job_plan_id": None,
        "job_template_id": None,
        "name": job.name,
        "operator": job.operator,
        "launch_mode": job.launch_mode,
        "status": job.status,
        **times(job),
        "type": job.task_type,
    }
