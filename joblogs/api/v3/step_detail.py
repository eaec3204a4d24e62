"""Endpoint get_step_instance_detail: details of a step.

A value that no record has is null where BlueKing JOB may return null, else an empty default,
because typed clients fail on null there (`docs/api.md#get_step_instance_detail`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import query, record_json, records
from joblogs.api.base import Operation, StepParams, StepView
from joblogs.api.exchange import json_bytes, success_of
from joblogs.api.fields import Address, number_of
from joblogs.api.streaming import STREAMED, in_parts, listed, spliced
from joblogs.choices import ScriptLanguage, StepType
from joblogs.models import StepInstance
from joblogs.query import FileSource

SERVER_FILE, LOCAL_FILE, THIRD_PARTY_FILE = 1, 2, 3
TYPED_IN = 1
STRICT = 1
_UNSTATED = Meta(description="Always this: the store does not know it.")


class DetailAccount(Struct, kw_only=True):
    """Account that a step or a source uses; only its name may be known."""

    id: Annotated[int, _UNSTATED] = 0
    name: str | None
    alias: None = None


class DetailHost(Struct, kw_only=True):
    """Host of a step, or of a source of files."""

    bk_host_id: int
    bk_cloud_id: int | None
    bk_cloud_name: None = None
    ip: Address | None
    ipv6: Address | None
    bk_agent_id: None = None
    alive: None = None


class DetailServer(Struct, kw_only=True):
    """Hosts of a step or of a source; the groups from which they were selected are not known."""

    variable: None = None
    ip_list: list[DetailHost]
    dynamic_group_list: None = None
    topo_node_list: None = None


class ScriptInfo(Struct, kw_only=True):
    """Script of a step."""

    script_type: Annotated[int, _UNSTATED] = TYPED_IN
    script_id: None = None
    script_version_id: None = None
    script_content: Annotated[str, _UNSTATED] = ""
    script_language: Annotated[int, number_of(ScriptLanguage, "Language; 6 or 1 if not known")]
    script_param: Annotated[str | None, Meta(description="`******` if they are sensitive.")]
    windows_interpreter: None = None
    script_timeout: Annotated[int, Meta(description="Seconds, 0 if not known.")]
    account: DetailAccount
    server: DetailServer
    is_param_sensitive: Annotated[int, Meta(description="1 if they are, else 0.")]
    is_ignore_error: Annotated[int, _UNSTATED] = 0


class FileSourceInfo(Struct, kw_only=True):
    """Source of files."""

    file_list: list[str]
    account: DetailAccount
    server: DetailServer | None
    file_type: Annotated[
        int,
        Meta(
            description="1 a server's file, 2 one uploaded by hand, 3 a third party's.",
            extra_json_schema={"enum": [SERVER_FILE, LOCAL_FILE, THIRD_PARTY_FILE]},
        ),
    ]
    file_source_id: None = None
    file_source_code: None = None


class FileDestination(Struct, kw_only=True):
    """Target of files."""

    path: Annotated[str, Meta(description="Empty if not known and files went to several.")]
    account: DetailAccount
    server: DetailServer


class FileInfo(Struct, kw_only=True):
    """File transfer of a step."""

    file_source_list: list[FileSourceInfo]
    file_destination: FileDestination
    timeout: Annotated[int, Meta(description="Seconds, 0 if not known.")]
    source_speed_limit: None = None
    destination_speed_limit: None = None
    transfer_mode: Annotated[int, _UNSTATED] = STRICT
    is_ignore_error: Annotated[int, _UNSTATED] = 0


class ApprovalInfo(Struct):
    """Approval of a step."""

    approval_type: None = None
    approval_user: None = None
    approval_message: Annotated[str, _UNSTATED] = ""
    notify_channel: None = None


class StepDetail(Struct):
    """Details of a step."""

    id: int
    name: str
    type: Annotated[int, Meta(description="1 script and SQL, 2 file transfer, 3 approval.")]
    script_info: ScriptInfo | None
    file_info: FileInfo | None
    approval_info: ApprovalInfo | None


class GetStepInstanceDetail(StepView[StepParams]):
    """View of the details of a step, by GET."""

    http_method_names = ["get"]
    params_class = StepParams
    operations = {
        "get": Operation(summary="What is known of a step", request=StepParams, answer=StepDetail)
    }

    def answer_step(
        self, request: Request, step: StepInstance, params: StepParams
    ) -> HttpResponseBase:
        # In BlueKing JOB's step types, SQL is a script, and so is any step with output.
        others = (StepType.FILE, StepType.APPROVAL)
        kind = step.step_type if step.step_type in others else StepType.SCRIPT
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
        return in_parts(spliced(success_of(request._request, detail), *values))


def _script(step: StepInstance) -> ScriptInfo:
    is_sql = step.step_type == StepType.SQL
    return ScriptInfo(
        script_language=step.script_language
        or (ScriptLanguage.SQL if is_sql else ScriptLanguage.SHELL),
        script_param=step.script_param,
        script_timeout=step.timeout or 0,
        account=DetailAccount(name=step.account),
        server=DetailServer(ip_list=STREAMED),
        is_param_sensitive=int(step.script_param_sensitive or False),
    )


def _transfer(step: StepInstance) -> FileInfo:
    path = step.file_target_path
    target = FileDestination(
        path=(query.target_directory(step) or "") if path is None else path,
        account=DetailAccount(name=step.account),
        server=DetailServer(ip_list=STREAMED),
    )
    return FileInfo(file_source_list=STREAMED, file_destination=target, timeout=step.timeout or 0)


def _sources(step: StepInstance) -> Iterator[bytes]:
    """Yield the sources stated in records, else the hosts that files came from."""
    if step.file_sources is None:
        sources = map(_source, query.file_sources(step))
    else:
        sources = map(_stated_source, record_json.file_sources(step.file_sources))
    return listed([json_bytes(source)] for source in sources)


def _source(source: FileSource) -> FileSourceInfo:
    host = source.machine
    return FileSourceInfo(
        file_list=source.paths,
        account=DetailAccount(name=None),
        server=DetailServer(ip_list=[_host(*host)]) if host else None,
        file_type=SERVER_FILE if host else THIRD_PARTY_FILE,
    )


def _stated_source(source: records.FileSource) -> FileSourceInfo:
    hosts = source.hosts
    entries = [_host(host.bk_host_id, host.bk_cloud_id, host.ip, host.ipv6) for host in hosts or ()]
    return FileSourceInfo(
        file_list=source.files or [],
        account=DetailAccount(name=source.account),
        server=None if hosts is None else DetailServer(ip_list=entries),
        file_type=source.file_type or (THIRD_PARTY_FILE if hosts is None else SERVER_FILE),
    )


def _targets(step: StepInstance) -> Iterator[bytes]:
    results = query.target_results(step)
    hosts = ((host.host_id, host.bk_cloud_id, host.ip, host.ipv6) for host in results)
    return listed([json_bytes(_host(*host))] for host in hosts)


def _host(number: int, cloud: int | None, ip: str | None, ipv6: str | None) -> DetailHost:
    return DetailHost(bk_host_id=number, bk_cloud_id=cloud, ip=ip, ipv6=ipv6)
