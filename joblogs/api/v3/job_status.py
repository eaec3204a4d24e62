"""Endpoint get_job_instance_status: status of a job and its steps."""

from __future__ import annotations

from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import access, query
from joblogs.api.base import Operation, ScopeView
from joblogs.api.exchange import success_of
from joblogs.api.fields import Address, Params, flag_param, read, required_id_param
from joblogs.api.step_results import StepForm, step_entries
from joblogs.api.streaming import STREAMED, in_parts, spliced
from joblogs.choices import FINISHED, run_rank
from joblogs.errors import JobNotFound
from joblogs.models import JobInstance, Scope, StepInstance
from joblogs.query import TargetResult

from .fields import (
    BizId,
    Duration,
    HostStatusCode,
    Milliseconds,
    RunStatusCode,
    StepTypeCode,
    scope_fields,
    times,
)


class JobStatusParams(Struct, frozen=True):
    """Parameters: a job, and whether its result on each host is wanted."""

    job_instance_id: Annotated[int, required_id_param("The job.")]
    return_ip_result: Annotated[bool, flag_param("With the result on each host.")]


class JobSummary(Struct, kw_only=True):
    """Job with its status and times."""

    bk_biz_id: BizId
    bk_scope_type: str
    bk_scope_id: str
    job_instance_id: int
    name: str
    status: RunStatusCode
    create_time: Milliseconds
    start_time: Milliseconds | None
    end_time: Milliseconds | None
    total_time: Duration | None


class StepHostStatus(Struct, kw_only=True):
    """Result of a step on one of its targets."""

    bk_host_id: int
    ip: Address | None
    bk_cloud_id: int
    status: HostStatusCode
    tag: str
    exit_code: int | None
    error_code: int | None
    start_time: Milliseconds | None
    end_time: Milliseconds | None
    total_time: Duration | None


class JobStep(Struct, kw_only=True):
    """Step with its status and times."""

    step_instance_id: int
    name: str
    status: RunStatusCode
    type: StepTypeCode
    execute_count: int
    create_time: Milliseconds
    start_time: Milliseconds | None
    end_time: Milliseconds | None
    total_time: Duration | None
    step_ip_result_list: Annotated[
        list[StepHostStatus] | None,
        Meta(description="Null unless return_ip_result; of a file step its targets."),
    ] = None


class JobStatus(Struct):
    """Job and its steps."""

    finished: bool
    job_instance: JobSummary
    step_instance_list: list[JobStep]


class GetJobInstanceStatus(ScopeView):
    """View of a job's status, by GET and POST."""

    errors = (*ScopeView.errors, JobNotFound)
    operations = dict.fromkeys(
        ("get", "post"),
        Operation(
            summary="How a job and its steps went", request=JobStatusParams, answer=JobStatus
        ),
    )

    def answer(self, request: Request, scope: Scope, params: Params) -> HttpResponseBase:
        wanted = read(JobStatusParams, params)
        job = query.find_job(access.jobs_in(scope), job_instance_id=wanted.job_instance_id)
        status = JobStatus(run_rank(job.status) == FINISHED, job_summary(job), STREAMED)
        steps = step_entries(job, _FORM, with_results=wanted.return_ip_result)
        return in_parts(spliced(success_of(request._request, status), steps))


def job_summary(job: JobInstance) -> JobSummary:
    """Return a job with its status and times."""
    return JobSummary(
        **scope_fields(job.scope),
        job_instance_id=job.job_instance_id,
        name=job.name,
        status=job.status,
        **times(job),
    )


def _job_step(step: StepInstance) -> JobStep:
    return JobStep(
        step_instance_id=step.step_instance_id,
        name=step.name,
        status=step.status,
        type=step.step_type,
        execute_count=step.execute_count,
        **times(step),
    )


def _host_status(result: TargetResult) -> StepHostStatus:
    return StepHostStatus(
        bk_host_id=result.host_id,
        ip=result.ip,
        bk_cloud_id=result.bk_cloud_id,
        status=result.status,
        tag=result.tag or "",
        exit_code=result.exit_code,
        error_code=result.error_code,
        start_time=result.start_time,
        end_time=result.end_time,
        total_time=result.total_time,
    )


_FORM = StepForm(_job_step, _host_status, "step_ip_result_list", has_empty=True)
