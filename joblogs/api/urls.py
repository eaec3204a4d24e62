"""Table of the API's routes (`docs/api.md`, Routes): one canonical path for each endpoint."""

from __future__ import annotations

import re
from typing import NamedTuple

from django.urls import re_path

from .base import ApiView, not_found
from .exchange import Dialect, routes, v4_routes
from .v1 import (
    compare,
    export,
    first_errors,
    follow,
    group_hosts,
    offsets,
    records,
    schema,
    search,
    search_history,
    summary,
)
from .v1 import host_log as raw_log
from .v1.audit import AuditView
from .v1.audit_searches import AuditSearchesView
from .v3 import (
    batch_log,
    host_log,
    job_list,
    job_status,
    plugin_log,
    plugin_status,
    step_detail,
    step_status,
)
from .v4 import authorized_scopes, file_context, object_log, script_context
from .v4 import job_list as v4_job_list
from .v4 import job_status as v4_job_status

PATH_PARTS = {
    "scope_type": "biz|biz_set|tenant_set",
    "scope_id": "[^/]{1,64}",
    "job": "[0-9]{1,16}",
    "step": "[0-9]{1,16}",
    "host": "[0-9]{1,16}",
    "group": "[0-9a-f]{12}",
}
"""Regular expressions of the parts of a path."""
_SCOPE = "/api/v1/{scope_type}/{scope_id}"
_STEP = _SCOPE + "/jobs/{job}/steps/{step}"


class Route(NamedTuple):
    """NamedTuple of an endpoint and its canonical path; versions 3 and 4 have other forms too."""

    name: str
    path: str
    view: type[ApiView]

    @property
    def pattern(self) -> str:
        """Regular expression of its paths."""
        version, api = self.path.split("/")[2:4]
        if version == "v3":
            return routes(api)
        if version == "v4":
            return v4_routes(api)
        parts = re.sub(r"{(\w+)}", lambda part: f"(?P<{part[1]}>{PATH_PARTS[part[1]]})", self.path)
        return f"^{parts.removeprefix('/')}/?$"


ROUTES = [
    *(
        Route(name, f"/api/v3/{name}", view)
        for name, view in {
            "batch_get_job_instance_ip_log": batch_log.BatchGetJobInstanceIpLog,
            "get_job_instance_status": job_status.GetJobInstanceStatus,
            "get_job_instance_list": job_list.GetJobInstanceList,
            "get_job_instance_ip_log": host_log.GetJobInstanceIpLog,
            "get_step_instance_status": step_status.GetStepInstanceStatus,
            "get_step_instance_detail": step_detail.GetStepInstanceDetail,
            "bkci_plugin_get_job_instance_status": plugin_status.PluginGetJobInstanceStatus,
            "bkci_plugin_batch_get_job_instance_execute_object_log": plugin_log.PluginBatchGetLog,
        }.items()
    ),
    *(
        Route(f"v4_{name}", f"/api/v4/{name}", view)
        for name, view in {
            "get_job_instance_status": v4_job_status.V4GetJobInstanceStatus,
            "get_job_instance_list": v4_job_list.V4GetJobInstanceList,
            "get_user_authorized_scopes": authorized_scopes.V4GetUserAuthorizedScopes,
            "get_script_task_context": script_context.V4GetScriptTaskContext,
            "get_file_task_context": file_context.V4GetFileTaskContext,
            "batch_get_job_instance_execute_object_log": (
                object_log.BatchGetJobInstanceExecuteObjectLog
            ),
        }.items()
    ),
    Route("audit", "/api/v1/audit", AuditView),
    Route("audit_searches", "/api/v1/audit/searches", AuditSearchesView),
    Route("records", "/api/v1/records", records.Records),
    Route("offsets", _STEP + "/offsets", offsets.Offsets),
    Route("host_log", _STEP + "/hosts/{host}/log", raw_log.HostLog),
    Route("follow", _STEP + "/follow", follow.Follow),
    Route("compare", _STEP + "/compare", compare.CompareLogs),
    Route("summary", _STEP + "/summary", summary.Summary),
    Route("group_hosts", _STEP + "/groups/{group}", group_hosts.GroupHostsView),
    Route("search", _STEP + "/search", search.SearchStep),
    Route("first_errors", _STEP + "/first_errors", first_errors.FirstErrorsView),
    Route("search_history", _SCOPE + "/search_history", search_history.SearchHistory),
    Route("export", _SCOPE + "/export", export.Export),
    Route("schema", "/api/v1/schema", schema.Schema),
]

urlpatterns = [
    *(re_path(route.pattern, route.view.as_view(), name=route.name) for route in ROUTES),
    # A page, so outside the dialects, where no response is HTML.
    re_path(r"^docs/api/?$", schema.page, name="api_docs"),
    # Unknown APIs get the error of the gateway.
    *(re_path("^" + dialect.prefix, not_found) for dialect in Dialect),
]
