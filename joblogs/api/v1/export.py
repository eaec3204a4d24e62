"""Endpoint `/api/v1/…/export`: the logs of a scope as a file, as `export_logs` writes it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import partial
from typing import NamedTuple, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from joblogs import access, database, export, slow_work
from joblogs.api.base import caller_of, read_entry
from joblogs.api.fields import Params
from joblogs.api.parameters import (
    address,
    at_least,
    flag,
    is_blank,
    optional_integer,
    optional_text,
    parameters,
)
from joblogs.audit import AuditedResponse, Channel
from joblogs.errors import BadRequest, JobNotFound, NothingSelected, StepNotFound
from joblogs.export import Format, Outcome, Selection, Walk
from joblogs.export.choosing import Criteria, NotThere, choose
from joblogs.models import JobInstance
from joblogs.query import HOSTS_MAX, Address
from joblogs.search import InvalidPattern, Pattern

from .downloads import Download

ONCE = (
    "format",
    "job",
    "step",
    "status",
    "contains",
    "since",
    "until",
    "attempt",
    "batch",
    "no_prefix",
)
OFTEN = ("host", "ip")


class ExportParams(NamedTuple):
    """Parameters of the query string: format, selection, and whether text lines name their host."""

    format: Format
    criteria: Criteria
    prefix: bool


class Export(Download):
    """View of an export, by GET."""

    http_method_names = ["get"]

    @database.from_replica
    def get(self, request: Request, scope_type: str, scope_id: str) -> HttpResponseBase:
        scope = access.readable_scope(caller_of(request), scope_type=scope_type, scope_id=scope_id)
        params = read(request._request)
        selection = _selection(access.jobs_in(scope), params.criteria)
        return _answer(request, params, selection, scope_type, scope_id)


def _selection(jobs: QuerySet[JobInstance], criteria: Criteria) -> Selection:
    try:
        return choose(jobs, criteria)
    except NotThere as missing:
        if missing.kind == "job":
            raise JobNotFound from None
        if missing.kind == "step":
            raise StepNotFound from None
        raise NothingSelected(NothingSelected.HOST, missing.kind, missing.value) from None


def _answer(
    request: Request, params: ExportParams, selection: Selection, scope_type: str, scope_id: str
) -> HttpResponseBase:
    walk = Walk(selection, reading=partial(read_entry, request, channel=Channel.APP_EXPORT))
    # Before the first that is selected is found, which may take a search.
    slow_work.begin(request._request)
    download = export.Download(walk, params.format, prefix=params.prefix)
    if download.is_empty:
        raise NothingSelected
    response = AuditedResponse(download, content_type=params.format.content_type)
    parts = (part for part in (params.criteria.job, params.criteria.step) if part is not None)
    name = export.download_name(params.format, scope_type, scope_id, *parts)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["X-Content-Type-Options"] = "nosniff"
    # A proxy hands it on as it comes: it may be larger than what a proxy keeps.
    response["X-Accel-Buffering"] = "no"
    return response


def read(request: HttpRequest) -> ExportParams:
    """The parameters. Raises BadRequest, naming the field; an unknown one too.

    A misspelt filter would not narrow anything, and export too much.
    """
    values, query = parameters(request), request.GET
    for name in query:
        if name not in OFTEN and (name not in ONCE or len(query.getlist(name)) > 1):
            raise BadRequest(BadRequest.FIELD, name)
    format = _one_of(Format, values, "format")
    no_prefix = flag(values, "no_prefix")
    if format is None or (no_prefix and format is not Format.TXT):
        raise BadRequest(BadRequest.FIELD, "no_prefix" if format else "format")
    attempt = _attempt(values, format)
    criteria = Criteria(
        job=optional_integer(values, "job", least=1),
        step=optional_integer(values, "step", least=1),
        hosts=[at_least(value, 1, BadRequest.HOST_ID) for value in _several(query, "host")],
        addresses=[_address(value) for value in _several(query, "ip")],
        outcome=_one_of(Outcome, values, "status"),
        contains=_pattern(values),
        since=_day(values, "since"),
        until=_day(values, "until"),
        attempt=attempt if isinstance(attempt, int) else None,
        batch=optional_integer(values, "batch", least=0),
        every_attempt=attempt == "all",
    )
    return ExportParams(format, criteria, prefix=not no_prefix)


Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(kind: type[Choice], values: Params, field: str) -> Choice | None:
    value = optional_text(values, field)
    if value is not None and value not in list(kind):
        raise BadRequest(BadRequest.FIELD, field)
    return None if value is None else kind(value)


def _attempt(values: Params, format: Format) -> str | int | None:
    value = optional_text(values, "attempt")
    if value is None:
        return "all" if format is Format.NDJSON else "latest"
    return value if value in ("all", "latest") else optional_integer(values, "attempt", least=0)


def _several(query: QueryDict, field: str) -> list[str]:
    values = query.getlist(field)
    # A caller whose host came to nothing must not be given every host.
    if len(values) > HOSTS_MAX or any(is_blank(value) for value in values):
        raise BadRequest(BadRequest.FIELD, field)
    return values


def _address(value: str) -> Address:
    cloud, colon, ip = value.partition(":")
    if not colon:
        raise BadRequest(BadRequest.FIELD, "ip")
    return Address(at_least(cloud, 0, BadRequest.CLOUD_ID), address(ip))


def _pattern(values: Params) -> Pattern | None:
    # Blanks may be looked for too: what does not narrow would export everything.
    text = values.get("contains")
    try:
        return Pattern.of(text) if text else None
    except InvalidPattern:
        raise BadRequest(BadRequest.FIELD, "contains") from None


def _day(values: Params, field: str) -> date | None:
    text = optional_text(values, field)
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise BadRequest(BadRequest.FIELD, field) from None
