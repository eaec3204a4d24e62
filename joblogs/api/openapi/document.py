"""The OpenAPI document of the API: one canonical path for each endpoint, and what it answers.

drf-spectacular walks the routes; what it cannot know, the wire, is described by hand in the
`schema_…` modules. A route that nobody described is an error of the document.
"""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpResponse
from drf_spectacular.drainage import error
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework.request import Request

from joblogs.api import views
from joblogs.api.envelope import json_bytes
from joblogs.api.v1 import export, host_log
from joblogs.api.v3 import step_views
from joblogs.api.v4 import object_log

from . import v1, v3_batch_log, v4
from .answers import COMPONENTS
from .shapes import Json
from .v3 import SISTERS

_SCOPE = "/api/v1/{scope_type}/{scope_id}"
_STEP = _SCOPE + "/jobs/{job}/steps/{step}"
Endpoint = tuple[str, str, str, Any]


class Schema(views.ApiView):
    """The document, for anyone."""

    http_method_names = ["get"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing is asked of the caller: it holds nothing secret."""

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(document(), content_type="application/json")


PATHS: dict[type, str] = {
    views.BatchGetJobInstanceIpLog: "/api/v3/batch_get_job_instance_ip_log",
    step_views.GetJobInstanceStatus: "/api/v3/get_job_instance_status",
    step_views.GetJobInstanceList: "/api/v3/get_job_instance_list",
    step_views.GetJobInstanceIpLog: "/api/v3/get_job_instance_ip_log",
    step_views.GetStepInstanceStatus: "/api/v3/get_step_instance_status",
    step_views.GetStepInstanceDetail: "/api/v3/get_step_instance_detail",
    object_log.BatchGetJobInstanceExecuteObjectLog: (
        "/api/v4/batch_get_job_instance_execute_object_log"
    ),
    views.Records: "/api/v1/records",
    views.Offsets: _STEP + "/offsets",
    host_log.HostLog: _STEP + "/hosts/{host}/log",
    export.Export: _SCOPE + "/export",
    Schema: "/api/v1/schema",
}
"""Where each endpoint is documented: of the forms that it has, the bare one."""

OPERATIONS: dict[tuple[str, str], Json] = {
    (PATHS[views.BatchGetJobInstanceIpLog], "POST"): v3_batch_log.BATCH,
    **{
        (f"/api/v3/{name}", method): operation
        for name, operations in SISTERS.items()
        for method, operation in operations.items()
    },
    (PATHS[object_log.BatchGetJobInstanceExecuteObjectLog], "POST"): v4.V4,
    (PATHS[views.Records], "GET"): v1.RECORDS_READ,
    (PATHS[views.Records], "POST"): v1.RECORDS_IN,
    (PATHS[views.Offsets], "GET"): v1.OFFSETS,
    (PATHS[host_log.HostLog], "GET"): v1.LOG,
    (PATHS[host_log.HostLog], "HEAD"): v1.LOG_HEAD,
    (PATHS[export.Export], "GET"): v1.EXPORT,
    (PATHS[Schema], "GET"): v1.DOCUMENT,
}


class Described(AutoSchema):
    """An operation as it is described above."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> Json | None:
        operation = OPERATIONS.get((path, method))
        if operation is None:
            error(f"nobody described {method} {path}")
        return operation


def canonical_paths(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Each endpoint under its one documented path, HEAD with GET where it has its own."""
    found = []
    for path, regex, method, callback in endpoints:
        if not issubclass(callback.cls, views.ApiView):
            continue  # the page that shows this document
        path = PATHS.get(callback.cls, path)
        found.append((path, regex, method, callback))
        if method == "GET" and "head" in callback.cls.http_method_names:
            found.append((path, regex, "HEAD", callback))
    return found


TAGS = [
    {"name": "BlueKing", "description": "As BlueKing JOB has them."},
    {"name": "Raw log", "description": "Logs as bytes, for tools."},
    {"name": "Export", "description": "Many logs as one file."},
    {"name": "Records", "description": "What producers send."},
    {"name": "This document"},
]


def add_components(result: Json, **_: Any) -> Json:
    """What the operations refer to, and the order to show them in."""
    shapes = COMPONENTS["schemas"] | v3_batch_log.SCHEMAS | v4.SCHEMAS
    return result | {"tags": TAGS, "components": COMPONENTS | {"schemas": shapes}}


@functools.cache
def document() -> bytes:
    """The document as JSON."""
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
    return json_bytes(generator.get_schema(request=None, public=True))
