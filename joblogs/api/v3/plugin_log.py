"""Endpoint bkci_plugin_batch_get_job_instance_execute_object_log: logs for BlueKing CI's
plugins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from msgspec import Struct
from rest_framework.request import Request

from joblogs import query
from joblogs.api.base import Operation, StepParams, StepView, read_entry
from joblogs.api.exchange import json_bytes, success_of
from joblogs.api.fields import ID, Parameter, Params, job_id_param, number_of, step_id_param
from joblogs.api.parameters import at_least, optional_list
from joblogs.api.streaming import (
    FILE_LOG,
    LOG_TYPE,
    SCRIPT_LOG,
    STREAMED,
    in_parts,
    known,
    listed,
    log_type,
    spliced,
    text_of,
)
from joblogs.audit import Channel, ReadEntry
from joblogs.choices import FileMode, FileStatus
from joblogs.errors import BadRequest
from joblogs.models import FileLog, JobInstance, StepInstance
from joblogs.query import HOSTS_MAX, StepHost

from .plugin_objects import CONTAINER_OBJECT, HOST_OBJECT, PluginObject, plugin_object


def _objects(params: Params, field: str) -> list[int]:
    """Return the hosts among execute objects, without containers. Raise BadRequest."""
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
    """File logs of a host, uploads and downloads."""

    execute_object: PluginObject
    file_atomic_task_logs: list[PluginFileLog] | None


class PluginLogs(Struct, kw_only=True):
    """Logs of a step. One of the two lists is null; for an approval or without hosts, both are."""

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
        """Return the step. Raise JobNotFound, also for a missing step."""
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
        return in_parts(
            spliced(success_of(request._request, logs), *values), read_log, planned=planned
        )


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
        else plugin_object(source, log.src_cloud_id, log.src_ip, log.src_ipv6),
        src_path=log.src_path,
        dest_execute_object=None
        if target is None
        else plugin_object(target, log.dest_cloud_id, log.dest_ip, log.dest_ipv6),
        dest_path=log.dest_path,
        status=log.status,
        log_content=bytes(log.content).decode(errors="replace"),
        size=known(log.size),
        speed=known(log.speed),
        process=known(log.process),
    )


def _object_of(host: StepHost) -> PluginObject:
    return plugin_object(host.bk_host_id, host.bk_cloud_id, host.ip, host.ipv6)
