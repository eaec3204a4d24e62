"""Routes of the pages for staff. An address has the scope, the job, the step and the host."""

from __future__ import annotations

from django.urls import include, path

from . import views

app_name = "staff"

# A scope's id may be any text, even with slashes: the parts around it show where it ends.
JOB = "<str:scope_type>/<path:scope_id>/jobs/<int:job_instance_id>/"
STEP = f"{JOB}steps/<int:step_instance_id>/"

urlpatterns = [
    path("", views.jobs, name="jobs"),
    path("hosts/<int:bk_host_id>/", views.host, name="host"),
    path("search/", views.history, name="history"),
    path("export", views.jobs_export, name="jobs-export"),
    path(f"{JOB}export", views.job_export, name="job-export"),
    path(f"{STEP}export", views.step_export, name="step-export"),
    path(f"{STEP}hosts/<int:bk_host_id>/export", views.host_export, name="host-export"),
    path(JOB, views.job, name="job"),
    path(STEP, views.step, name="step"),
    path(f"{STEP}hosts.txt", views.step_hosts, name="step-hosts"),
    path(STEP, include("joblogs.pages.text_urls")),
]
