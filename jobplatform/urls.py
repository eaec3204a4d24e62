"""Routes of the API, of the pages for staff and of the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

admin.autodiscover()
urlpatterns = [
    # First: a gateway's stage may be called like a page.
    path("", include("joblogs.api.urls")),
    path("logs/", include("joblogs.pages.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", RedirectView.as_view(pattern_name="staff:jobs")),
]
