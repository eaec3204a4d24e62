"""How get_step_instance_status and get_step_instance_detail answer."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from joblogs import query
from joblogs.api.envelope import exchange_of, json_bytes
from joblogs.api.streaming import enveloped, in_parts, listed
from joblogs.audit import ReadEntry
from joblogs.choices import StepType
from joblogs.models import StepInstance
from joblogs.query import FileSource, ResultGroup, TargetResult

from .job_answers import times
from .status_names import name_of
from .step_requests import StepStatusRequest

SERVER_FILE, THIRD_PARTY_FILE = 1, 3
SQL_LANGUAGE = 6


def step_status(
    request: HttpRequest,
    step: StepInstance,
    groups: Iterable[ResultGroup],
    *,
    asked: StepStatusRequest,
    read: ReadEntry | None,
    size: int,
) -> HttpResponseBase:
    """The answer of get_step_instance_status."""
    head = {
        "step_instance_id": step.step_instance_id,
        "execute_count": step.execute_count,
        "name": step.name,
        "type": step.step_type,
        "status": step.status,
        **times(step),
    }
    name = functools.partial(name_of, language=exchange_of(request).language)

    def data() -> Iterator[bytes]:
        yield json_bytes(head)[:-1] + b',"step_result_group_list":'
        yield from listed(_group(group, asked, name(group.status)) for group in groups)
        yield b"}"

    return in_parts(enveloped(request, data()), read, size=lambda: size)


def _group(group: ResultGroup, asked: StepStatusRequest, name: str) -> Iterator[bytes]:
    head = {
        "result_type": group.status,
        "result_type_desc": name,
        "tag": group.tag,
        "host_size": len(group.results),
    }
    shown = group.results[: asked.most] if asked.lists(group) else []
    yield json_bytes(head)[:-1] + b',"host_result_list":'
    yield from listed([json_bytes(_host_result(result, name))] for result in shown)
    yield b"}"


def _host_result(result: TargetResult, name: str) -> dict[str, Any]:
    return {
        "bk_host_id": result.bk_host_id,
        "ip": result.ip,
        "ipv6": result.ipv6,
        "bk_agent_id": None,
        "bk_cloud_id": result.bk_cloud_id,
        "bk_cloud_name": None,
        "status": result.status,
        "status_desc": name,
        "tag": result.tag or "",
        "exit_code": result.exit_code,
        "start_time": result.start_time,
        "end_time": result.end_time,
        "total_time": result.total_time,
    }


def step_detail(request: HttpRequest, step: StepInstance) -> HttpResponseBase:
    """The answer of get_step_instance_detail: what is known here, null for what is the executor's.

    Its type is the reference's step type, where SQL is a script.
    """
    kind = StepType.SCRIPT if step.step_type == StepType.SQL else step.step_type
    infos = {
        "script_info": _script(step) if kind == StepType.SCRIPT else [b"null"],
        "file_info": _files(step) if kind == StepType.FILE else [b"null"],
        "approval_info": [_unknown(_APPROVAL) if kind == StepType.APPROVAL else b"null"],
    }
    head = {"id": step.step_instance_id, "name": step.name, "type": kind}

    def data() -> Iterator[bytes]:
        yield json_bytes(head)[:-1]
        for name, parts in infos.items():
            yield b',"%s":' % name.encode()
            yield from parts
        yield b"}"

    return in_parts(enveloped(request, data()))


_APPROVAL = ("approval_type", "approval_user", "approval_message", "notify_channel")


def _unknown(names: Iterable[str]) -> bytes:
    return json_bytes(dict.fromkeys(names))


def _script(step: StepInstance) -> Iterator[bytes]:
    is_sql = step.step_type == StepType.SQL
    head = {
        "script_type": None,
        "script_id": None,
        "script_version_id": None,
        "script_content": None,
        "script_language": SQL_LANGUAGE if is_sql else None,
        "script_param": None,
        "windows_interpreter": None,
        "script_timeout": None,
        "account": None,
    }
    yield json_bytes(head)[:-1] + b',"server":'
    yield from _targets(step)
    yield b"," + _unknown(["is_param_sensitive", "is_ignore_error"])[1:]


def _files(step: StepInstance) -> Iterator[bytes]:
    yield b'{"file_source_list":'
    yield from listed([json_bytes(_source(source))] for source in query.file_sources(step))
    target = {"path": query.target_directory(step), "account": None}
    yield b',"file_destination":' + json_bytes(target)[:-1] + b',"server":'
    yield from _targets(step)
    limits = ("timeout", "source_speed_limit", "destination_speed_limit")
    yield b"}," + _unknown([*limits, "transfer_mode", "is_ignore_error"])[1:]


def _source(source: FileSource) -> dict[str, Any]:
    machine = source.machine
    return {
        "file_list": source.paths,
        "account": None,
        "server": {**_SERVER, "ip_list": [_ip(*machine)]} if machine else None,
        "file_type": SERVER_FILE if machine else THIRD_PARTY_FILE,
        "file_source_id": None,
        "file_source_code": None,
    }


_SERVER = dict.fromkeys(("variable", "ip_list", "dynamic_group_list", "topo_node_list"))


def _targets(step: StepInstance) -> Iterator[bytes]:
    """The hosts that a step ran on; which groups they were taken from, nobody said."""
    yield b'{"variable":null,"ip_list":'
    targets = query.target_results(step)
    yield from listed([json_bytes(_ip(*target[:4]))] for target in targets)
    yield b',"dynamic_group_list":null,"topo_node_list":null}'


def _ip(host: int, cloud: int | None, ip: str | None, ipv6: str | None) -> dict[str, Any]:
    return {
        "bk_host_id": host,
        "bk_cloud_id": cloud,
        "bk_cloud_name": None,
        "ip": ip,
        "ipv6": ipv6,
        "bk_agent_id": None,
        "alive": None,
    }
