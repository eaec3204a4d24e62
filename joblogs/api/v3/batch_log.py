"""Endpoint batch_get_job_instance_ip_log: the logs of many hosts of a step, host by host."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import access, database, query, slow_work
from joblogs.api import log_options
from joblogs.api.base import ApiView, caller_of, read_entry
from joblogs.api.body import json_object
from joblogs.api.envelope import json_bytes
from joblogs.api.fields import Params
from joblogs.api.log_options import LogOptions
from joblogs.api.parameters import at_least, host_list, optional_page, scope_named
from joblogs.api.streaming import (
    SCRIPT_LOG,
    STREAMED,
    enveloped,
    file_log,
    in_parts,
    listed,
    log_type,
    short_text,
    text_of,
)
from joblogs.audit import Channel, ReadEntry
from joblogs.errors import BadRequest, HostListInvalid, StoreError
from joblogs.models import StepInstance
from joblogs.query import Address, FileLogs, Page, StepHost


@dataclass(frozen=True, slots=True)
class BatchLogParams:
    """Parameters: a step, and some of its hosts, a page of them, or all (`hosts` None).

    `has_empty_list`: a list was given empty and no other holds anything, which is none of these.
    """

    job_instance_id: int
    step_instance_id: int
    hosts: list[int | Address] | None
    page: Page | None
    has_empty_list: bool

    @classmethod
    def read(cls, body: Params) -> BatchLogParams:
        """Raises BadRequest or ParameterInvalid."""
        job = at_least(body.get("job_instance_id"), 1, BadRequest.JOB_ID)
        step = at_least(body.get("step_instance_id"), 1, BadRequest.STEP_ID)
        hosts = host_list(body)
        page = optional_page(body) if hosts is None else None
        has_list = any(isinstance(body.get(field), list) for field in ("host_id_list", "ip_list"))
        return cls(job, step, hosts, page, has_empty_list=hosts is None and has_list)


class BatchGetJobInstanceIpLog(ApiView):
    """View of the logs of many hosts, by POST."""

    http_method_names = ["post"]

    @database.from_replica
    def post(self, request: Request) -> HttpResponseBase:
        body = json_object(request._request)
        scope_type, scope_id = scope_named(body)
        caller = caller_of(request)
        try:
            params, options = BatchLogParams.read(body), LogOptions.read(body)
        except StoreError:
            # Of two mistakes the scope's is named (docs/api.md, Error codes).
            access.readable_scope(caller, scope_type=scope_type, scope_id=scope_id)
            raise
        step = access.readable_step(
            caller,
            scope_type=scope_type,
            scope_id=scope_id,
            job_instance_id=params.job_instance_id,
            step_instance_id=params.step_instance_id,
        )
        if options.grep is not None:
            slow_work.begin(request._request)
        hosts, tail = _find_hosts(step, params, options)
        read = read_entry(
            request,
            step,
            hosts=len(hosts),
            channel=Channel.BATCH,
            search=options.grep is not None,
        )
        return _answer(request._request, step, hosts, options=options, tail=tail, read=read)


def _find_hosts(
    step: StepInstance, params: BatchLogParams, options: LogOptions
) -> tuple[list[StepHost], dict[str, Any]]:
    """The hosts to answer for, and the keys at the end of `data`.

    Raises HostListInvalid for a list that is given empty: a caller that filtered its hosts down to
    none must not get all.
    """
    if params.has_empty_list:
        raise HostListInvalid
    if params.hosts is not None:
        hosts = query.hosts_named(step, params.hosts, options.attempts, brief=options.is_text_only)
        if not options.state:
            return hosts, {}
        return hosts, {"missing_hosts": log_options.missing_hosts(step, params.hosts, hosts)}
    hosts, total = query.hosts_of(step, params.page, options.attempts)
    return hosts, {"total": total} if params.page else {}


def _answer(
    request: HttpRequest,
    step: StepInstance,
    hosts: list[StepHost],
    *,
    options: LogOptions,
    tail: dict[str, Any],
    read: ReadEntry,
) -> HttpResponseBase:
    entries = _entries(step, hosts, options, read)
    parts = enveloped(request, STREAMED, _data(step, entries, tail))
    planned = sum(host.size for host in hosts)
    return in_parts(parts, read, planned=planned)


def _entries(
    step: StepInstance, hosts: list[StepHost], options: LogOptions, read: ReadEntry
) -> Iterator[Iterable[bytes]]:
    """The hosts' entries, each in parts, whose bytes of log are counted in `read`."""
    if log_type(step) == SCRIPT_LOG:
        for host, text, keys, size in log_options.script_logs(step, hosts, options):
            read.size += size
            yield _script_entry(host, text, keys)
    else:
        for host, logs in query.file_logs(step, hosts):
            read.size += logs.size
            state = {"log_state": log_options.file_state(step, logs.rows)}
            yield _file_entry(host, logs, state if options.state else {})


def _data(
    step: StepInstance, entries: Iterable[Iterable[bytes]], tail: dict[str, Any]
) -> Iterator[bytes]:
    kind = log_type(step)
    data = {
        "log_type": kind,
        "job_instance_id": step.job.job_instance_id,
        "step_instance_id": step.step_instance_id,
    }
    yield json_bytes(data)[:-1]
    if kind is not None:
        yield b',"script_task_logs":' if kind == SCRIPT_LOG else b',"file_task_logs":'
        yield from listed(entries)
    yield b"," + json_bytes(tail)[1:] if tail else b"}"


def _script_entry(host: StepHost, text: Iterable[bytes], keys: dict[str, Any]) -> Iterable[bytes]:
    head = {"bk_host_id": host.bk_host_id, "ip": host.ip, "bk_cloud_id": host.bk_cloud_id}
    tail = {"host_id": host.bk_host_id, "ipv6": host.ipv6, **keys}
    short = short_text(text)
    if short is not None:
        head["log_content"] = short
        return [json_bytes(head | tail)]
    parts = itertools.chain([json_bytes(head)[:-1] + b',"log_content":'], text_of(text))
    return itertools.chain(parts, [b"," + json_bytes(tail)[1:]])


def _file_entry(host: StepHost, logs: FileLogs, keys: dict[str, Any]) -> Iterator[bytes]:
    head = {"bk_host_id": host.bk_host_id, "ip": host.ip, "bk_cloud_id": host.bk_cloud_id}
    tail = {"host_id": host.bk_host_id, "ipv6": host.ipv6} | keys
    yield json_bytes(head)[:-1] + b',"file_logs":'
    yield from listed([json_bytes(file_log(log))] for log in logs)
    yield b"," + json_bytes(tail)[1:]
