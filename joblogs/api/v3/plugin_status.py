"""Endpoint bkci_plugin_get_job_instance_status: status of a job for BlueKing CI's plugins."""

from __future__ import annotations

from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from joblogs import access, query
from joblogs.api.base import Operation, ScopeView
from joblogs.api.exchange import success_of
from joblogs.api.fields import Params, flag_param, job_id_param, read
from joblogs.api.step_results import StepForm, step_entries
from joblogs.api.streaming import STREAMED, in_parts, spliced
from joblogs.choices import FINISHED, run_rank
from joblogs.errors import JobNotFound, StepNotFound
from joblogs.models import Scope, StepInstance
from joblogs.query import TargetResult

from .fields import Duration, HostStatusCode, Milliseconds, RunStatusCode, StepTypeCode, times
from .job_status import JobSummary, job_summary
from .plugin_objects import PluginObject, plugin_object


class PluginStatusParams(Struct, frozen=True):
    """Parameters: a job, and whether its results on execute objects are wanted."""

    job_instance_id: Annotated[int, job_id_param]
    include_execute_object_task_result: Annotated[bool, flag_param("With each host's result.")]


class PluginResult(Struct, kw_only=True):
    """Result of a step on one of its targets."""

    status: HostStatusCode
    tag: str | None
    execute_object: PluginObject
    exit_code: int | None
    error_code: int | None
    start_time: Milliseconds | None
    end_time: Milliseconds | None
    total_time: Duration | None


class PluginStep(Struct, kw_only=True):
    """Step with its status and times."""

    step_instance_id: int
    name: str
    status: RunStatusCode
    type: StepTypeCode
    execute_count: int
    start_time: Milliseconds | None
    end_time: Milliseconds | None
    total_time: Duration | None
    create_time: Milliseconds
    execute_object_result_list: (
        Annotated[
            list[PluginResult],
            Meta(description="With include_execute_object_task_result, where there are any."),
        ]
        | UnsetType
    ) = UNSET


class PluginStatus(Struct):
    """Job and its steps."""

    finished: bool
    job_instance: JobSummary
    step_instance_list: list[PluginStep]


class PluginGetJobInstanceStatus(ScopeView):
    """View of a job's status for plugins, by POST."""

    http_method_names = ["post"]
    errors = (*ScopeView.errors, JobNotFound, StepNotFound)
    operations = {
        "post": Operation(
            summary="How a job and its steps went, for BlueKing CI's plugins",
            request=PluginStatusParams,
            answer=PluginStatus,
        )
    }

    def answer(self, request: Request, scope: Scope, params: Params) -> HttpResponseBase:
        wanted = read(PluginStatusParams, params)
        job = query.find_job(access.jobs_in(scope), job_instance_id=wanted.job_instance_id)
        status = PluginStatus(run_rank(job.status) == FINISHED, job_summary(job), STREAMED)
        with_objects = wanted.include_execute_object_task_result
        steps = step_entries(job, _FORM, with_results=with_objects)
        return in_parts(spliced(success_of(request._request, status), steps))


def _step(step: StepInstance) -> PluginStep:
    return PluginStep(
        step_instance_id=step.step_instance_id,
        name=step.name,
        status=step.status,
        type=step.step_type,
        execute_count=step.execute_count,
        **times(step),
    )


def _result(result: TargetResult) -> PluginResult:
    return PluginResult(
        status=result.status,
        tag=result.tag,
        execute_object=plugin_object(result.host_id, result.bk_cloud_id, result.ip, result.ipv6),
        exit_code=result.exit_code,
        error_code=result.error_code,
        start_time=result.start_time,
        end_time=result.end_time,
        total_time=result.total_time,
    )


_FORM = StepForm(_step, _result, "execute_object_result_list")
