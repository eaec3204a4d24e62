"""Endpoint `/api/v1/…/export`: export of a scope's logs as a file, as by `export_logs`."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import partial
from typing import Annotated, TypeVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from msgspec import Struct
from rest_framework.request import Request

from joblogs import access, database, export, slow_work
from joblogs.api.base import Operation, caller_of, read_entry
from joblogs.api.fields import (
    ID,
    TEXT,
    Parameter,
    Params,
    count_param,
    flag_param,
    header,
    read_query,
)
from joblogs.api.parameters import (
    address,
    at_least,
    flag,
    is_blank,
    optional_integer,
    optional_text,
)
from joblogs.audit import AuditedResponse, Channel
from joblogs.errors import (
    BadRequest,
    JobNotFound,
    NothingSelected,
    PermissionDenied,
    ScopeNotFound,
    StepNotFound,
)
from joblogs.export import Format, Outcome, Selection, Walk
from joblogs.export.choosing import Criteria, NotThere, choose
from joblogs.models import JobInstance
from joblogs.query import HOSTS_MAX, Address
from joblogs.search import InvalidPattern, Pattern

from .fields import day_param
from .http_status import HttpStatusView

Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(kind: type[Choice], params: Params, field: str) -> Choice | None:
    value = optional_text(params, field)
    if value is not None and value not in list(kind):
        raise BadRequest(BadRequest.FIELD, field)
    return None if value is None else kind(value)


def _format(params: Params, field: str) -> Format:
    format = _one_of(Format, params, field)
    no_prefix = flag(params, "no_prefix")
    if format is None or (no_prefix and format.traits.write_bare is None):
        raise BadRequest(BadRequest.FIELD, "no_prefix" if format else field)
    return format


def _attempt(params: Params, field: str) -> str | int | None:
    value = optional_text(params, field)
    if value is None:
        return _format(params, "format").default_attempt
    return value if value in ("all", "latest") else optional_integer(params, field, least=0)


def _several(params: Params, field: str) -> list[str]:
    values: list[str] = params.getlist(field)  # type: ignore[attr-defined]
    # A caller whose list of hosts is blank by mistake must not get every host.
    if len(values) > HOSTS_MAX or any(is_blank(value) for value in values):
        raise BadRequest(BadRequest.FIELD, field)
    return values


def _hosts(params: Params, field: str) -> list[int]:
    return [at_least(value, 1, BadRequest.HOST_ID) for value in _several(params, field)]


def _addresses(params: Params, field: str) -> list[Address]:
    return [_address(value) for value in _several(params, field)]


def _address(value: str) -> Address:
    cloud, colon, ip = value.partition(":")
    if not colon:
        raise BadRequest(BadRequest.FIELD, "ip")
    return Address(at_least(cloud, 0, BadRequest.CLOUD_ID), address(ip))


def _pattern(params: Params, field: str) -> Pattern | None:
    # Blanks are a valid search: ignoring them would export everything.
    text = params.get(field)
    try:
        return Pattern.of(text) if text else None
    except InvalidPattern:
        raise BadRequest(BadRequest.FIELD, field) from None


id_param = partial(Parameter, partial(optional_integer, least=1), ID)
REPEATED = ("host", "ip")


class ExportParams(Struct, frozen=True):
    """Parameters of the query string: format, selection, and whether text lines name their host."""

    format: Annotated[
        Format, Parameter(_format, TEXT | {"enum": list(Format)}, "What it looks like.", True)
    ]
    no_prefix: Annotated[bool, flag_param("txt: nothing but what was printed.")]
    attempt: Annotated[
        str | int | None,
        Parameter(
            _attempt,
            TEXT | {"pattern": "^(all|latest|[0-9]{1,9})$"},
            "Logs as they stood after attempt N, from 0; `latest`; `all`: each for itself. By "
            "default `all` for ndjson, else `latest`.",
        ),
    ]
    job: Annotated[int | None, id_param("Only this job.")]
    step: Annotated[int | None, id_param("Only this step.")]
    host: Annotated[
        list[int],
        Parameter(_hosts, ID, f"Only this bk_host_id; may be repeated up to {HOSTS_MAX} times."),
    ]
    ip: Annotated[
        list[Address],
        Parameter(_addresses, TEXT, "Only the host that had this then: `CLOUD:IP`; as host."),
    ]
    status: Annotated[
        Outcome | None,
        Parameter(
            partial(_one_of, Outcome), TEXT | {"enum": list(Outcome)}, "Hosts with this result."
        ),
    ]
    contains: Annotated[
        Pattern | None, Parameter(_pattern, TEXT, "Hosts whose log holds this text.")
    ]
    since: Annotated[date | None, day_param("Jobs created on this UTC day or later.")]
    until: Annotated[date | None, day_param("Jobs created on this UTC day or before.")]
    batch: Annotated[int | None, count_param("Only this rolling batch.")]

    @property
    def criteria(self) -> Criteria:
        """The criteria of the export."""
        return Criteria(
            job=self.job,
            step=self.step,
            hosts=self.host,
            addresses=self.ip,
            outcome=self.status,
            contains=self.contains,
            since=self.since,
            until=self.until,
            attempt=self.attempt if isinstance(self.attempt, int) else None,
            batch=self.batch,
            every_attempt=self.attempt == "all",
        )


class Export(HttpStatusView):
    """View of an export, by GET."""

    http_method_names = ["get"]
    errors = (
        BadRequest,
        PermissionDenied,
        ScopeNotFound,
        JobNotFound,
        StepNotFound,
        NothingSelected,
    )
    operations = {
        "get": Operation(
            summary="Logs of a scope as a file",
            description="What the command `export_logs` writes: records, a ZIP archive with a file "
            "for each host, text led by hosts, or a table. Streamed; an answer that fails after "
            "its first byte cuts the connection. An unknown parameter is refused.",
            tag="Export",
            request=ExportParams,
            responses={
                "200": {
                    "description": "The file.",
                    "headers": {"Content-Disposition": header("A name for the file.")},
                    "content": {
                        kind.content_type.partition(";")[0]: {
                            "schema": {"type": "string", "format": "binary"}
                        }
                        for kind in Format
                    },
                }
            },
        )
    }

    @database.from_replica
    def get(self, request: Request, scope_type: str, scope_id: str) -> HttpResponseBase:
        scope = access.readable_scope(caller_of(request), scope_type=scope_type, scope_id=scope_id)
        params = read_query(ExportParams, request._request, repeated=REPEATED)
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
    # Before the first host is selected, which may need a search.
    slow_work.begin(request._request)
    download = export.Download(walk, params.format, prefix=not params.no_prefix)
    if download.is_empty:
        raise NothingSelected
    response = AuditedResponse(download, content_type=params.format.content_type)
    parts = (part for part in (params.job, params.step) if part is not None)
    name = export.download_name(params.format, scope_type, scope_id, *parts)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["X-Content-Type-Options"] = "nosniff"
    # A proxy must not buffer it: it may be larger than the proxy's buffers.
    response["X-Accel-Buffering"] = "no"
    return response
