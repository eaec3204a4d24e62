"""Endpoint `/api/v1/…/log`: the raw log of one host, for tools like `curl` and download managers.

The bytes as they were printed, with byte ranges and an entity tag, and a mode to follow a log by
offset. Errors have the usual envelope.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import access, database, query, slow_work
from joblogs.api.base import caller_of, read_entry
from joblogs.api.fields import read
from joblogs.api.parameters import parameters
from joblogs.audit import AuditedResponse, Channel
from joblogs.errors import (
    BadRequest,
    JobNotFound,
    OffsetBeyondLog,
    PermissionDenied,
    RangeNotSatisfiable,
    ScopeNotFound,
)
from joblogs.models import JobInstance, StepInstance
from joblogs.query import Attempts, Range, StepHost

from .host_log_request import OPERATION, WAIT_MAX_SECONDS, RawLogParams
from .http_status import HttpStatusView

POLL_SECONDS = 0.5
_returns = slow_work.Returns()
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


class HostLog(HttpStatusView):
    """View of the raw log by GET, of its headers by HEAD."""

    http_method_names = ["get", "head"]
    errors = (
        BadRequest,
        PermissionDenied,
        ScopeNotFound,
        JobNotFound,
        RangeNotSatisfiable,
        OffsetBeyondLog,
    )
    operations = {
        "get": OPERATION,
        "head": replace(
            OPERATION, id="host_log_size", summary="Size and state of the raw log of one host"
        ),
    }

    def handle_exception(self, exc: Exception) -> Any:
        response = super().handle_exception(exc)
        if isinstance(exc, RangeNotSatisfiable | OffsetBeyondLog):
            response["Content-Range"] = f"bytes */{exc.size}"
        if isinstance(exc, OffsetBeyondLog):
            for name, value in exc.stands.items():
                response[name] = value
        return response

    @database.from_replica
    def get(
        self, request: Request, scope_type: str, scope_id: str, job: int, step: int, host: int
    ) -> HttpResponseBase:
        caller = caller_of(request)
        params = read(RawLogParams, parameters(request._request))
        key = (caller.app.pk, caller.user, scope_type, scope_id, int(job), int(step), int(host))
        if params.wait:
            _returns.check(key)
        scope = access.readable_scope(caller, scope_type=scope_type, scope_id=scope_id)
        log = _find_log(access.jobs_in(scope), int(job), int(step), int(host), params)
        later = False
        if _is_awaited(log, params):
            log, later = _wait(request, log, params)
        response = _answer(request, log, params)
        if later:
            _returns.note(key)
            response["Retry-After"] = str(slow_work.RETRY_SECONDS)
        return response

    head = get


class _Log(NamedTuple):
    """NamedTuple of the current state of a host's log, and a function that loads it again."""

    step: StepInstance
    host: StepHost
    again: Callable[[], _Log]


def _find_log(
    jobs: QuerySet[JobInstance], job: int, step: int, host: int, params: RawLogParams
) -> _Log:
    """Return the log of a host. Raise JobNotFound, also for a host that is not in the step."""
    instance = query.find_step(jobs, job_instance_id=job, step_instance_id=step)
    hosts = query.hosts_named(instance, [host], params.attempts)
    if not hosts:
        raise JobNotFound
    return _Log(instance, hosts[0], lambda: _find_log(jobs, job, step, host, params))


def _is_awaited(log: _Log, params: RawLogParams) -> bool:
    """Return whether a follower has all text so far, and more may arrive."""
    step, host, _ = log
    if not params.wait or not query.is_growing(step, host):
        return False
    # Do not wait if the offset is beyond the log, which is an error.
    readable = query.readable_size(step, host)
    return readable - query.unsettled_size(host) <= (params.offset or 0) <= readable


def _wait(request: Request, log: _Log, params: RawLogParams) -> tuple[_Log, bool]:
    """Wait until the log grows, ends or the time is over, and return it.

    Also return whether the request did not wait, because too many are waiting, and should be
    retried later.
    """
    if not slow_work.may_wait(request._request):
        return log, True
    deadline = time.monotonic() + min(params.wait or 0, WAIT_MAX_SECONDS)
    while _is_awaited(log, params) and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(POLL_SECONDS, left))
        log = log.again()
    slow_work.end_waiting(request._request)
    return log, False


def _headers(step: StepInstance, host: StepHost, params: RawLogParams) -> dict[str, str]:
    """Return the headers with size, state, attempt and batch of the log, and the latest ones."""
    latest = host
    if params.attempts != Attempts():
        (latest,) = query.hosts_named(step, [host.bk_host_id])
    return {
        "X-Log-Size": str(query.readable_size(step, host)),
        "X-Log-State": str(query.log_state(step, host).state),
        "X-Log-Attempt": str(host.attempt),
        "X-Log-Batch": str(host.batch),
        "X-Log-Latest-Attempt": str(latest.attempt),
        "X-Log-Latest-Batch": str(latest.batch),
    }


def _answer(request: Request, log: _Log, params: RawLogParams) -> HttpResponseBase:
    step, host, _ = log
    size = query.readable_size(step, host)
    headers = _headers(step, host, params)
    if params.offset is not None and params.offset > size:
        raise OffsetBeyondLog(offset=params.offset, size=size, stands=headers)
    tag = _tag(host, size)
    part, status = _part(request._request, params, size, tag)
    if params.offset is not None and query.is_growing(step, host):
        settled = size - query.unsettled_size(host)
        part = Range(offset=params.offset, length=max(0, settled - params.offset))
    start, stop = part.within(size)
    response: HttpResponseBase
    if request._request.headers.get("If-None-Match") == tag:
        response, status = HttpResponse(status=304), 304
        del response["Content-Type"]
    elif request.method == "HEAD":
        response = HttpResponse(content_type="text/plain")
    else:
        if stop - start > slow_work.SMALL_BYTES:
            slow_work.begin(request._request)  # before the read is recorded
        is_poll = params.offset is not None
        entry = read_entry(request, step, hosts=1, channel=Channel.RAW, poll=is_poll)
        entry.begin(stop - start)
        parts = _Counted(_bytes(step, host, part))
        response = AuditedResponse(parts, content_type="text/plain")
        response.on_sent = lambda: entry.end(parts.size)
    response.status_code = status
    response["ETag"] = tag
    response["Accept-Ranges"] = "bytes"
    for name, value in headers.items():
        response[name] = value
    response["X-Content-Type-Options"] = "nosniff"
    if status != 304:
        response["Content-Length"] = str(stop - start)
    if status == 206:
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return response


def _part(request: HttpRequest, params: RawLogParams, size: int, tag: str) -> tuple[Range, int]:
    """Return the range of bytes to send, and the HTTP status."""
    if params.tail is not None:
        return Range(tail=params.tail), 200
    if params.offset is not None:
        return Range(offset=params.offset), 200
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if_range = request.headers.get("If-Range", tag)
    if match is None or if_range != tag or match[0] == "bytes=-":
        # No range, several, or one of an older log: the whole log is always correct.
        return Range(), 200
    first, last = match[1], match[2]
    part = Range(tail=int(last)) if not first else Range(offset=int(first))
    if first and last:
        if int(last) < int(first):
            return Range(), 200
        part = Range(offset=int(first), length=int(last) - int(first) + 1)
    start, stop = part.within(size)
    if start >= stop:
        raise RangeNotSatisfiable(size)
    return part, 206


def _bytes(step: StepInstance, host: StepHost, part: Range) -> Iterator[bytes]:
    for _, _, parts in query.script_range(step, [host], part):
        yield from parts


class _Counted:
    """Iterable of the parts of a log; `size` counts the bytes that were returned."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self.parts, self.size = parts, 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            # Before the yield: a client that disconnects here has read some of this part.
            self.size += len(part)
            yield part


def _tag(host: StepHost, size: int) -> str:
    """Return an entity tag, which changes with every byte that is added, masked or expired."""
    rows = [(row.pk, row.held_size, row.redacted, row.masked) for row in host.results]
    return f'"{hashlib.sha256(repr((rows, size)).encode()).hexdigest()[:32]}"'
