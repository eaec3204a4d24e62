"""Views of the pages about jobs, steps and hosts: access control and look-up of the objects."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from joblogs import access, query
from joblogs.models import StepInstance

from . import exports
from .history import page as history_page
from .jobs import host as jobs_host
from .jobs import pages
from .step import page
from .text_views import about_a_step, read_by_staff, user_of


@read_by_staff
def jobs(request: HttpRequest) -> HttpResponseBase:
    user = user_of(request)
    return pages.jobs_page(access.visible_jobs(user), access.visible_scopes(user), request)


@read_by_staff
def history(request: HttpRequest) -> HttpResponseBase:
    user = user_of(request)
    return history_page.history_page(
        access.visible_jobs(user), access.visible_scopes(user), request
    )


@read_by_staff
def job(
    request: HttpRequest, scope_type: str, scope_id: str, job_instance_id: int
) -> HttpResponseBase:
    jobs_in_scope = access.visible_jobs_in(
        user_of(request), scope_type=scope_type, scope_id=scope_id
    )
    the_job = query.find_job(jobs_in_scope, job_instance_id=job_instance_id)
    return pages.job_page(the_job, request)


@read_by_staff
def jobs_export(request: HttpRequest) -> HttpResponseBase:
    user = user_of(request)
    return exports.of_jobs(access.visible_jobs(user), access.visible_scopes(user), request)


@read_by_staff
def job_export(
    request: HttpRequest, scope_type: str, scope_id: str, job_instance_id: int
) -> HttpResponseBase:
    jobs_in_scope = access.visible_jobs_in(
        user_of(request), scope_type=scope_type, scope_id=scope_id
    )
    the_job = query.find_job(jobs_in_scope, job_instance_id=job_instance_id)
    return exports.of_job(the_job, request)


@about_a_step
def step(request: HttpRequest, step: StepInstance) -> HttpResponseBase:
    return page.step_page(step, request)


@about_a_step
def step_hosts(request: HttpRequest, step: StepInstance) -> HttpResponseBase:
    return page.step_hosts(step, request)


@about_a_step
def step_export(request: HttpRequest, step: StepInstance) -> HttpResponseBase:
    return exports.of_step(step, request)


@about_a_step
def host_export(request: HttpRequest, step: StepInstance, bk_host_id: int) -> HttpResponseBase:
    return exports.of_host(step, bk_host_id, request)


@read_by_staff
def host(request: HttpRequest, bk_host_id: int) -> HttpResponseBase:
    return jobs_host.host_page(access.visible_scopes(user_of(request)), bk_host_id, request)
