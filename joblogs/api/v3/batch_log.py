"""The answer of batch_get_job_instance_ip_log (CONTRACT §4), host by host."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from joblogs import query
from joblogs.api import log_options
from joblogs.api.envelope import json_bytes
from joblogs.api.log_options import Extras
from joblogs.api.streaming import (
    SCRIPT_LOG,
    enveloped,
    file_log,
    in_parts,
    listed,
    log_type,
    short_text,
    text_of,
)
from joblogs.audit import ReadEntry
from joblogs.models import StepInstance
from joblogs.query import FileLogs, StepHost


def answer(
    request: HttpRequest,
    step: StepInstance,
    hosts: list[StepHost],
    *,
    extras: Extras,
    last: dict[str, Any],
    read: ReadEntry,
) -> HttpResponseBase:
    """The logs of these hosts. `last` ends `data`; `read` records the bytes of log."""
    entries = _Entries(step, hosts, extras)
    parts = enveloped(request, _data(step, entries, last))
    planned = sum(host.size for host in hosts)
    return in_parts(parts, read, size=lambda: entries.size, planned=planned)


class _Entries:
    """The entries of the hosts, each in parts; `size` counts the bytes of log in them."""

    def __init__(self, step: StepInstance, hosts: list[StepHost], more: Extras) -> None:
        self.step, self.hosts, self.more, self.size = step, hosts, more, 0

    def __iter__(self) -> Iterator[Iterable[bytes]]:
        if log_type(self.step) == SCRIPT_LOG:
            for host, text, keys, size in log_options.script_logs(self.step, self.hosts, self.more):
                self.size += size
                yield _script_entry(host, text, keys)
        else:
            for host, logs in query.file_logs(self.step, self.hosts):
                self.size += logs.size
                told = {"log_state": log_options.file_state(self.step, logs.rows)}
                yield _file_entry(host, logs, told if self.more.state else {})


def _data(
    step: StepInstance, entries: Iterable[Iterable[bytes]], last: dict[str, Any]
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
    yield b"," + json_bytes(last)[1:] if last else b"}"


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
