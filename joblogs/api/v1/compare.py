"""Endpoint `/api/v1/…/compare`: comparison of a host's log with the majority or another log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import access, database, query, slow_work
from joblogs.api.base import ApiView, Operation, read_entry, step_of_path
from joblogs.api.exchange import success
from joblogs.api.fields import (
    TEXT,
    Parameter,
    ParameterGroup,
    Params,
    count_param,
    described,
    read_query,
    required_id_param,
)
from joblogs.api.parameters import is_blank, optional_text
from joblogs.audit import Channel
from joblogs.compare import Cell, Comparison, ComparisonRow, Kind, compare, shown_rows
from joblogs.counterparts import Counterpart, CounterpartKind, LogName, find_counterpart, side
from joblogs.errors import (
    BadRequest,
    JobNotFound,
    ParameterInvalid,
    PermissionDenied,
    ScopeNotFound,
)
from joblogs.logtext.encodings import reading_encoding
from joblogs.logtext.utf16_parts import parts_as_utf8
from joblogs.models import StepInstance
from joblogs.query import Attempts, StepHost

CONTEXT = 3
ROWS_MAX = 2_000
TEXT_BYTES = 2_000
"""Most bytes of a line."""
_WITH = {
    "majority": CounterpartKind.GROUP,
    "previous_attempt": CounterpartKind.ATTEMPT,
    "earlier_run": CounterpartKind.EARLIER,
}


def _with(params: Params) -> str:
    return optional_text(params, "with") or "majority"


def _masks(params: Params, field: str) -> bool:
    if is_blank(params.get(field)):
        return True
    if params[field] not in ("0", "1", "false", "true"):
        raise BadRequest(BadRequest.FIELD, field)
    return params[field] in ("1", "true")


def _part(params: Params, field: str) -> bool:
    value = optional_text(params, field) or "start"
    if value not in ("start", "end"):
        raise BadRequest(BadRequest.FIELD, field)
    return value == "end"


class CompareParams(Struct, frozen=True):
    """Parameters of the query string: whose log, with which other, and how."""

    host: Annotated[int, required_id_param("The host whose log is compared.")]
    other: Annotated[
        str,
        ParameterGroup(
            _with,
            {
                "with": described(
                    TEXT,
                    "`majority`: what most hosts printed; `previous_attempt`; `earlier_run` of the "
                    "job; else another host by its id, name or address.",
                    maxLength=256,
                    default="majority",
                )
            },
        ),
    ]
    masks: Annotated[
        bool,
        Parameter(
            _masks,
            {"type": "boolean", "default": True},
            "Times, numbers and the like make no difference.",
        ),
    ]
    part: Annotated[
        bool,
        Parameter(
            _part, TEXT | {"enum": ["start", "end"]}, "Which part of logs that are too large."
        ),
    ]
    execute_count: Annotated[int | None, count_param("Only up to this attempt.")]
    batch: Annotated[int | None, count_param("Only this rolling batch.")]


class ComparedLog(Struct, kw_only=True):
    """One side of a comparison."""

    job_instance_id: int
    step_instance_id: int
    bk_host_id: int
    name: str
    execute_count: int
    batch: int
    status: int
    is_cut: Annotated[bool, Meta(description="Only a part of the log is compared.")]


class ComparedLine(Struct):
    """Line of one side; only the beginning of a very long line."""

    number: Annotated[int, Meta(description="From 1.")]
    text: str

    @classmethod
    def of(cls, cell: Cell | None) -> ComparedLine | None:
        """Decode a line by the encoding of its bytes; None for None."""
        return None if cell is None else cls(cell.number, _decoded(cell.data))


class UsualValue(Struct):
    """Value of nearly all hosts of a group, where this host has another."""

    value: str
    hosts: int
    of: int


class ComparedRow(Struct):
    """Row of a comparison."""

    kind: Annotated[
        Kind, Meta(description="`similar` lines differ only in times, numbers and the like.")
    ]
    left: ComparedLine | None
    right: ComparedLine | None
    usual: list[UsualValue]

    @classmethod
    def of(cls, row: ComparisonRow) -> ComparedRow:
        left, right = ComparedLine.of(row.left), ComparedLine.of(row.right)
        usual = [UsualValue(_decoded(one.value), one.hosts, one.of) for one in row.steady]
        return cls(row.kind, left, right, usual)


class Hunk(Struct):
    """Consecutive rows."""

    rows: list[ComparedRow]


class ComparedLogs(Struct, kw_only=True):
    """Comparison of two logs; the left one is that of the requested host."""

    left: ComparedLog
    right: Annotated[ComparedLog | None, Meta(description="Null if there is none.")] = None
    reason: Annotated[
        str,
        Meta(
            description="Why there is no other: `nobody` of that name, `no-group`, `alone` in it, "
            "`first` attempt, `no-earlier` run, `files` have no text to compare, `expired`."
        ),
    ] = ""
    group_hosts: Annotated[int, Meta(description="With majority: hosts of that group.")] = 0
    same: int = 0
    similar: int = 0
    different: int = 0
    left_only: int = 0
    right_only: int = 0
    hunks: Annotated[list[Hunk], Meta(description=f"What differs, with {CONTEXT} rows around it.")]
    is_cut: Annotated[
        bool, Meta(description=f"There are more rows than the {ROWS_MAX} that are shown.")
    ] = False


class CompareLogs(ApiView):
    """View of a comparison, by GET."""

    http_method_names = ["get"]
    errors = (BadRequest, ScopeNotFound, PermissionDenied, JobNotFound, ParameterInvalid)
    operations = {
        "get": Operation(
            id="compare",
            tag="Answers",
            summary="A host's log beside what most hosts printed, or beside another",
            description="Line by line. An unknown parameter is refused.",
            request=CompareParams,
            answer=ComparedLogs,
        )
    }

    @database.from_replica
    def get(
        self, request: Request, scope_type: str, scope_id: str, job: str, step: str
    ) -> HttpResponseBase:
        params = read_query(CompareParams, request._request)
        instance = step_of_path(request, scope_type, scope_id, job, step)
        jobs = access.jobs_in(instance.job.scope)
        attempts = Attempts(params.execute_count, params.batch)
        log = LogName(instance, params.host, attempts)
        host = _host(log)
        slow_work.begin(request._request)
        kind = _WITH.get(params.other, CounterpartKind.HOST)
        other = find_counterpart(log, host, kind, other=params.other, jobs=jobs)
        return success(request._request, _compared(request, log, host, other, params))


def _host(log: LogName) -> StepHost:
    """Return the host of a log. Raise JobNotFound if it is not in the step."""
    hosts = query.hosts_named(log.step, [log.bk_host_id], log.attempts)
    if not hosts:
        raise JobNotFound
    return hosts[0]


def _compared(
    request: Request, log: LogName, host: StepHost, other: Counterpart, params: CompareParams
) -> ComparedLogs:
    """Return the comparison, and record a read of each step whose log is in it."""
    if other.log is None:
        left = _side_of(log.step, host, is_cut=False)
        return ComparedLogs(left=left, reason=other.reason, hunks=[])
    other_host = _host(other.log)
    sides = side(log.step, host, end=params.part), side(other.log.step, other_host, end=params.part)
    comparison = compare(*sides, masks=params.masks, steady=other.steady)
    sizes = len(sides[0].data), len(sides[1].data)
    if other.log.step == log.step:
        hosts = max(len({host.bk_host_id, other_host.bk_host_id}), other.sampled_hosts)
        entry = read_entry(request, log.step, channel=Channel.API_COMPARE, hosts=hosts)
        entry.end(sum(sizes) + other.sampled_bytes)
    else:
        for step, size in zip((log.step, other.log.step), sizes, strict=True):
            read_entry(request, step, channel=Channel.API_COMPARE, hosts=1).end(size)
    rows = shown_rows(comparison, context=CONTEXT)
    return ComparedLogs(
        left=_side_of(log.step, host, is_cut=comparison.left_cut),
        right=_side_of(other.log.step, other_host, is_cut=comparison.right_cut),
        group_hosts=other.group_hosts,
        same=comparison.count(Kind.SAME),
        similar=comparison.count(Kind.SIMILAR),
        different=comparison.count(Kind.DIFFERENT),
        left_only=comparison.count(Kind.LEFT),
        right_only=comparison.count(Kind.RIGHT),
        hunks=list(_hunks(comparison, rows)),
        is_cut=sum(rows) > ROWS_MAX,
    )


def _hunks(comparison: Comparison, shown: list[bool]) -> Iterator[Hunk]:
    hunk, count = Hunk([]), 0
    for row, is_shown in zip(comparison.rows, shown, strict=True):
        if is_shown and count < ROWS_MAX:
            hunk.rows.append(ComparedRow.of(row))
            count += 1
        elif hunk.rows:
            yield hunk
            hunk = Hunk([])
    if hunk.rows:
        yield hunk


def _side_of(step: StepInstance, host: StepHost, *, is_cut: bool) -> ComparedLog:
    return ComparedLog(
        job_instance_id=step.job.job_instance_id,
        step_instance_id=step.step_instance_id,
        bk_host_id=host.bk_host_id,
        name=host.name,
        execute_count=host.newest.execute_count,
        batch=host.newest.batch,
        status=host.status,
        is_cut=is_cut,
    )


def _decoded(data: bytes) -> str:
    text = parts_as_utf8(data[:TEXT_BYTES])
    return text.decode(reading_encoding(text), errors="replace")
