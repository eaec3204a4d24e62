"""Endpoint `/api/v1/records`: ingest of records, and the record types that this store accepts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from django.conf import settings
from django.http.response import HttpResponseBase
from django.urls import reverse
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from joblogs import access, records
from joblogs.api import envelope, exchange
from joblogs.api.base import ApiView, Operation, caller_of
from joblogs.api.body import record_lines
from joblogs.api.fields import constant, or_unset
from joblogs.errors import BadRequest, PermissionDenied, RecordsRefused
from joblogs.ingest import Report, ingest
from joblogs.ingest.report import LISTED, NAMED, Reason


class RefusedLine(Struct, kw_only=True):
    """Refused record."""

    line: Annotated[int, Meta(description="From 1, blank lines counted.")]
    type: str | None
    reason: Reason
    expected_offset: Annotated[int, Meta(description="Where a log goes on.")] | UnsetType = UNSET
    message: str


class JobPage(Struct):
    """URL of the page of a job."""

    job_instance_id: int
    url: str


class RecordsReport(Struct, kw_only=True):
    """Result of a body of records."""

    accepted: Annotated[int, Meta(description="Records that changed something.")]
    duplicates: Annotated[int, Meta(description="Records without anything new.")]
    refused_total: int
    refused: Annotated[
        list[RefusedLine], Meta(description=f"The first of each log, at most {LISTED}.")
    ]
    pages: (
        Annotated[
            list[JobPage],
            Meta(
                description="Where the jobs can be seen that the body named by a `job` record, at "
                f"most {NAMED}; only where `PUBLIC_URL` is set."
            ),
        ]
        | UnsetType
    ) = UNSET


class RecordTypes(Struct):
    """Format, versions and types of records that this store accepts."""

    format: Annotated[str, constant(records.FORMAT)]
    versions: Sequence[int]
    types: Sequence[str]


class Records(ApiView):
    """View that ingests records by POST, and lists the accepted record types by GET."""

    errors = (PermissionDenied, BadRequest)
    operations = {
        "get": Operation(
            id="which_records",
            summary="Which records this store reads",
            tag="Records",
            answer=RecordTypes,
        ),
        "post": Operation(
            id="send_records",
            summary="Records in",
            description="One JSON object a line; docs/records.md describes the records. Read as a "
            "stream, with a length or chunked; `Content-Encoding` gzip and zstd are decoded. What "
            "is not refused is in; sending the same again accepts nothing twice.",
            tag="Records",
            body={"application/x-ndjson": {"schema": {"type": "string"}}},
            answer=RecordsReport,
            refused=(RecordsRefused,),
        ),
    }

    def get(self, request: Request) -> HttpResponseBase:
        types = RecordTypes(records.FORMAT, records.VERSIONS, records.TYPES)
        return exchange.success(request._request, types)

    def post(self, request: Request) -> HttpResponseBase:
        writer = access.writer_for(caller_of(request))
        lines = record_lines(request._request, max_bytes=settings.RECORDS_MAX_BYTES)
        report = ingest(lines, writer=writer)
        data, refused = report_data(report), report.refused_total
        if refused:
            error = RecordsRefused(None, refused)
            return envelope.failure(request._request, error, data=data)
        return exchange.success(request._request, data)


def report_data(report: Report) -> RecordsReport:
    """Return the result of a body of records (`docs/records.md`, Over HTTP)."""
    return RecordsReport(
        accepted=report.accepted,
        duplicates=report.duplicates,
        refused_total=report.refused_total,
        refused=[
            RefusedLine(
                line=line.line,
                type=line.type,
                reason=line.reason,
                expected_offset=or_unset(line.expected_offset),
                message=line.message,
            )
            for line in report.refused
        ],
        pages=UNSET if settings.PUBLIC_URL is None else [_page(*key) for key in report.jobs],
    )


def _page(scope_type: str, scope_id: str, job: int) -> JobPage:
    """Return the URL of a job's page, never with the request's Host, which the client chooses."""
    path = reverse("staff:job", args=(scope_type, scope_id, job))
    return JobPage(job, f"{settings.PUBLIC_URL}{path}")
