"""The OpenAPI document of the API: one canonical path for each endpoint, and what it answers.

drf-spectacular walks the routes; what it cannot know, requests and answers, is described in the
other modules of this package. A route without a description is an error of the document.
"""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpResponse
from drf_spectacular.drainage import error
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework.request import Request

from joblogs.api.base import ApiView
from joblogs.api.envelope import json_bytes
from joblogs.api.v1 import export, offsets, records
from joblogs.api.v1 import host_log as raw_log
from joblogs.api.v3 import batch_log, host_log, job_list, job_status, step_detail, step_status
from joblogs.api.v4 import object_log

from . import v1
from .answers import COMPONENTS
from .builder import described_operations
from .shapes import Json

_SCOPE = "/api/v1/{scope_type}/{scope_id}"
_STEP = _SCOPE + "/jobs/{job}/steps/{step}"
Endpoint = tuple[str, str, str, Any]


class Schema(ApiView):
    """View of the document, for anyone."""

    http_method_names = ["get"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """No authentication: the document holds nothing secret."""

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(document(), content_type="application/json")


PATHS: dict[type, str] = {
    batch_log.BatchGetJobInstanceIpLog: "/api/v3/batch_get_job_instance_ip_log",
    job_status.GetJobInstanceStatus: "/api/v3/get_job_instance_status",
    job_list.GetJobInstanceList: "/api/v3/get_job_instance_list",
    host_log.GetJobInstanceIpLog: "/api/v3/get_job_instance_ip_log",
    step_status.GetStepInstanceStatus: "/api/v3/get_step_instance_status",
    step_detail.GetStepInstanceDetail: "/api/v3/get_step_instance_detail",
    object_log.BatchGetJobInstanceExecuteObjectLog: (
        "/api/v4/batch_get_job_instance_execute_object_log"
    ),
    records.Records: "/api/v1/records",
    offsets.Offsets: _STEP + "/offsets",
    raw_log.HostLog: _STEP + "/hosts/{host}/log",
    export.Export: _SCOPE + "/export",
    Schema: "/api/v1/schema",
}
"""Canonical path of each endpoint in the document."""

_OPERATIONS, _SCHEMAS = described_operations(PATHS)
OPERATIONS: dict[tuple[str, str], Json] = {
    (PATHS[records.Records], "GET"): v1.RECORDS_READ,
    (PATHS[records.Records], "POST"): v1.RECORDS_IN,
    (PATHS[offsets.Offsets], "GET"): v1.OFFSETS,
    (PATHS[raw_log.HostLog], "GET"): v1.LOG,
    (PATHS[raw_log.HostLog], "HEAD"): v1.LOG_HEAD,
    (PATHS[export.Export], "GET"): v1.EXPORT,
    (PATHS[Schema], "GET"): v1.DOCUMENT,
    **_OPERATIONS,
}


class Described(AutoSchema):
    """Inspector that returns the operations described above."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> Json | None:
        operation = OPERATIONS.get((path, method))
        if operation is None:
            error(f"{method} {path} is not described")
        return operation


def canonical_paths(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Each endpoint under its one documented path, HEAD with GET where it has its own."""
    documented = []
    for path, regex, method, callback in endpoints:
        if not issubclass(callback.cls, ApiView):
            continue  # the page that shows this document
        path = PATHS.get(callback.cls, path)
        documented.append((path, regex, method, callback))
        if method == "GET" and "head" in callback.cls.http_method_names:
            documented.append((path, regex, "HEAD", callback))
    return documented


TAGS = [
    {"name": "BlueKing", "description": "As in BlueKing JOB."},
    {"name": "Raw log", "description": "Logs as bytes, for tools."},
    {"name": "Export", "description": "Many logs as one file."},
    {"name": "Records", "description": "Records from producers."},
    {"name": "This document"},
]


def add_components(result: Json, **_: Any) -> Json:
    """Hook that adds the components that the operations refer to, and the order of the tags."""
    shapes = COMPONENTS["schemas"] | _SCHEMAS
    return result | {"tags": TAGS, "components": COMPONENTS | {"schemas": shapes}}


@functools.cache
def document() -> bytes:
    """The document as JSON."""
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
    return json_bytes(generator.get_schema(request=None, public=True))
