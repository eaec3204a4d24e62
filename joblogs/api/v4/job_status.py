"""Endpoint v4_get_job_instance_status: status of a job, its steps and their execute objects."""

from __future__ import annotations

from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from joblogs import access, query
from joblogs.api.base import Operation, ScopeView
from joblogs.api.exchange import success_of
from joblogs.api.fields import Params, flag_param, job_id_param, or_unset, read
from joblogs.api.step_results import StepForm, step_entries
from joblogs.api.streaming import STREAMED, in_parts, spliced
from joblogs.api.v3.fields import (
    Duration,
    HostStatusCode,
    Milliseconds,
    RunStatusCode,
    StepTypeCode,
)
from joblogs.choices import FINISHED, run_rank
from joblogs.errors import JobNotFound
from joblogs.models import JobInstance, Scope, StepInstance
from joblogs.query import TargetResult

from .fields import BizId, ExecuteObject, ended, execute_object, scope_without_nulls


class V4JobStatusParams(Struct, frozen=True):
    """Parameters: a job, and whether its results on execute objects are wanted."""

    job_instance_id: Annotated[int, job_id_param]
    return_execute_object_result: Annotated[bool, flag_param("With the result on each host.")]


class V4JobSummary(Struct, kw_only=True):
    """Job with its status and times."""

    bk_biz_id: BizId = UNSET
    bk_scope_type: str
    bk_scope_id: str
    job_instance_id: int
    status: RunStatusCode
    name: str
    create_time: Milliseconds
    start_time: Milliseconds | UnsetType = UNSET
    end_time: Milliseconds | UnsetType = UNSET
    total_time: Duration | UnsetType = UNSET


class ObjectResult(Struct, kw_only=True):
    """Result of a step on one of its targets."""

    status: HostStatusCode
    tag: str
    execute_object: ExecuteObject
    exit_code: int | UnsetType = UNSET
    start_time: Milliseconds | UnsetType = UNSET
    end_time: Milliseconds | UnsetType = UNSET
    total_time: Duration | UnsetType = UNSET


class V4StepSummary(Struct, kw_only=True):
    """Step with its status and times."""

    step_instance_id: int
    name: str
    status: RunStatusCode
    type: StepTypeCode
    execute_count: int
    start_time: Milliseconds | UnsetType = UNSET
    end_time: Milliseconds | UnsetType = UNSET
    total_time: Duration | UnsetType = UNSET
    create_time: Milliseconds
    step_execute_object_result_list: (
        Annotated[
            list[ObjectResult],
            Meta(
                description="With return_execute_object_result, where there are any; of a file "
                "step its targets."
            ),
        ]
        | UnsetType
    ) = UNSET


class V4JobStatus(Struct):
    """Job and its steps."""

    finished: bool
    job_instance: V4JobSummary
    step_instance_list: list[V4StepSummary]


class V4GetJobInstanceStatus(ScopeView):
    """View of a job's status, by GET."""

    http_method_names = ["get"]
    errors = (*ScopeView.errors, JobNotFound)
    operations = {
        "get": Operation(
            summary="How a job and its steps went, in version 4 of the API",
            description="No key is null: what is not known is left out.",
            request=V4JobStatusParams,
            answer=V4JobStatus,
        )
    }

    def answer(self, request: Request, scope: Scope, params: Params) -> HttpResponseBase:
        wanted = read(V4JobStatusParams, params)
        job = query.find_job(access.jobs_in(scope), job_instance_id=wanted.job_instance_id)
        status = V4JobStatus(run_rank(job.status) == FINISHED, _job_summary(job), STREAMED)
        with_objects = wanted.return_execute_object_result
        steps = step_entries(job, _FORM, with_results=with_objects)
        return in_parts(spliced(success_of(request._request, status), steps))


def _job_summary(job: JobInstance) -> V4JobSummary:
    return V4JobSummary(
        **scope_without_nulls(job),
        job_instance_id=job.job_instance_id,
        status=job.status,
        name=job.name,
        create_time=job.create_time,
        **ended(job),
    )


def _step(step: StepInstance) -> V4StepSummary:
    return V4StepSummary(
        step_instance_id=step.step_instance_id,
        name=step.name,
        status=step.status,
        type=step.step_type,
        execute_count=step.execute_count,
        create_time=step.create_time,
        **ended(step),
    )


def _result(result: TargetResult) -> ObjectResult:
    host = (result.host_id, result.bk_cloud_id, result.ip, result.ipv6)
    return ObjectResult(
        status=result.status,
        tag=result.tag or "",
        execute_object=execute_object(*host),
        exit_code=or_unset(result.exit_code),
        **ended(result),
    )


_FORM = StepForm(_step, _result, "step_execute_object_result_list")
