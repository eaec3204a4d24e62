"""Routes of the pages that show log text. `pages.urls` includes them below a step's address, which
has scope_type, scope_id, job_instance_id and step_instance_id."""

from __future__ import annotations

from django.urls import path

from . import text_views

HOST = "hosts/<int:bk_host_id>/"

urlpatterns = [
    path("search/", text_views.search, name="search"),
    path(HOST, text_views.host_log, name="log"),
    path(f"{HOST}more", text_views.host_log_more, name="log-more"),
    path(f"{HOST}download", text_views.host_log_file, name="log-download"),
    path(f"{HOST}beside", text_views.host_beside, name="log-beside"),
    path(f"{HOST}neighbour", text_views.host_neighbour, name="log-neighbour"),
    path(f"{HOST}compare/", text_views.compare, name="compare"),
]
