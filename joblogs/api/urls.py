"""Addresses of the API: the forms of CONTRACT §1, and our own under /api/v1/."""

from __future__ import annotations

from django.urls import re_path

from . import views
from .dialects import Form, routes, v4_routes
from .openapi import document, page
from .v1 import export, host_log
from .v3 import step_views
from .v4 import object_log

_OWN = "^" + Form.OWN.prefix
_SCOPE = r"(?P<scope_type>biz|biz_set|tenant_set)/(?P<scope_id>[^/]{1,64})"
_STEP = _SCOPE + r"/jobs/(?P<job>[0-9]{1,16})/steps/(?P<step>[0-9]{1,16})"

urlpatterns = [
    re_path(
        routes("batch_get_job_instance_ip_log"),
        views.BatchGetJobInstanceIpLog.as_view(),
        name="batch_get_job_instance_ip_log",
    ),
    re_path(
        routes("get_job_instance_status"),
        step_views.GetJobInstanceStatus.as_view(),
        name="get_job_instance_status",
    ),
    re_path(
        routes("get_job_instance_list"),
        step_views.GetJobInstanceList.as_view(),
        name="get_job_instance_list",
    ),
    re_path(
        routes("get_job_instance_ip_log"),
        step_views.GetJobInstanceIpLog.as_view(),
        name="get_job_instance_ip_log",
    ),
    re_path(
        routes("get_step_instance_status"),
        step_views.GetStepInstanceStatus.as_view(),
        name="get_step_instance_status",
    ),
    re_path(
        routes("get_step_instance_detail"),
        step_views.GetStepInstanceDetail.as_view(),
        name="get_step_instance_detail",
    ),
    re_path(
        v4_routes("batch_get_job_instance_execute_object_log"),
        object_log.BatchGetJobInstanceExecuteObjectLog.as_view(),
        name="v4_batch_get_job_instance_execute_object_log",
    ),
    re_path(_OWN + r"records/?$", views.Records.as_view(), name="records"),
    re_path(_OWN + _STEP + r"/offsets/?$", views.Offsets.as_view(), name="offsets"),
    re_path(
        _OWN + _STEP + r"/hosts/(?P<host>[0-9]{1,16})/log/?$",
        host_log.HostLog.as_view(),
        name="host_log",
    ),
    re_path(_OWN + _SCOPE + r"/export/?$", export.Export.as_view(), name="export"),
    re_path(_OWN + r"schema/?$", document.Schema.as_view(), name="schema"),
    # A page, so outside of the forms, where no answer is HTML.
    re_path(r"^docs/api/?$", page.page, name="api_docs"),
    # Whatever else looks like an API is answered as the gateway would.
    *(re_path("^" + form.prefix, views.not_found) for form in Form),
]
