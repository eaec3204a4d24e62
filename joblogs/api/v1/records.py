"""Endpoint `/api/v1/records`: records in, and which records this store reads."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.request import Request

from joblogs import access, records
from joblogs.api import envelope
from joblogs.api.base import ApiView, caller_of
from joblogs.api.body import record_lines
from joblogs.errors import RecordsRefused
from joblogs.ingest import Refused, Report, ingest


class Records(ApiView):
    """View that takes records by POST, and names the record types that are read by GET."""

    def get(self, request: Request) -> HttpResponseBase:
        data = {"format": records.FORMAT, "versions": records.VERSIONS, "types": records.TYPES}
        return envelope.success(request._request, data)

    def post(self, request: Request) -> HttpResponseBase:
        writer = access.writer_for(caller_of(request))
        lines = record_lines(request._request, max_bytes=settings.RECORDS_MAX_BYTES)
        return _answer(request._request, ingest(lines, writer=writer))


def _answer(request: HttpRequest, report: Report) -> HttpResponseBase:
    data = report_data(report)
    if report.refused_total:
        return envelope.failure(request, RecordsRefused(None, report.refused_total), data=data)
    return envelope.success(request, data)


def report_data(report: Report) -> dict[str, Any]:
    """The counts of a body of records, and its refused lines (`docs/records.md`, Over HTTP)."""
    data: dict[str, Any] = {
        "accepted": report.accepted,
        "duplicates": report.duplicates,
        "refused_total": report.refused_total,
        "refused": [_refused(entry) for entry in report.refused],
    }
    if settings.PUBLIC_URL is not None:
        data["pages"] = [_page(*key) for key in report.jobs]
    return data


def _page(scope_type: str, scope_id: str, job: int) -> dict[str, Any]:
    """The address of a job's page. Never by the request's Host, which the sender chooses."""
    path = reverse("staff:job", args=(scope_type, scope_id, job))
    return {"job_instance_id": job, "url": f"{settings.PUBLIC_URL}{path}"}


def _refused(refused: Refused) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "line": refused.line,
        "type": refused.type,
        "reason": refused.reason.value,
    }
    if refused.expected_offset is not None:
        entry["expected_offset"] = refused.expected_offset
    return entry | {"message": refused.message}
