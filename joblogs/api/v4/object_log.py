"""Version 4 of the batch endpoint: its own envelope and field names, real HTTP statuses, no nulls.

Containers are no machines of this store: naming one gives no entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import database, query
from joblogs.api import parameters
from joblogs.api.body import json_object
from joblogs.api.envelope import exchange_of, json_bytes
from joblogs.api.streaming import SCRIPT_LOG, in_parts, known, listed, log_type, text_of
from joblogs.api.v3.step_views import readable_jobs
from joblogs.api.views import ApiView, read_entry
from joblogs.audit import Channel, ReadEntry
from joblogs.choices import FileMode
from joblogs.errors import BadRequest, ParameterInvalid
from joblogs.models import FileLog, StepInstance
from joblogs.query import Address, FileLogs, StepHost

OBJECTS_MAX = 50
HOST_OBJECT = 1
_LISTS = "host_id_list/ip_list/container_id_list"


@dataclass(frozen=True, slots=True)
class ObjectLogRequest:
    """The logs of at most OBJECTS_MAX hosts of a step."""

    job_instance_id: int
    step_instance_id: int
    wanted: list[int | Address]

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> ObjectLogRequest:
        job = parameters.at_least(body.get("job_instance_id"), 1, BadRequest.JOB_ID)
        step = parameters.at_least(body.get("step_instance_id"), 1, BadRequest.STEP_ID)
        wanted = parameters.hosts_wanted(body, most=OBJECTS_MAX, lists=_LISTS)
        if wanted is None:
            containers = parameters.list_given(body, "container_id_list")
            if not 0 < len(containers) <= OBJECTS_MAX:
                raise ParameterInvalid(None, _LISTS)
        return cls(job, step, wanted or [])


class BatchGetJobInstanceExecuteObjectLog(ApiView):
    """The logs of some hosts of a step, by host list."""

    @database.from_replica
    def post(self, request: Request) -> HttpResponseBase:
        body = json_object(request._request)
        jobs = readable_jobs(request, body)
        asked = ObjectLogRequest.read(body)
        step = query.find_step_of_job(
            jobs,
            job_instance_id=asked.job_instance_id,
            step_instance_id=asked.step_instance_id,
        )
        hosts = query.hosts_named(step, asked.wanted)
        read = read_entry(request, step, hosts=len(hosts), channel=Channel.OBJECT_LOG)
        return object_logs(request._request, step, hosts, read=read)


def object_logs(
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
    yield b'{"data":' + json_bytes(_stated(data))[:-1]
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
    return json_bytes(_stated(entry))


def _file_log(log: FileLog) -> dict[str, Any]:
    is_download = log.mode == FileMode.DOWNLOAD
    return _stated(
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
    host = _stated({"bk_host_id": number, "bk_cloud_id": cloud, "ip": ip, "ipv6": ipv6})
    return {"type": HOST_OBJECT, "resource_id": str(number), "host": host}


def _stated(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Version 4 has no nulls: what is not known is left out."""
    return {key: value for key, value in fields.items() if value is not None}
