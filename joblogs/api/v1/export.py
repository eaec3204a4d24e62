"""Logs out by HTTP as a file: what `export_logs` writes, of a scope that the app may read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from joblogs import access, database, export, slow_work
from joblogs.api.parameters import (
    address,
    at_least,
    flag,
    is_blank,
    optional_integer,
    optional_text,
    parameters,
)
from joblogs.api.streaming import LogStream
from joblogs.api.views import caller_of, read_entry
from joblogs.audit import Channel
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


class Asked(NamedTuple):
    """What the query string asks for."""

    format: Format
    criteria: Criteria
    prefix: bool


class Export(Download):
    """GET `/api/v1/{scope_type}/{scope_id}/export`."""

    http_method_names = ["get"]

    @database.from_replica
    def get(self, request: Request, scope_type: str, scope_id: str) -> HttpResponseBase:
        scope = access.readable_scope(caller_of(request), scope_type=scope_type, scope_id=scope_id)
        asked = read(request._request)
        selection = _selection(access.jobs_in(scope), asked.criteria)
        return _answer(request, asked, selection, scope_type, scope_id)


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
    request: Request, asked: Asked, selection: Selection, scope_type: str, scope_id: str
) -> HttpResponseBase:
    walk = Walk(selection, reading=partial(read_entry, request, channel=Channel.APP_EXPORT))
    # Before the first that is selected is found, which may take a search.
    slow_work.begin(request._request)
    made = export.Download(walk, asked.format, prefix=asked.prefix)
    if made.is_empty:
        raise NothingSelected
    response = LogStream(made, content_type=asked.format.content_type)
    parts = (part for part in (asked.criteria.job, asked.criteria.step) if part is not None)
    name = export.download_name(asked.format, scope_type, scope_id, *parts)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["X-Content-Type-Options"] = "nosniff"
    # A proxy hands it on as it comes: it may be larger than what a proxy keeps.
    response["X-Accel-Buffering"] = "no"
    return response


def read(request: HttpRequest) -> Asked:
    """What is asked for. Raises BadRequest, naming the field; an unknown one too.

    A misspelt filter would not narrow anything, and export what nobody asked for.
    """
    given, every = parameters(request), request.GET
    for name in every:
        if name not in OFTEN and (name not in ONCE or len(every.getlist(name)) > 1):
            raise BadRequest(BadRequest.FIELD, name)
    format = _one_of(Format, given, "format")
    no_prefix = flag(given, "no_prefix")
    if format is None or (no_prefix and format is not Format.TXT):
        raise BadRequest(BadRequest.FIELD, "no_prefix" if format else "format")
    attempt = _attempt(given, format)
    criteria = Criteria(
        job=optional_integer(given, "job", least=1),
        step=optional_integer(given, "step", least=1),
        hosts=[at_least(value, 1, BadRequest.HOST_ID) for value in _several(every, "host")],
        addresses=[_address(value) for value in _several(every, "ip")],
        outcome=_one_of(Outcome, given, "status"),
        contains=_pattern(given),
        since=_day(given, "since"),
        until=_day(given, "until"),
        attempt=attempt if isinstance(attempt, int) else None,
        batch=optional_integer(given, "batch", least=0),
        every_attempt=attempt == "all",
    )
    return Asked(format, criteria, prefix=not no_prefix)


Given = Mapping[str, Any]
Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(kind: type[Choice], given: Given, field: str) -> Choice | None:
    value = optional_text(given, field)
    if value is not None and value not in list(kind):
        raise BadRequest(BadRequest.FIELD, field)
    return None if value is None else kind(value)


def _attempt(given: Given, format: Format) -> str | int | None:
    value = optional_text(given, "attempt")
    if value is None:
        return "all" if format is Format.NDJSON else "latest"
    return value if value in ("all", "latest") else optional_integer(given, "attempt", least=0)


def _several(query: QueryDict, field: str) -> list[str]:
    values = [value for value in query.getlist(field) if not is_blank(value)]
    if len(values) > HOSTS_MAX:
        raise BadRequest(BadRequest.FIELD, field)
    return values


def _address(value: str) -> Address:
    cloud, colon, said = value.partition(":")
    if not colon:
        raise BadRequest(BadRequest.FIELD, "ip")
    return Address(at_least(cloud, 0, BadRequest.CLOUD_ID), address(said))


def _pattern(given: Given) -> Pattern | None:
    # Blanks may be looked for too: what does not narrow would export everything.
    text = given.get("contains")
    try:
        return Pattern.of(text) if text else None
    except InvalidPattern:
        raise BadRequest(BadRequest.FIELD, "contains") from None


def _day(given: Given, field: str) -> date | None:
    text = optional_text(given, field)
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise BadRequest(BadRequest.FIELD, field) from None
