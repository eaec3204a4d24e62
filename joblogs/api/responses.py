"""Answers that hold logs, written host by host (CONTRACT §4).

An answer that fits BUFFER_BYTES is sent as one; a larger one is streamed, and if it fails then, the
connection is cut: a complete JSON text is a complete answer.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from joblogs import query
from joblogs.choices import FileMode, StepType
from joblogs.ingest import Refused, Report
from joblogs.models import FileLog, StepInstance
from joblogs.query import StepHost

from .envelope import exchange_of, json_bytes

BUFFER_BYTES = 8 * 1024 * 1024
SCRIPT_LOG, FILE_LOG = 1, 2

Sent = Callable[[], None]


class _Told:
    """An answer that tells when it has been sent."""

    sent: Sent

    def close(self) -> None:
        super().close()  # type: ignore[misc]
        self.sent()


class LogAnswer(_Told, HttpResponse):
    """Logs that fit into memory."""


class LogStream(_Told, StreamingHttpResponse):
    """Logs that do not."""


def batch_logs(
    request: HttpRequest,
    step: StepInstance,
    hosts: list[StepHost],
    *,
    total: int | None,
    sent: Callable[[int], None],
) -> HttpResponseBase:
    """The answer of batch_get_job_instance_ip_log. `sent` is told the bytes of log it held."""
    size = 0

    def entries() -> Iterator[bytes]:
        nonlocal size
        comma = b""
        if _log_type(step) == SCRIPT_LOG:
            for host, parts in query.script_logs(step, hosts):
                size += host.size
                yield comma
                yield from _script_entry(host, parts)
                comma = b","
        else:
            for host, logs in query.file_logs(step, hosts):
                size += sum(log.held_size for log in logs)
                yield comma + _file_entry(host, logs)
                comma = b","

    parts = _document(request, step, entries(), total=total)
    head, length = [], 0
    for part in parts:
        head.append(part)
        length += len(part)
        if length > BUFFER_BYTES:
            break
    else:
        return _answer(
            LogAnswer(b"".join(head), content_type="application/json"), lambda: sent(size)
        )
    stream = LogStream(itertools.chain(head, parts), content_type="application/json")
    return _answer(stream, lambda: sent(size))


def report(found: Report) -> dict[str, Any]:
    """What became of a stream of records, as RECORDS (Over HTTP) shows it."""
    return {
        "accepted": found.accepted,
        "duplicates": found.duplicates,
        "refused_total": found.refused_total,
        "refused": [_refused(entry) for entry in found.refused],
    }


def _refused(entry: Refused) -> dict[str, Any]:
    told: dict[str, Any] = {"line": entry.line, "type": entry.type, "reason": entry.reason.value}
    if entry.expected_offset is not None:
        told["expected_offset"] = entry.expected_offset
    return told | {"message": entry.message}


def offsets(request: HttpRequest, found: Iterable[dict[str, Any]]) -> HttpResponseBase:
    """The expected offsets of a step's logs, streamed: a step may have very many."""
    parts = (json_bytes(entry) for entry in found)
    separated = (b"," + part if index else part for index, part in enumerate(parts))
    head = json_bytes({"result": True, "code": 0, "message": ""})[:-1] + b',"data":{"offsets":['
    tail = b"]}," + json_bytes(exchange_of(request).tail())[1:]
    body = itertools.chain([head], separated, [tail])
    return StreamingHttpResponse(body, content_type="application/json")


def _answer(response: Any, sent: Sent) -> HttpResponseBase:
    response.sent = sent
    answer: HttpResponseBase = response
    return answer


def _log_type(step: StepInstance) -> int | None:
    if step.step_type == StepType.APPROVAL:
        return None
    return FILE_LOG if step.step_type == StepType.FILE else SCRIPT_LOG


def _document(
    request: HttpRequest, step: StepInstance, entries: Iterable[bytes], *, total: int | None
) -> Iterator[bytes]:
    """The envelope around the entries."""
    kind = _log_type(step)
    data = {
        "log_type": kind,
        "job_instance_id": step.job.job_instance_id,
        "step_instance_id": step.step_instance_id,
    }
    head = json_bytes({"result": True, "code": 0, "message": "", "data": data})
    yield head[:-2]
    if kind is not None:
        yield b',"script_task_logs":[' if kind == SCRIPT_LOG else b',"file_task_logs":['
        yield from entries
        yield b"]"
    if total is not None:
        yield b',"total":%d' % total
    yield b"}," + json_bytes(exchange_of(request).tail())[1:]


def _script_entry(host: StepHost, parts: Iterator[bytes]) -> Iterator[bytes]:
    head = {"bk_host_id": host.bk_host_id, "ip": host.ip, "bk_cloud_id": host.bk_cloud_id}
    tail = {"host_id": host.bk_host_id, "ipv6": host.ipv6}
    yield json_bytes(head)[:-1] + b',"log_content":"'
    # Decoded over the joined parts, so that a character split between two of them is whole.
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for part in parts:
        yield json_bytes(decoder.decode(part))[1:-1]
    yield json_bytes(decoder.decode(b"", True))[1:-1] + b'",' + json_bytes(tail)[1:]


def _file_entry(host: StepHost, logs: list[FileLog]) -> bytes:
    return json_bytes(
        {
            "bk_host_id": host.bk_host_id,
            "ip": host.ip,
            "bk_cloud_id": host.bk_cloud_id,
            "file_logs": [_file_log(log) for log in logs],
            "host_id": host.bk_host_id,
            "ipv6": host.ipv6,
        }
    )


def _file_log(log: FileLog) -> dict[str, Any]:
    ends: dict[str, Any] = {
        "mode": log.mode,
        "src_ip": _end(log.src_host_id, log.src_cloud_id, log.src_ip, log.src_ipv6),
        "src_path": log.src_path,
    }
    if log.mode == FileMode.DOWNLOAD:
        ends["dest_ip"] = _end(log.dest_host_id, log.dest_cloud_id, log.dest_ip, log.dest_ipv6)
        ends["dest_path"] = log.dest_path
    return ends | {
        "status": log.status,
        "log_content": bytes(log.content).decode(errors="replace"),
        "size": _known(log.size),
        "speed": _known(log.speed),
        "process": _known(log.process),
    }


def _end(
    host: int | None, cloud: int | None, ip: str | None, ipv6: str | None
) -> dict[str, Any] | None:
    if host is None:
        return None
    end: dict[str, Any] = {"bk_host_id": host, "bk_cloud_id": cloud, "ip": ip}
    return end | {"ipv6": ipv6} if ipv6 else end


def _known(value: str | None) -> str:
    return "--" if value is None else value
