"""Endpoint v4_batch_get_job_instance_execute_object_log: the logs of some hosts of a step.

Version 4 has its own envelope and field names, real HTTP statuses and no nulls. Containers are not
kept here: naming one gives no entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import query
from joblogs.api import parameters
from joblogs.api.base import Params, StepParams, StepView, read_entry
from joblogs.api.envelope import exchange_of, json_bytes
from joblogs.api.streaming import SCRIPT_LOG, in_parts, known, listed, log_type, text_of
from joblogs.audit import Channel, ReadEntry
from joblogs.choices import FileMode
from joblogs.errors import BadRequest, ParameterInvalid
from joblogs.models import FileLog, StepInstance
from joblogs.query import Address, FileLogs, StepHost

OBJECTS_MAX = 50
HOST_OBJECT = 1
_LISTS = "host_id_list/ip_list/container_id_list"


@dataclass(frozen=True, slots=True)
class ObjectLogParams(StepParams):
    """Parameters: at most OBJECTS_MAX hosts of a step."""

    hosts: list[int | Address]

    @classmethod
    def read(cls, params: Params) -> ObjectLogParams:
        """Raises BadRequest or ParameterInvalid."""
        job = parameters.at_least(params.get("job_instance_id"), 1, BadRequest.JOB_ID)
        step = parameters.at_least(params.get("step_instance_id"), 1, BadRequest.STEP_ID)
        hosts = parameters.host_list(params, most=OBJECTS_MAX, lists=_LISTS)
        if hosts is None:
            containers = parameters.optional_list(params, "container_id_list")
            if not 0 < len(containers) <= OBJECTS_MAX:
                raise ParameterInvalid(None, _LISTS)
        return cls(job, step, hosts or [])


class BatchGetJobInstanceExecuteObjectLog(StepView[ObjectLogParams]):
    """View of the logs of some hosts of a step, by POST."""

    http_method_names = ["post"]
    params_class = ObjectLogParams

    def answer_step(
        self, request: Request, step: StepInstance, params: ObjectLogParams
    ) -> HttpResponseBase:
        hosts = query.hosts_named(step, params.hosts)
        read = read_entry(request, step, hosts=len(hosts), channel=Channel.OBJECT_LOG)
        return _answer(request._request, step, hosts, read=read)


def _answer(
    request: HttpRequest,
    step: StepInstance,
    hosts: list[StepHost],
    *,
    read: ReadEntry,
) -> HttpResponseBase:
    """The answer; `read` records the bytes of log that it holds."""
    size = 0

    def entries() -> Iterator[Iterable[bytes]]:
        nonlocal size
        if log_type(step) == SCRIPT_LOG:
            for host, parts in query.script_logs(step, hosts):
                size += host.size
                yield _script_entry(host, parts)
        else:
            for host, logs in query.file_logs(step, hosts):
                size += logs.size
                yield [_file_entry(host, logs)]

    planned = sum(host.size for host in hosts)
    document = _document(request, step, entries())
    return in_parts(document, read, size=lambda: size, planned=planned)


def _document(
    request: HttpRequest, step: StepInstance, entries: Iterable[Iterable[bytes]]
) -> Iterator[bytes]:
    kind = log_type(step)
    data = {
        "job_instance_id": step.job.job_instance_id,
        "step_instance_id": step.step_instance_id,
        "log_type": kind,
    }
    yield b'{"data":' + json_bytes(_without_nulls(data))[:-1]
    if kind is not None:
        name = "script" if kind == SCRIPT_LOG else "file"
        yield b',"%s_step_execute_object_logs":' % name.encode()
        yield from listed(entries)
    yield b"}," + json_bytes(exchange_of(request).tail())[1:]


def _script_entry(host: StepHost, parts: Iterable[bytes]) -> Iterator[bytes]:
    yield json_bytes({"execute_object": _object_of(host)})[:-1] + b',"log_content":'
    yield from text_of(parts)
    yield b"}"


def _file_entry(host: StepHost, logs: FileLogs) -> bytes:
    entry: dict[str, Any] = {"execute_object": _object_of(host)}
    for name, mode in (("download_log", FileMode.DOWNLOAD), ("upload_log", FileMode.UPLOAD)):
        entry[name] = [_file_log(log) for log in logs if log.mode == mode] or None
    return json_bytes(_without_nulls(entry))


def _file_log(log: FileLog) -> dict[str, Any]:
    is_download = log.mode == FileMode.DOWNLOAD
    return _without_nulls(
        {
            "mode": log.mode,
            "src_execute_object": _object(
                log.src_host_id, log.src_cloud_id, log.src_ip, log.src_ipv6
            ),
            "src_path": log.src_path,
            "dest_execute_object": _object(
                log.dest_host_id, log.dest_cloud_id, log.dest_ip, log.dest_ipv6
            ),
            "dest_path": log.dest_path if is_download else None,
            "status": log.status,
            "log_content": bytes(log.content).decode(errors="replace"),
            "size": known(log.size),
            "speed": known(log.speed),
            "process": known(log.process),
        }
    )


def _object_of(host: StepHost) -> dict[str, Any] | None:
    return _object(host.bk_host_id, host.bk_cloud_id, host.ip, host.ipv6)


def _object(
    number: int | None, cloud: int | None, ip: str | None, ipv6: str | None
) -> dict[str, Any] | None:
    if number is None:
        return None
    host = _without_nulls({"bk_host_id": number, "bk_cloud_id": cloud, "ip": ip, "ipv6": ipv6})
    return {"type": HOST_OBJECT, "resource_id": str(number), "host": host}


def _without_nulls(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Version 4 has no nulls: what is not known is left out."""
    return {key: value for key, value in fields.items() if value is not None}
