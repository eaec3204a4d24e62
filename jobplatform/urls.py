"""Every route: the API's own forms, and the pages for staff inside the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    # First: a gateway's stage may have the name of a page of ours.
    path("", include("joblogs.api.urls")),
    path("admin/", admin.site.urls),
]
