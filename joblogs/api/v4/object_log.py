"""Endpoint v4_batch_get_job_instance_execute_object_log: the logs of some hosts of a step.

Version 4 has its own envelope and field names, real HTTP statuses and no nulls. Containers are not
stored, so they have no entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import UNSET, Struct, UnsetType
from rest_framework.request import Request

from joblogs import query
from joblogs.api.base import Operation, StepParams, StepView, read_entry
from joblogs.api.exchange import json_bytes, success_of
from joblogs.api.fields import (
    ID,
    NAMED_HOST,
    ParameterGroup,
    Params,
    described,
    job_id_param,
    number_of,
    or_unset,
    step_id_param,
)
from joblogs.api.parameters import host_list, optional_list
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
from joblogs.errors import ParameterInvalid
from joblogs.models import FileLog, StepInstance
from joblogs.query import StepHost

from .fields import ExecuteObject, execute_object

OBJECTS_MAX = 50
_LISTS = "host_id_list/ip_list/container_id_list"


def _hosts(params: Params) -> list[int | query.Address]:
    """Return the hosts of the first list that is not empty; [] if it is the list of containers.

    Raise BadRequest or ParameterInvalid.
    """
    hosts = host_list(params, most=OBJECTS_MAX, lists=_LISTS)
    if hosts is None and not 0 < len(optional_list(params, "container_id_list")) <= OBJECTS_MAX:
        raise ParameterInvalid(None, _LISTS)
    return hosts or []


class ObjectLogParams(StepParams, frozen=True, kw_only=True):
    """Parameters: at most OBJECTS_MAX hosts of a step."""

    job_instance_id: Annotated[int, job_id_param]
    step_instance_id: Annotated[int, step_id_param]
    hosts: Annotated[
        list[int | query.Address],
        ParameterGroup(
            _hosts,
            {
                "host_id_list": {"type": "array", "items": ID, "maxItems": OBJECTS_MAX},
                "ip_list": {"type": "array", "items": NAMED_HOST, "maxItems": OBJECTS_MAX},
                "container_id_list": described(
                    {"type": "array", "items": ID, "maxItems": OBJECTS_MAX},
                    "Containers are not kept here: no entries.",
                ),
            },
        ),
    ]


class ObjectFileLog(Struct, kw_only=True):
    """One file moved to or from a host."""

    mode: Annotated[int, number_of(FileMode, "Which way")]
    src_execute_object: ExecuteObject | UnsetType = UNSET
    src_path: str
    dest_execute_object: ExecuteObject | UnsetType = UNSET
    dest_path: str | UnsetType = UNSET
    status: Annotated[int, number_of(FileStatus, "Status")]
    log_content: str
    size: str
    speed: str
    process: str

    @classmethod
    def of(cls, log: FileLog) -> ObjectFileLog:
        """Return the entry of a file log; only a download has a target path."""
        source, target = log.src_host_id, log.dest_host_id
        return cls(
            mode=log.mode,
            src_execute_object=UNSET
            if source is None
            else execute_object(source, log.src_cloud_id, log.src_ip, log.src_ipv6),
            src_path=log.src_path,
            dest_execute_object=UNSET
            if target is None
            else execute_object(target, log.dest_cloud_id, log.dest_ip, log.dest_ipv6),
            dest_path=or_unset(log.dest_path if log.mode == FileMode.DOWNLOAD else None),
            status=log.status,
            log_content=bytes(log.content).decode(errors="replace"),
            size=known(log.size),
            speed=known(log.speed),
            process=known(log.process),
        )


class ObjectScript(Struct):
    """Script log of a host."""

    execute_object: ExecuteObject
    log_content: str


class ObjectFiles(Struct):
    """File logs of a host."""

    execute_object: ExecuteObject
    download_log: list[ObjectFileLog] | UnsetType = UNSET
    upload_log: list[ObjectFileLog] | UnsetType = UNSET


class ObjectLogs(Struct, kw_only=True):
    """Logs of a step: of scripts or of files; an approval has none."""

    job_instance_id: int
    step_instance_id: int
    log_type: Annotated[int, LOG_TYPE] | UnsetType = UNSET
    script_step_execute_object_logs: list[ObjectScript] | UnsetType = UNSET
    file_step_execute_object_logs: list[ObjectFiles] | UnsetType = UNSET


class BatchGetJobInstanceExecuteObjectLog(StepView[ObjectLogParams]):
    """View of the logs of some hosts of a step, by POST."""

    http_method_names = ["post"]
    params_class = ObjectLogParams
    operations = {
        "post": Operation(
            summary="The logs of some hosts of a step, in version 4 of the API",
            description=f"At most {OBJECTS_MAX} hosts; no key is null. The first list that is not "
            "empty counts.",
            request=ObjectLogParams,
            example={"host_id_list": [101, 102]},
            answer=ObjectLogs,
        )
    }

    def answer_step(
        self, request: Request, step: StepInstance, params: ObjectLogParams
    ) -> HttpResponseBase:
        hosts = query.hosts_named(step, params.hosts)
        read = read_entry(request, step, hosts=len(hosts), channel=Channel.OBJECT_LOG)
        kind = log_type(step)
        logs = ObjectLogs(
            job_instance_id=step.job.job_instance_id,
            step_instance_id=step.step_instance_id,
            log_type=or_unset(kind),
            script_step_execute_object_logs=STREAMED if kind == SCRIPT_LOG else UNSET,
            file_step_execute_object_logs=STREAMED if kind == FILE_LOG else UNSET,
        )
        entries = _scripts(step, hosts, read) if kind == SCRIPT_LOG else _files(step, hosts, read)
        values = [] if kind is None else [listed(entries)]
        planned = sum(host.size for host in hosts)
        return in_parts(spliced(success_of(request._request, logs), *values), read, planned=planned)


def _scripts(
    step: StepInstance, hosts: list[StepHost], read: ReadEntry
) -> Iterator[Iterable[bytes]]:
    for host, parts in query.script_logs(step, hosts):
        read.size += host.size
        yield spliced(ObjectScript(_object(host), STREAMED), text_of(parts))


def _files(step: StepInstance, hosts: list[StepHost], read: ReadEntry) -> Iterator[Iterable[bytes]]:
    for host, logs in query.file_logs(step, hosts):
        read.size += logs.size
        of_mode: dict[int, list[ObjectFileLog]] = {}
        for log in logs:
            of_mode.setdefault(log.mode, []).append(ObjectFileLog.of(log))
        down, up = of_mode.get(FileMode.DOWNLOAD), of_mode.get(FileMode.UPLOAD)
        yield [json_bytes(ObjectFiles(_object(host), or_unset(down), or_unset(up)))]


def _object(host: StepHost) -> ExecuteObject:
    return execute_object(host.bk_host_id, host.bk_cloud_id, host.ip, host.ipv6)
