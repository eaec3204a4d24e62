"""The raw log of one host over HTTP, for tools: `curl`, `tail`, download managers.

Plain bytes as they were printed, with byte ranges and an entity tag; and a follow that resumes by
offset. Errors are the envelope's, as everywhere.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import access, database, query
from joblogs.audit import Channel
from joblogs.errors import BadRequest, JobNotFound, RangeNotSatisfiable
from joblogs.models import StepInstance
from joblogs.query import Attempts, Range, StepHost

from .downloads import Download
from .requests import NotInteger, integer
from .responses import LogStream
from .views import caller_of, read_entry

WAIT_MAX_SECONDS = 10
POLL_SECONDS = 0.5
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


class Asked(NamedTuple):
    """What the query string asks for."""

    attempts: Attempts
    tail: int | None
    offset: int | None
    wait: int


class HostLog(Download):
    """GET and HEAD `…/hosts/{host}/log`."""

    http_method_names = ["get", "head"]

    def handle_exception(self, exc: Exception) -> Any:
        response = super().handle_exception(exc)
        if isinstance(exc, RangeNotSatisfiable):
            response["Content-Range"] = f"bytes */{exc.size}"
        return response

    @database.from_replica
    def get(
        self, request: Request, scope_type: str, scope_id: str, job: int, step: int, host: int
    ) -> HttpResponseBase:
        scope = access.readable_scope(caller_of(request), scope_type=scope_type, scope_id=scope_id)
        asked = _asked(request._request)
        found = query.find_step(
            access.jobs_in(scope), job_instance_id=int(job), step_instance_id=int(step)
        )
        return _answer(request, found, _log_of(found, int(host), asked), asked)

    head = get


def _asked(request: HttpRequest) -> Asked:
    number = {
        name: _number(request, name)
        for name in ("execute_count", "batch", "tail", "offset", "wait")
    }
    if number["tail"] is not None and number["offset"] is not None:
        raise BadRequest(BadRequest.FIELD, "tail")
    return Asked(
        attempts=Attempts(number["execute_count"], number["batch"]),
        tail=number["tail"],
        offset=number["offset"],
        wait=min(number["wait"] or 0, WAIT_MAX_SECONDS),
    )


def _number(request: HttpRequest, name: str) -> int | None:
    try:
        number = integer(request.GET.get(name))
    except NotInteger:
        number = -1
    if number is not None and not 0 <= number < 2**53:
        raise BadRequest(BadRequest.FIELD, name)
    return number


def _log_of(step: StepInstance, host: int, asked: Asked) -> StepHost:
    """The host's log; if a follower waits for more of it than there is, once there is or it ends.

    Raises JobNotFound for a host that is not in the step.
    """
    deadline = time.monotonic() + asked.wait
    while True:
        hosts = query.hosts_named(step, [host], asked.attempts)
        if not hosts:
            raise JobNotFound
        grown = asked.offset is None or hosts[0].size > asked.offset
        if grown or not query.is_growing(step, hosts[0]) or time.monotonic() >= deadline:
            return hosts[0]
        time.sleep(POLL_SECONDS)


def _answer(request: Request, step: StepInstance, host: StepHost, asked: Asked) -> HttpResponseBase:
    size = query.readable_size(step, host)
    tag = _tag(host, size)
    part, status = _part(request._request, asked, size, tag)
    start, stop = part.within(size)
    response: HttpResponseBase
    if request._request.headers.get("If-None-Match") == tag:
        response, status = HttpResponse(status=304), 304
        del response["Content-Type"]
    elif request.method == "HEAD":
        response = HttpResponse(content_type="text/plain")
    else:
        polls = asked.offset is not None
        read = read_entry(request, step, hosts=1, channel=Channel.RAW, poll=polls)
        read.begin(stop - start)
        taken = _Taken(_bytes(step, host, part))
        response = LogStream(taken, content_type="text/plain")
        response.sent = lambda: read.end(taken.size)
    response.status_code = status
    response["ETag"] = tag
    response["Accept-Ranges"] = "bytes"
    response["X-Log-Size"] = str(size)
    response["X-Log-State"] = str(query.log_state(step, host).state)
    response["X-Content-Type-Options"] = "nosniff"
    if status != 304:
        response["Content-Length"] = str(stop - start)
    if status == 206:
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return response


def _part(request: HttpRequest, asked: Asked, size: int, tag: str) -> tuple[Range, int]:
    """The bytes to send and the status to send them with."""
    if asked.tail is not None:
        return Range(tail=asked.tail), 200
    if asked.offset is not None:
        return Range(offset=asked.offset), 200
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if_range = request.headers.get("If-Range", tag)
    if match is None or if_range != tag or match[0] == "bytes=-":
        # No range, several, or one of an older log: the whole is always a right answer.
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


class _Taken:
    """Parts of a log, and how many of their bytes were taken."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self.parts, self.size = parts, 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            # Before it is handed out: who breaks off in the middle of it has read of it.
            self.size += len(part)
            yield part


def _tag(host: StepHost, size: int) -> str:
    """Changes with every byte that is added, masked or expired."""
    rows = [(row.pk, row.held_size, row.redacted, row.masked) for row in host.rows]
    return f'"{hashlib.sha256(repr((rows, size)).encode()).hexdigest()[:32]}"'
