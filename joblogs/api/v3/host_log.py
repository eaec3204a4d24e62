"""Endpoint get_job_instance_ip_log: the log of one host of a step."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import query
from joblogs.api.base import Operation, StepParams, StepView, read_entry
from joblogs.api.exchange import json_bytes, success_of
from joblogs.api.fields import ADDRESS, COUNT, ID, Address, ParameterGroup, Params, described
from joblogs.api.parameters import host_named, is_blank
from joblogs.api.streaming import (
    BUFFER_BYTES,
    FILE_LOG,
    LOG_TYPE,
    SCRIPT_LOG,
    STREAMED,
    in_parts,
    listed,
    log_type,
    spliced,
    text_of,
)
from joblogs.audit import Channel, ReadEntry
from joblogs.choices import Role
from joblogs.errors import ParameterInvalid
from joblogs.models import FileLog, JobInstance, StepInstance
from joblogs.query import HOSTS_MAX, StepHost

from .fields import TransferLog


def _host_param(params: Params) -> int | query.Address:
    """Return the host by `bk_host_id`, or `host_id` as on BlueKing's page; else by address."""
    number = params.get("host_id") if is_blank(params.get("bk_host_id")) else params["bk_host_id"]
    address = params.get("ipv6") if is_blank(params.get("ip")) else params["ip"]
    if is_blank(number) and (is_blank(params.get("bk_cloud_id")) or is_blank(address)):
        raise ParameterInvalid(None, "host_id/(bk_cloud_id+ip)")
    cloud = params.get("bk_cloud_id")
    return host_named({"bk_host_id": number, "bk_cloud_id": cloud, "ip": address})


class HostLogParams(StepParams, frozen=True, kw_only=True):
    """Parameters: a host of a step, by its id or its address."""

    host: Annotated[
        int | query.Address,
        ParameterGroup(
            _host_param,
            {
                "bk_host_id": described(ID, "The host; `host_id` is read too."),
                "host_id": described(ID, "The host, as BlueKing's page calls it."),
                "bk_cloud_id": described(COUNT, "Without an id: the cloud area, with ip or ipv6."),
                "ip": ADDRESS,
                "ipv6": ADDRESS,
            },
        ),
    ]


class SingleHostLog(Struct, kw_only=True):
    """Log of one host; a host that is not in the step has the id or address of the request."""

    log_type: Annotated[int, LOG_TYPE] | None
    bk_host_id: int | None
    bk_cloud_id: int | None
    ip: Address | None
    log_content: Annotated[str | None, Meta(description="Null if there is only blank text.")]
    file_logs: Annotated[
        list[TransferLog] | None,
        Meta(description="The host's own files, then what the other sources of the step sent."),
    ]


class GetJobInstanceIpLog(StepView[HostLogParams]):
    """View of one host's log, by GET and POST."""

    params_class = HostLogParams
    operations = dict.fromkeys(
        ("get", "post"),
        Operation(
            summary="The log of one host of a step",
            request=HostLogParams,
            example={"bk_host_id": 101},
            answer=SingleHostLog,
        ),
    )

    def find_step(self, jobs: QuerySet[JobInstance], params: HostLogParams) -> StepInstance:
        """Return the step. Raise JobNotFound, also for a missing step."""
        return query.find_step(
            jobs,
            job_instance_id=params.job_instance_id,
            step_instance_id=params.step_instance_id,
        )

    def answer_step(
        self, request: Request, step: StepInstance, params: HostLogParams
    ) -> HttpResponseBase:
        host = _find_host(step, params.host)
        read = read_entry(request, step, hosts=1, channel=Channel.IP_LOG)
        kind = log_type(step)
        has_text, has_files = host is not None and kind == SCRIPT_LOG, kind == FILE_LOG
        log = SingleHostLog(
            log_type=kind,
            **_host_fields(host, params.host),
            log_content=STREAMED if has_text else None,
            file_logs=STREAMED if has_files else None,
        )
        values = [_text(step, host, read)] if has_text else []
        values += [listed(_files(step, host, read))] if has_files else []
        planned = 0 if host is None else host.size
        return in_parts(spliced(success_of(request._request, log), *values), read, planned=planned)


def _find_host(step: StepInstance, name: int | query.Address) -> StepHost | None:
    """Return the host by id or address; of several that had the address, the current one."""
    hosts = query.hosts_named(step, [name])
    if isinstance(name, query.Address):
        hosts.sort(key=lambda host: name.address not in (host.ip, host.ipv6))
    return hosts[0] if hosts else None


def _host_fields(host: StepHost | None, name: int | query.Address) -> dict[str, Any]:
    if host is not None:
        number, cloud, ip = host.bk_host_id, host.bk_cloud_id, host.ip
        return {"bk_host_id": number, "bk_cloud_id": cloud, "ip": ip}
    if isinstance(name, int):
        return {"bk_host_id": name, "bk_cloud_id": None, "ip": None}
    return {"bk_host_id": None, "bk_cloud_id": name.bk_cloud_id, "ip": name.address}


def _text(step: StepInstance, host: StepHost | None, read: ReadEntry) -> Iterator[bytes]:
    """Yield one host's log as JSON; a blank log is null, as clients that poll for it expect."""
    hosts = [] if host is None else [host]
    for one, text in query.script_logs(step, hosts):
        read.size += one.size
        parts = iter(text)
        blanks, length = [], 0
        for part in parts:
            blanks.append(part)
            length += len(part)
            # More blanks than a response may hold in memory are returned as text.
            if part.strip() or length > BUFFER_BYTES:
                yield from text_of(itertools.chain(blanks, parts))
                break
        else:
            yield b"null"


def _files(step: StepInstance, host: StepHost | None, read: ReadEntry) -> Iterator[Iterable[bytes]]:
    for log in _file_logs(step, host):
        read.size += log.held_size
        yield [json_bytes(TransferLog.of(log))]


def _file_logs(step: StepInstance, host: StepHost | None) -> Iterator[FileLog]:
    """Yield a host's own files, then those of the step's other sources, as in BlueKing JOB."""
    if host is None:
        return
    for _, logs in query.file_logs(step, [host]):
        yield from logs
    others = [s for s in query.hosts_as(step, Role.SOURCE) if s.bk_host_id != host.bk_host_id]
    for start in range(0, len(others), HOSTS_MAX):
        for _, logs in query.file_logs(step, others[start : start + HOSTS_MAX]):
            yield from logs
