"""Endpoint `/api/v1/audit/searches`: who searched the logs of many jobs, for a log collector."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import access, search_audit
from joblogs.api.base import Operation, caller_of
from joblogs.api.exchange import json_bytes
from joblogs.api.fields import count_param, header, read_query
from joblogs.errors import BadRequest, PermissionDenied

from .audit import AuditParams
from .http_status import HttpStatusView


class AuditSearchesParams(AuditParams, frozen=True):
    """Parameters: those of the audit log of reads, and a job."""

    job_instance_id: Annotated[int | None, count_param("Only searches that went through this job.")]


class AuditSearchesView(HttpStatusView):
    """View of the records of searches after a cursor, by GET."""

    http_method_names = ["get"]
    errors = (BadRequest, PermissionDenied)
    operations = {
        "get": Operation(
            summary="Who searched the logs of many jobs, after a cursor",
            description="For an app with the right `audit`, of its scopes: one JSON object a line. "
            "Of a page only those that went through one of its scopes come, so go on until the "
            "cursor stays as it is.",
            tag="Audit",
            request=AuditSearchesParams,
            responses={
                "200": {
                    "description": "Searches by ascending id.",
                    "headers": {
                        "X-Next-Cursor": header("What `after` is next.", pattern="^[0-9]+$")
                    },
                    "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
                }
            },
        )
    }

    def get(self, request: Request) -> HttpResponseBase:
        scopes = access.auditable_scopes(caller_of(request))
        params = read_query(AuditSearchesParams, request._request)
        names = None if scopes is None else {str(scope) for scope in scopes}
        page = search_audit.settled_searches(after=params.after, length=params.length)
        fields = (search_audit.fields_of(read, names, job=params.job_instance_id) for read in page)
        lines = b"".join(json_bytes(each) + b"\n" for each in fields if each is not None)
        response = HttpResponse(lines, content_type="application/x-ndjson")
        response["X-Next-Cursor"] = str(page[-1].pk if page else params.after)
        return response
