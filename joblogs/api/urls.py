"""Addresses of the API: the forms of CONTRACT §1, and our own under /api/v1/."""

from __future__ import annotations

from django.urls import re_path

from . import views
from .forms import Form, routes

_OWN = "^" + Form.OWN.prefix
_STEP = (
    r"(?P<scope_type>biz|biz_set|tenant_set)/(?P<scope_id>[^/]{1,64})"
    r"/jobs/(?P<job>[0-9]{1,19})/steps/(?P<step>[0-9]{1,19})"
)

urlpatterns = [
    re_path(
        routes("batch_get_job_instance_ip_log"),
        views.BatchGetJobInstanceIpLog.as_view(),
        name="batch_get_job_instance_ip_log",
    ),
    re_path(_OWN + r"records/?$", views.Records.as_view(), name="records"),
    re_path(_OWN + _STEP + r"/offsets/?$", views.Offsets.as_view(), name="offsets"),
    # Whatever else looks like an API is answered as the gateway would.
    *(re_path("^" + form.prefix, views.not_found) for form in Form),
]
