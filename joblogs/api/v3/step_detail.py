"""Endpoint get_step_instance_detail: what is known of a step, else null."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import query
from joblogs.api.base import Operation, StepParams, StepView
from joblogs.api.envelope import json_bytes
from joblogs.api.fields import Address
from joblogs.api.streaming import STREAMED, enveloped, in_parts, listed
from joblogs.choices import StepType
from joblogs.models import StepInstance
from joblogs.query import FileSource

SERVER_FILE, THIRD_PARTY_FILE = 1, 3
SQL_LANGUAGE = 6


class DetailHost(Struct, kw_only=True):
    """Host of a server."""

    bk_host_id: int
    bk_cloud_id: int | None
    bk_cloud_name: None = None
    ip: Address | None
    ipv6: Address | None
    bk_agent_id: None = None
    alive: None = None


class DetailServer(Struct, kw_only=True):
    """Hosts that a step ran on; the groups that they were taken from are not known."""

    variable: None = None
    ip_list: list[DetailHost]
    dynamic_group_list: None = None
    topo_node_list: None = None


class ScriptInfo(Struct, kw_only=True):
    """Script of a step."""

    script_type: None = None
    script_id: None = None
    script_version_id: None = None
    script_content: None = None
    script_language: Annotated[int | None, Meta(description="6 for SQL, else not known.")]
    script_param: None = None
    windows_interpreter: None = None
    script_timeout: None = None
    account: None = None
    server: DetailServer
    is_param_sensitive: None = None
    is_ignore_error: None = None


class FileSourceInfo(Struct, kw_only=True):
    """Source of files."""

    file_list: list[str]
    account: None = None
    server: DetailServer | None
    file_type: Annotated[
        int,
        Meta(
            description="1 a server's file, 3 a third party's.",
            extra_json_schema={"enum": [SERVER_FILE, THIRD_PARTY_FILE]},
        ),
    ]
    file_source_id: None = None
    file_source_code: None = None


class FileDestination(Struct, kw_only=True):
    """Target of files."""

    path: str | None
    account: None = None
    server: DetailServer


class FileInfo(Struct, kw_only=True):
    """Transfer of a step."""

    file_source_list: list[FileSourceInfo]
    file_destination: FileDestination
    timeout: None = None
    source_speed_limit: None = None
    destination_speed_limit: None = None
    transfer_mode: None = None
    is_ignore_error: None = None


class ApprovalInfo(Struct):
    """Approval of a step."""

    approval_type: None = None
    approval_user: None = None
    approval_message: None = None
    notify_channel: None = None


class StepDetail(Struct):
    """What is known of a step. What is the executor's is null."""

    id: int
    name: str
    type: Annotated[int, Meta(description="1 script and SQL, 2 file transfer, 3 approval.")]
    script_info: ScriptInfo | None
    file_info: FileInfo | None
    approval_info: ApprovalInfo | None


class GetStepInstanceDetail(StepView[StepParams]):
    """View of what is known of a step, by GET."""

    http_method_names = ["get"]
    params_class = StepParams
    operations = {
        "get": Operation(summary="What is known of a step", request=StepParams, answer=StepDetail)
    }

    def answer_step(
        self, request: Request, step: StepInstance, params: StepParams
    ) -> HttpResponseBase:
        # BlueKing JOB's step type, where SQL is a script.
        kind = StepType.SCRIPT if step.step_type == StepType.SQL else step.step_type
        detail = StepDetail(
            id=step.step_instance_id,
            name=step.name,
            type=kind,
            script_info=_script(step) if kind == StepType.SCRIPT else None,
            file_info=_transfer(step) if kind == StepType.FILE else None,
            approval_info=ApprovalInfo() if kind == StepType.APPROVAL else None,
        )
        values = [_sources(step)] if detail.file_info else []
        values += [_targets(step)] if detail.file_info or detail.script_info else []
        return in_parts(enveloped(request._request, detail, *values))


def _script(step: StepInstance) -> ScriptInfo:
    language = SQL_LANGUAGE if step.step_type == StepType.SQL else None
    return ScriptInfo(script_language=language, server=DetailServer(ip_list=STREAMED))


def _transfer(step: StepInstance) -> FileInfo:
    server = DetailServer(ip_list=STREAMED)
    target = FileDestination(path=query.target_directory(step), server=server)
    return FileInfo(file_source_list=STREAMED, file_destination=target)


def _sources(step: StepInstance) -> Iterator[bytes]:
    return listed([json_bytes(_source(source))] for source in query.file_sources(step))


def _source(source: FileSource) -> FileSourceInfo:
    host = source.machine
    return FileSourceInfo(
        file_list=source.paths,
        server=DetailServer(ip_list=[_host(*host)]) if host else None,
        file_type=SERVER_FILE if host else THIRD_PARTY_FILE,
    )


def _targets(step: StepInstance) -> Iterator[bytes]:
    results = query.target_results(step)
    hosts = ((host.host_id, host.bk_cloud_id, host.ip, host.ipv6) for host in results)
    return listed([json_bytes(_host(*host))] for host in hosts)


def _host(number: int, cloud: int | None, ip: str | None, ipv6: str | None) -> DetailHost:
    return DetailHost(bk_host_id=number, bk_cloud_id=cloud, ip=ip, ipv6=ipv6)
