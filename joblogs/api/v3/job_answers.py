"""How the sisters of the batch endpoint answer: the reference's fields, `[]` where it says null.

Nothing of a step's many hosts is gathered that can be written as it is read.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from joblogs import query
from joblogs.api.envelope import json_bytes, success
from joblogs.api.parameters import BIZ_SETS
from joblogs.api.streaming import (
    BUFFER_BYTES,
    FILE_LOG,
    SCRIPT_LOG,
    enveloped,
    file_log,
    in_parts,
    listed,
    log_type,
    text_of,
)
from joblogs.audit import ReadEntry
from joblogs.choices import FINISHED, Role, ScopeType, run_rank
from joblogs.models import FileLog, JobInstance, Scope, StepInstance
from joblogs.query import HOSTS_MAX, Address, StepHost, TargetResult

from .step_requests import ListRequest

_PLAIN_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


def job_status(
    request: HttpRequest, job: JobInstance, steps: list[StepInstance], *, with_hosts: bool
) -> HttpResponseBase:
    """The answer of get_job_instance_status."""
    head = {
        "finished": run_rank(job.status) == FINISHED,
        "job_instance": {
            **_scope(job.scope),
            "job_instance_id": job.job_instance_id,
            "name": job.name,
            "status": job.status,
            **times(job),
        },
    }
    entries = listed(_step_entry(step, with_hosts=with_hosts) for step in steps)
    data = itertools.chain([json_bytes(head)[:-1], b',"step_instance_list":'], entries, [b"}"])
    return in_parts(enveloped(request, data))


def _step_entry(step: StepInstance, *, with_hosts: bool) -> Iterator[bytes]:
    head = {
        "step_instance_id": step.step_instance_id,
        "name": step.name,
        "status": step.status,
        "type": step.step_type,
        "execute_count": step.execute_count,
        **times(step),
    }
    yield json_bytes(head)[:-1] + b',"step_ip_result_list":'
    if with_hosts:
        yield from listed([json_bytes(_ip_result(one))] for one in query.target_results(step))
    else:
        yield b"null"
    yield b"}"


def _ip_result(result: TargetResult) -> dict[str, Any]:
    return {
        "bk_host_id": result.bk_host_id,
        "ip": result.ip,
        "bk_cloud_id": result.bk_cloud_id,
        "status": result.status,
        "tag": result.tag or "",
        "exit_code": result.exit_code,
        "error_code": result.error_code,
        "start_time": result.start_time,
        "end_time": result.end_time,
        "total_time": result.total_time,
    }


def job_list(
    request: HttpRequest, jobs: list[JobInstance], total: int, asked: ListRequest
) -> HttpResponseBase:
    """The answer of get_job_instance_list."""
    page = {"start": asked.start, "length": asked.length, "total": total}
    return success(request, {**page, "data": [_job_entry(job) for job in jobs]})


def _job_entry(job: JobInstance) -> dict[str, Any]:
    return {
        **_scope(job.scope),
        "job_instance_id": job.job_instance_id,
        # A plan and its template are the executor's.
        "job_plan_id": None,
        "job_template_id": None,
        "name": job.name,
        "operator": job.operator,
        "launch_mode": job.launch_mode,
        "status": job.status,
        **times(job),
        "type": job.task_type,
    }


def host_log(
    request: HttpRequest,
    step: StepInstance,
    host: StepHost | None,
    *,
    named: int | Address,
    read: ReadEntry,
) -> HttpResponseBase:
    """The answer of get_job_instance_ip_log; a host that is not in the step is as it was named."""
    size = 0

    def files() -> Iterator[Iterable[bytes]]:
        nonlocal size
        for log in _files_of(step, host):
            size += log.held_size
            yield [json_bytes(file_log(log))]

    def data() -> Iterator[bytes]:
        nonlocal size
        kind = log_type(step)
        yield json_bytes({"log_type": kind, **_host(host, named)})[:-1] + b',"log_content":'
        if host is not None and kind == SCRIPT_LOG:
            size += host.size
            yield from _text_or_null(query.script_logs(step, [host]))
        else:
            yield b"null"
        yield b',"file_logs":'
        yield from listed(files()) if kind == FILE_LOG else [b"null"]
        yield b"}"

    planned = host.size if host is not None else 0
    return in_parts(enveloped(request, data()), read, size=lambda: size, planned=planned)


def _host(host: StepHost | None, named: int | Address) -> dict[str, Any]:
    if host is not None:
        number, cloud, ip = host.bk_host_id, host.bk_cloud_id, host.ip
        return {"bk_host_id": number, "bk_cloud_id": cloud, "ip": ip}
    if isinstance(named, int):
        return {"bk_host_id": named, "bk_cloud_id": None, "ip": None}
    return {"bk_host_id": None, "bk_cloud_id": named.bk_cloud_id, "ip": named.address}


def _text_or_null(logs: Iterator[tuple[StepHost, Iterable[bytes]]]) -> Iterator[bytes]:
    """One host's log; one of blanks only is null, as clients that wait for it expect."""
    for _, text in logs:
        parts = iter(text)
        blanks, length = [], 0
        for part in parts:
            blanks.append(part)
            length += len(part)
            # More blanks than an answer may hold in memory are a text after all.
            if part.strip() or length > BUFFER_BYTES:
                yield from text_of(itertools.chain(blanks, parts))
                break
        else:
            yield b"null"


def _files_of(step: StepInstance, host: StepHost | None) -> Iterator[FileLog]:
    """A host's own files, then what the other sources of the step sent, as the reference has it."""
    if host is None:
        return
    for _, logs in query.file_logs(step, [host]):
        yield from logs
    others = [s for s in query.hosts_as(step, Role.SOURCE) if s.bk_host_id != host.bk_host_id]
    for start in range(0, len(others), HOSTS_MAX):
        for _, logs in query.file_logs(step, others[start : start + HOSTS_MAX]):
            yield from logs


def _scope(scope: Scope) -> dict[str, Any]:
    """A scope in both notations; the old one only where it leads back to the same scope."""
    number = int(scope.scope_id) if _PLAIN_NUMBER.fullmatch(scope.scope_id) else None
    told = scope.scope_type == ScopeType.BIZ or (
        scope.scope_type == ScopeType.BIZ_SET and number in BIZ_SETS
    )
    return {
        "bk_biz_id": number if told else None,
        "bk_scope_type": scope.scope_type,
        "bk_scope_id": scope.scope_id,
    }


def times(run: JobInstance | StepInstance) -> dict[str, int | None]:
    """When a job or step was made, began and ended, in milliseconds."""
    return {
        "create_time": run.create_time,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "total_time": run.total_time,
    }
