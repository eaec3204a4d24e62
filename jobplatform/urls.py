"""Every route: the API's own forms, and the pages for staff inside the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("joblogs.api.urls")),
]
