"""Endpoints bkci_plugin_…: status and logs as BlueKing CI's plugins ask for them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from joblogs import access, query
from joblogs.api.base import Operation, ScopeView, StepParams, StepView, read_entry
from joblogs.api.envelope import json_bytes
from joblogs.api.fields import (
    ID,
    Address,
    Parameter,
    Params,
    constant,
    flag_param,
    job_id_param,
    number_of,
    read,
    step_id_param,
)
from joblogs.api.parameters import at_least, optional_list
from joblogs.api.streaming import (
    FILE_LOG,
    LOG_TYPE,
    SCRIPT_LOG,
    STREAMED,
    enveloped,
    in_parts,
    known,
    listed,
    log_type,
    spliced,
    text_of,
)
from joblogs.audit import Channel, ReadEntry
from joblogs.choices import FINISHED, FileMode, FileStatus, run_rank
from joblogs.errors import BadRequest, JobNotFound, StepNotFound
from joblogs.models import FileLog, JobInstance, Scope, StepInstance
from joblogs.query import HOSTS_MAX, StepHost, TargetResult

from .fields import (
    Duration,
    HostStatusCode,
    Milliseconds,
    RunStatusCode,
    StepTypeCode,
    times,
)
from .job_status import JobSummary, job_summary

HOST_OBJECT, CONTAINER_OBJECT = 1, 2


class PluginHost(Struct, kw_only=True):
    """Host of an execute object; what is not known is null."""

    bk_host_id: int
    bk_cloud_id: int | None
    bk_cloud_name: None = None
    ip: Address | None
    ipv6: Address | None
    bk_agent_id: None = None
    alive: None = None


class PluginObject(Struct):
    """Execute object: a host, there are no containers here."""

    type: Annotated[int, constant(HOST_OBJECT)]
    host: PluginHost
    resource_id: str


def _object(number: int, cloud: int | None, ip: str | None, ipv6: str | None) -> PluginObject:
    host = PluginHost(bk_host_id=number, bk_cloud_id=cloud, ip=ip, ipv6=ipv6)
    return PluginObject(HOST_OBJECT, host, str(number))


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
        entries = (_step(step, with_objects=with_objects) for step in query.steps_of(job))
        return in_parts(enveloped(request._request, status, listed(entries)))


def _step(step: StepInstance, *, with_objects: bool) -> Iterator[bytes]:
    summary = PluginStep(
        step_instance_id=step.step_instance_id,
        name=step.name,
        status=step.status,
        type=step.step_type,
        execute_count=step.execute_count,
        **times(step),
    )
    results = query.target_results(step) if with_objects else iter(())
    first = next(results, None)
    if first is None:
        return spliced(summary)
    summary.execute_object_result_list = STREAMED
    every = itertools.chain([first], results)
    return spliced(summary, listed([json_bytes(_result(result))] for result in every))


def _result(result: TargetResult) -> PluginResult:
    return PluginResult(
        status=result.status,
        tag=result.tag,
        execute_object=_object(result.host_id, result.bk_cloud_id, result.ip, result.ipv6),
        exit_code=result.exit_code,
        error_code=result.error_code,
        start_time=result.start_time,
        end_time=result.end_time,
        total_time=result.total_time,
    )


def _objects(params: Params, field: str) -> list[int]:
    """The hosts among execute objects; a container names none. Raises BadRequest."""
    objects = optional_list(params, field)
    if not 1 <= len(objects) <= HOSTS_MAX:
        raise BadRequest(BadRequest.OBJECTS_SIZE)
    hosts = []
    for item in objects:
        if not isinstance(item, dict):
            raise BadRequest(BadRequest.FIELD, field)
        kind = at_least(item.get("type"), HOST_OBJECT, BadRequest.OBJECT_TYPE)
        if kind > CONTAINER_OBJECT:
            raise BadRequest(BadRequest.OBJECT_TYPE)
        number = at_least(item.get("resource_id"), 1, BadRequest.OBJECT_ID)
        if kind == HOST_OBJECT:
            hosts.append(number)
    return hosts


_OBJECTS: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "maxItems": HOSTS_MAX,
    "items": {
        "type": "object",
        "required": ["type", "resource_id"],
        "properties": {
            "type": {"type": ["integer", "string"], "enum": [1, 2, "1", "2"]},
            "resource_id": ID,
        },
    },
}


class PluginLogParams(StepParams, frozen=True, kw_only=True):
    """Parameters: some execute objects of a step."""

    job_instance_id: Annotated[int, job_id_param]
    step_instance_id: Annotated[int, step_id_param]
    execute_object_list: Annotated[
        list[int],
        Parameter(_objects, _OBJECTS, "Hosts (type 1) by their ids.", required=True),
    ]


class PluginFileLog(Struct, kw_only=True):
    """One file moved to or from a host."""

    mode: Annotated[int, number_of(FileMode, "Which way")]
    src_execute_object: PluginObject | None
    src_path: str
    dest_execute_object: PluginObject | None
    dest_path: str | None
    status: Annotated[int, number_of(FileStatus, "Status")]
    log_content: str
    size: str
    speed: str
    process: str


class PluginScript(Struct):
    """Script log of a host."""

    execute_object: PluginObject
    log_content: str


class PluginFiles(Struct):
    """File logs of a host, both ways."""

    execute_object: PluginObject
    file_atomic_task_logs: list[PluginFileLog] | None


class PluginLogs(Struct, kw_only=True):
    """Logs of a step; of the two lists one is null, both of an approval or where none is found."""

    job_instance_id: int
    step_instance_id: int
    log_type: Annotated[int, LOG_TYPE] | None
    script_execute_object_task_logs: list[PluginScript] | None = None
    file_execute_object_task_logs: list[PluginFiles] | None = None


class PluginBatchGetLog(StepView[PluginLogParams]):
    """View of the logs of some execute objects for plugins, by POST."""

    http_method_names = ["post"]
    params_class = PluginLogParams
    operations = {
        "post": Operation(
            summary="The logs of many hosts of a step, for BlueKing CI's plugins",
            description=f"At most {HOSTS_MAX}.",
            request=PluginLogParams,
            example={"execute_object_list": [{"type": 1, "resource_id": "101"}]},
            answer=PluginLogs,
        )
    }

    def find_step(self, jobs: QuerySet[JobInstance], params: PluginLogParams) -> StepInstance:
        """Raises JobNotFound for a step that is not there, too."""
        return query.find_step(
            jobs,
            job_instance_id=params.job_instance_id,
            step_instance_id=params.step_instance_id,
        )

    def answer_step(
        self, request: Request, step: StepInstance, params: PluginLogParams
    ) -> HttpResponseBase:
        hosts = query.hosts_named(step, params.execute_object_list)
        read_log = read_entry(request, step, hosts=len(hosts), channel=Channel.PLUGIN_LOG)
        kind = log_type(step) if hosts else None
        logs = PluginLogs(
            job_instance_id=step.job.job_instance_id,
            step_instance_id=step.step_instance_id,
            log_type=log_type(step),
            script_execute_object_task_logs=STREAMED if kind == SCRIPT_LOG else None,
            file_execute_object_task_logs=STREAMED if kind == FILE_LOG else None,
        )
        entries = _scripts if kind == SCRIPT_LOG else _files
        values = [] if kind is None else [listed(entries(step, hosts, read_log))]
        planned = sum(host.size for host in hosts)
        return in_parts(enveloped(request._request, logs, *values), read_log, planned=planned)


def _scripts(
    step: StepInstance, hosts: list[StepHost], read_log: ReadEntry
) -> Iterator[Iterable[bytes]]:
    for host, parts in query.script_logs(step, hosts):
        read_log.size += host.size
        yield spliced(PluginScript(_object_of(host), STREAMED), text_of(parts))


def _files(
    step: StepInstance, hosts: list[StepHost], read_log: ReadEntry
) -> Iterator[Iterable[bytes]]:
    for host, logs in query.file_logs(step, hosts):
        read_log.size += logs.size
        entries = [_file_log(log) for log in logs]
        yield [json_bytes(PluginFiles(_object_of(host), entries or None))]


def _file_log(log: FileLog) -> PluginFileLog:
    source, target = log.src_host_id, log.dest_host_id
    return PluginFileLog(
        mode=log.mode,
        src_execute_object=None
        if source is None
        else _object(source, log.src_cloud_id, log.src_ip, log.src_ipv6),
        src_path=log.src_path,
        dest_execute_object=None
        if target is None
        else _object(target, log.dest_cloud_id, log.dest_ip, log.dest_ipv6),
        dest_path=log.dest_path,
        status=log.status,
        log_content=bytes(log.content).decode(errors="replace"),
        size=known(log.size),
        speed=known(log.speed),
        process=known(log.process),
    )


def _object_of(host: StepHost) -> PluginObject:
    return _object(host.bk_host_id, host.bk_cloud_id, host.ip, host.ipv6)
