"""Endpoint `/api/v1/…/first_errors`: a row for each host of a step, with its first error line."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import database, query, search, slow_work
from joblogs.api.base import Operation, read_entry, step_of_path
from joblogs.api.exchange import json_bytes, success_of
from joblogs.api.fields import (
    TEXT,
    Address,
    Parameter,
    Params,
    count_param,
    number_of,
    read_query,
)
from joblogs.api.parameters import optional_text
from joblogs.api.streaming import STREAMED, in_parts, listed, spliced
from joblogs.audit import Channel, ReadEntry
from joblogs.choices import HostStatus, Role, StepType
from joblogs.errors import BadRequest, JobNotFound, PermissionDenied, ScopeNotFound
from joblogs.export import Outcome
from joblogs.export.table import csv_row
from joblogs.models import StepInstance
from joblogs.query import HOSTS_MAX, Attempts, State, StepHost
from joblogs.search import FoundLine

from .fields import LogLine, at_most, context_param, outcome_param
from .http_status import HttpStatusView

SECONDS = 20.0
"""Limit of the search: clients wait for 30."""


def _format(params: Params, field: str) -> str:
    value = optional_text(params, field) or "json"
    if value not in ("json", "csv"):
        raise BadRequest(BadRequest.FIELD, field)
    return value


class FirstErrorsParams(Struct, frozen=True):
    """Parameters of the query string: which hosts, which attempts, which format."""

    status: Annotated[Outcome | None, outcome_param]
    start: Annotated[int | None, count_param("First host of the page.")]
    length: Annotated[
        int,
        Parameter(
            partial(at_most, HOSTS_MAX, HOSTS_MAX),
            {"type": "integer", "minimum": 1, "maximum": HOSTS_MAX, "default": HOSTS_MAX},
            "Hosts of the page.",
        ),
    ]
    execute_count: Annotated[int | None, count_param("Only up to this attempt.")]
    batch: Annotated[int | None, count_param("Only this rolling batch.")]
    context: Annotated[int, context_param]
    format: Annotated[
        str, Parameter(_format, TEXT | {"enum": ["json", "csv"]}, "JSON, or a table.")
    ]


class HostError(Struct, kw_only=True):
    """Result of a step on a host, and the first error line of its log."""

    bk_host_id: int
    host_name: str | None
    bk_cloud_id: int
    ip: Address | None
    ipv6: Address | None
    execute_count: int
    batch: int
    status: Annotated[int, number_of(HostStatus, "Status")]
    exit_code: int | None
    tag: str | None
    size: Annotated[int, Meta(description="Bytes of log that can be read.")]
    state: Annotated[State, Meta(description="How complete the log is.")]
    missing: Annotated[int, Meta(description="Bytes that are known to be missing.")]
    searched: Annotated[bool, Meta(description="False if the time was up before this log.")]
    first_error: Annotated[
        list[LogLine],
        Meta(description="The first line that tells of an error, with lines around it."),
    ]


class FirstErrors(Struct):
    """First errors of a step."""

    total: Annotated[int, Meta(description="Hosts that match, of all pages.")]
    hosts: list[HostError]


COLUMNS = (
    *("bk_host_id", "host_name", "bk_cloud_id", "ip", "ipv6", "execute_count", "batch"),
    *("status", "exit_code", "tag", "size", "state", "missing", "searched"),
)


class FirstErrorsView(HttpStatusView):
    """View of the first error of each host, by GET."""

    http_method_names = ["get"]
    errors = (BadRequest, ScopeNotFound, PermissionDenied, JobNotFound)
    operations = {
        "get": Operation(
            id="first_errors",
            tag="Answers",
            summary="How a step went on each host, with its first error line",
            description="By ascending host id, as JSON or as a table. An unknown parameter is "
            "refused.",
            request=FirstErrorsParams,
            answer=FirstErrors,
            responses={
                "200": {
                    "description": "The hosts.",
                    "headers": {},
                    "content": {"text/csv": {"schema": TEXT}},
                }
            },
        )
    }

    @database.from_replica
    def get(
        self, request: Request, scope_type: str, scope_id: str, job: str, step: str
    ) -> HttpResponseBase:
        params = read_query(FirstErrorsParams, request._request)
        instance = step_of_path(request, scope_type, scope_id, job, step)
        slow_work.begin(request._request)
        attempts = Attempts(params.execute_count, params.batch)
        hosts = [
            host
            for host in query.hosts_as(instance, Role.TARGET, attempts)
            if params.status in (None, Outcome.of(host.status))
        ]
        start = params.start or 0
        page = hosts[start : start + params.length]
        read = read_entry(
            request, instance, channel=Channel.FIRST_ERRORS, hosts=len(page), search=True
        )
        errors = _errors(instance, page, read, context=params.context)
        if params.format == "csv":
            return in_parts(_table(errors), read, content_type="text/csv; charset=utf-8")
        data = FirstErrors(len(hosts), STREAMED)
        entries = listed([json_bytes(error)] for error in errors)
        return in_parts(spliced(success_of(request._request, data), entries), read)


def _table(errors: Iterable[HostError]) -> Iterator[bytes]:
    yield csv_row((*COLUMNS, "first_error_line", "first_error"))
    for error in errors:
        line = next((line for line in error.first_error if line.matches), None)
        cells = [getattr(error, name) for name in COLUMNS]
        yield csv_row((*cells, *((line.number, line.text) if line else (None, ""))))


def _errors(
    step: StepInstance, hosts: list[StepHost], read: ReadEntry, *, context: int
) -> Iterator[HostError]:
    """Yield the hosts in order; hosts that are left when the time is over are not searched."""
    until = time.monotonic() + SECONDS
    for host, size, state, logs in _logs(step, hosts):
        lines: list[FoundLine] = []
        is_in_time = time.monotonic() < until
        for parts in logs if is_in_time else ():
            lines = lines or search.first_error_lines(parts, context=context)
        read.size += size if is_in_time else 0
        newest = host.newest
        yield HostError(
            bk_host_id=host.bk_host_id,
            host_name=newest.host_name or None,
            bk_cloud_id=host.bk_cloud_id,
            ip=host.ip,
            ipv6=host.ipv6,
            execute_count=newest.execute_count,
            batch=newest.batch,
            status=host.status,
            exit_code=newest.exit_code,
            tag=newest.tag,
            size=size,
            state=state.state,
            missing=state.missing,
            searched=is_in_time,
            first_error=[LogLine.of(line) for line in lines],
        )


def _logs(
    step: StepInstance, hosts: list[StepHost]
) -> Iterator[tuple[StepHost, int, query.Completeness, Iterable[Iterable[bytes]]]]:
    """Yield each host with the size, the state and the texts of its logs."""
    if step.step_type == StepType.FILE:
        for host, files in query.file_logs(step, hosts):
            texts = ([bytes(file.content)] for file in files)
            yield host, files.size, query.files_state(step, files.rows), texts
    else:
        for host, parts in query.script_logs(step, hosts):
            size = query.readable_size(step, host)
            yield host, size, query.log_state(step, host), [parts]
