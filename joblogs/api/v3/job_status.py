"""Endpoint get_job_instance_status: how a job and its steps went."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import access, query
from joblogs.api.base import ScopeView
from joblogs.api.envelope import json_bytes
from joblogs.api.fields import Params
from joblogs.api.parameters import flag, required_id
from joblogs.api.streaming import STREAMED, enveloped, in_parts, listed
from joblogs.choices import FINISHED, run_rank
from joblogs.models import JobInstance, Scope, StepInstance
from joblogs.query import Result

from .fields import scope_fields, times


@dataclass(frozen=True, slots=True)
class JobStatusParams:
    """Parameters: a job, and whether its result on each host is wanted."""

    job_instance_id: int
    return_ip_result: bool

    @classmethod
    def read(cls, params: Params) -> JobStatusParams:
        """Raises ParameterInvalid or BadRequest, naming the field."""
        return cls(required_id(params, "job_instance_id"), flag(params, "return_ip_result"))


class GetJobInstanceStatus(ScopeView):
    """View of a job's status, by GET and POST."""

    def answer(self, request: Request, scope: Scope, params: Params) -> HttpResponseBase:
        wanted = JobStatusParams.read(params)
        job = query.find_job(access.jobs_in(scope), job_instance_id=wanted.job_instance_id)
        steps = query.steps_of(job)
        return _answer(request._request, job, steps, with_hosts=wanted.return_ip_result)


def _answer(
    request: HttpRequest, job: JobInstance, steps: list[StepInstance], *, with_hosts: bool
) -> HttpResponseBase:
    head = {
        "finished": run_rank(job.status) == FINISHED,
        "job_instance": {
            **scope_fields(job.scope),
            "job_instance_id": job.job_instance_id,
            "name": job.name,
            "status": job.status,
            **times(job),
        },
    }
    entries = listed(_step_entry(step, with_hosts=with_hosts) for step in steps)
    data = itertools.chain([json_bytes(head)[:-1], b',"step_instance_list":'], entries, [b"}"])
    return in_parts(enveloped(request, STREAMED, data))


def _step_entry(step: StepInstance, *, with_hosts: bool) -> Iterator[bytes]:
    head = {
        "step_instance_id": step.step_instance_id,
        "name": step.name,
        "status": step.status,
        "type": step.step_type,
        "execute_count": step.execute_count,
        **times(step),
    }
    yield json_bytes(head)[:-1] + b',"step_ip_result_list":'
    if with_hosts:
        yield from listed([json_bytes(_host_entry(one))] for one in query.target_results(step))
    else:
        yield b"null"
    yield b"}"


def _host_entry(result: Result) -> dict[str, Any]:
    return {
        "bk_host_id": result.host_id,
        "ip": result.ip,
        "bk_cloud_id": result.bk_cloud_id,
        "status": result.status,
        "tag": result.tag or "",
        "exit_code": result.exit_code,
        "error_code": result.error_code,
        "start_time": result.start_time,
        "end_time": result.end_time,
        "total_time": result.total_time,
    }
