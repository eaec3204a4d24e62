"""Addresses of the API: a table of endpoints for each version (`docs/api.md`, Routes)."""

from __future__ import annotations

from django.urls import re_path

from . import base
from .dialects import Dialect, routes, v4_routes
from .openapi import document, page
from .v1 import export, offsets, records
from .v1 import host_log as raw_log
from .v3 import batch_log, host_log, job_list, job_status, step_detail, step_status
from .v4 import object_log

_SCOPE = r"(?P<scope_type>biz|biz_set|tenant_set)/(?P<scope_id>[^/]{1,64})"
_STEP = _SCOPE + r"/jobs/(?P<job>[0-9]{1,16})/steps/(?P<step>[0-9]{1,16})"

V3: dict[str, type[base.ApiView]] = {
    "batch_get_job_instance_ip_log": batch_log.BatchGetJobInstanceIpLog,
    "get_job_instance_status": job_status.GetJobInstanceStatus,
    "get_job_instance_list": job_list.GetJobInstanceList,
    "get_job_instance_ip_log": host_log.GetJobInstanceIpLog,
    "get_step_instance_status": step_status.GetStepInstanceStatus,
    "get_step_instance_detail": step_detail.GetStepInstanceDetail,
}
V4: dict[str, type[base.ApiView]] = {
    "batch_get_job_instance_execute_object_log": object_log.BatchGetJobInstanceExecuteObjectLog,
}
V1: dict[str, tuple[str, type[base.ApiView]]] = {
    "records": (r"records", records.Records),
    "offsets": (_STEP + r"/offsets", offsets.Offsets),
    "host_log": (_STEP + r"/hosts/(?P<host>[0-9]{1,16})/log", raw_log.HostLog),
    "export": (_SCOPE + r"/export", export.Export),
    "schema": (r"schema", document.Schema),
}

urlpatterns = [
    *(re_path(routes(name), view.as_view(), name=name) for name, view in V3.items()),
    *(re_path(v4_routes(name), view.as_view(), name=f"v4_{name}") for name, view in V4.items()),
    *(
        re_path(f"^{Dialect.OWN.prefix}{path}/?$", view.as_view(), name=name)
        for name, (path, view) in V1.items()
    ),
    # A page, so outside of the dialects, where no answer is HTML.
    re_path(r"^docs/api/?$", page.page, name="api_docs"),
    # Whatever else looks like an API is answered as the gateway would.
    *(re_path("^" + dialect.prefix, base.not_found) for dialect in Dialect),
]
