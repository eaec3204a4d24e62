"""Endpoint `/api/v1/audit`: who read which logs, for a log collector."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from msgspec import Struct
from rest_framework.request import Request

from joblogs import access, audit
from joblogs.api.base import Operation, caller_of
from joblogs.api.exchange import json_bytes
from joblogs.api.fields import Parameter, header, read_query
from joblogs.api.parameters import number_within
from joblogs.errors import BadRequest, PermissionDenied, Text

from .http_status import HttpStatusView

LENGTH_DEFAULT, LENGTH_MAX = 1_000, 10_000
_AFTER = partial(
    number_within,
    least=0,
    most=2**63 - 1,
    default=0,
    text=Text("错误的请求 [after]", "Bad Request [after]"),
)
_LENGTH = partial(
    number_within,
    least=1,
    most=LENGTH_MAX,
    default=LENGTH_DEFAULT,
    text=Text("错误的请求 [length]", "Bad Request [length]"),
)


class AuditParams(Struct, frozen=True):
    """Parameters: where the caller is, and how many rows at most."""

    after: Annotated[
        int,
        Parameter(
            _AFTER,
            {"type": "integer", "minimum": 0, "default": 0},
            "The cursor of the last answer; without it from the first row on.",
        ),
    ]
    length: Annotated[
        int,
        Parameter(
            _LENGTH,
            {"type": "integer", "minimum": 1, "maximum": LENGTH_MAX, "default": LENGTH_DEFAULT},
            "Rows at most.",
        ),
    ]


class AuditView(HttpStatusView):
    """View of the records of reads after a cursor, by GET."""

    http_method_names = ["get"]
    errors = (BadRequest, PermissionDenied)
    operations = {
        "get": Operation(
            summary="Who read which logs, after a cursor",
            description="For an app with the right `audit`, of its scopes: one JSON object a line. "
            "A row comes once it is two minutes old, when it no longer changes.",
            tag="Audit",
            request=AuditParams,
            responses={
                "200": {
                    "description": "Rows by ascending id; none if there is nothing new.",
                    "headers": {
                        "X-Next-Cursor": header("What `after` is next.", pattern="^[0-9]+$")
                    },
                    "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
                }
            },
        )
    }

    def get(self, request: Request) -> HttpResponseBase:
        rows = access.auditable_reads(caller_of(request))
        params = read_query(AuditParams, request._request)
        reads = audit.settled_reads(rows, after=params.after, length=params.length)
        lines = b"".join(json_bytes(audit.fields_of(read)) + b"\n" for read in reads)
        response = HttpResponse(lines, content_type="application/x-ndjson")
        response["X-Next-Cursor"] = str(reads[-1].pk if reads else params.after)
        return response
