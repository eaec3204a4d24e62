"""Endpoint get_step_instance_detail: what is known of a step, else null."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import query
from joblogs.api.base import StepParams, StepView
from joblogs.api.envelope import json_bytes
from joblogs.api.streaming import STREAMED, enveloped, in_parts, listed
from joblogs.choices import StepType
from joblogs.models import StepInstance
from joblogs.query import FileSource

SERVER_FILE, THIRD_PARTY_FILE = 1, 3
SQL_LANGUAGE = 6


class GetStepInstanceDetail(StepView[StepParams]):
    """View of what is known of a step, by GET."""

    http_method_names = ["get"]
    params_class = StepParams

    def answer_step(
        self, request: Request, step: StepInstance, params: StepParams
    ) -> HttpResponseBase:
        return _answer(request._request, step)


def _answer(request: HttpRequest, step: StepInstance) -> HttpResponseBase:
    """The answer. Its type is BlueKing JOB's step type, where SQL is a script."""
    kind = StepType.SCRIPT if step.step_type == StepType.SQL else step.step_type
    infos = {
        "script_info": _script(step) if kind == StepType.SCRIPT else [b"null"],
        "file_info": _files(step) if kind == StepType.FILE else [b"null"],
        "approval_info": [_nulls(_APPROVAL) if kind == StepType.APPROVAL else b"null"],
    }
    head = {"id": step.step_instance_id, "name": step.name, "type": kind}

    def data() -> Iterator[bytes]:
        yield json_bytes(head)[:-1]
        for name, parts in infos.items():
            yield b',"%s":' % name.encode()
            yield from parts
        yield b"}"

    return in_parts(enveloped(request, STREAMED, data()))


_APPROVAL = ("approval_type", "approval_user", "approval_message", "notify_channel")


def _nulls(names: Iterable[str]) -> bytes:
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
    yield b"," + _nulls(["is_param_sensitive", "is_ignore_error"])[1:]


def _files(step: StepInstance) -> Iterator[bytes]:
    yield b'{"file_source_list":'
    yield from listed([json_bytes(_source(source))] for source in query.file_sources(step))
    target = {"path": query.target_directory(step), "account": None}
    yield b',"file_destination":' + json_bytes(target)[:-1] + b',"server":'
    yield from _targets(step)
    limits = ("timeout", "source_speed_limit", "destination_speed_limit")
    yield b"}," + _nulls([*limits, "transfer_mode", "is_ignore_error"])[1:]


def _source(source: FileSource) -> dict[str, Any]:
    host = source.machine
    return {
        "file_list": source.paths,
        "account": None,
        "server": {**_SERVER, "ip_list": [_ip(*host)]} if host else None,
        "file_type": SERVER_FILE if host else THIRD_PARTY_FILE,
        "file_source_id": None,
        "file_source_code": None,
    }


_SERVER = dict.fromkeys(("variable", "ip_list", "dynamic_group_list", "topo_node_list"))


def _targets(step: StepInstance) -> Iterator[bytes]:
    """The hosts that a step ran on; the groups that they were taken from are not known."""
    yield b'{"variable":null,"ip_list":'
    targets = query.target_results(step)
    hosts = ((host.host_id, host.bk_cloud_id, host.ip, host.ipv6) for host in targets)
    yield from listed([json_bytes(_ip(*host))] for host in hosts)
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
