"""Views of the pages that show log text: access control and look-up of the step."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from joblogs import access, database
from joblogs.errors import JobNotFound
from joblogs.models import StepInstance

from .compare import page as compare_page
from .log import beside, follow
from .log import page as log_page
from .search import page as search_page

P = ParamSpec("P")
View = Callable[..., HttpResponseBase]


def read_by_staff(page: Callable[..., HttpResponseBase]) -> View:
    """Decorator for a read-only view for staff users; JobNotFound becomes a 404."""
    page_from_replica = database.time_limited(database.from_replica(page))

    @require_safe
    @staff_member_required
    @wraps(page)
    def view(request: HttpRequest, *arguments: object, **named: object) -> HttpResponseBase:
        try:
            return page_from_replica(request, *arguments, **named)
        except JobNotFound:
            raise Http404 from None

    return view


def about_a_step(
    page: Callable[Concatenate[HttpRequest, StepInstance, P], HttpResponseBase],
) -> View:
    """Decorator for a view of a step that the staff user may browse; any other step is a 404."""

    @read_by_staff
    @wraps(page)
    def view(
        request: HttpRequest,
        scope_type: str,
        scope_id: str,
        job_instance_id: int,
        step_instance_id: int,
        *arguments: P.args,
        **named: P.kwargs,
    ) -> HttpResponseBase:
        step = access.visible_step(
            user_of(request),
            scope_type=scope_type,
            scope_id=scope_id,
            job_instance_id=job_instance_id,
            step_instance_id=step_instance_id,
        )
        return page(request, step, *arguments, **named)

    return view


def user_of(request: HttpRequest) -> User:
    """Return the staff user of a request that `read_by_staff` has checked."""
    assert isinstance(request.user, User)  # noqa: S101 - checked by `read_by_staff`
    return request.user


@about_a_step
def host_log(request: HttpRequest, step: StepInstance, bk_host_id: int) -> HttpResponseBase:
    return log_page.log_page(step, bk_host_id, request)


@about_a_step
def host_log_more(request: HttpRequest, step: StepInstance, bk_host_id: int) -> HttpResponseBase:
    return follow.log_more(step, bk_host_id, request)


@about_a_step
def host_log_file(request: HttpRequest, step: StepInstance, bk_host_id: int) -> HttpResponseBase:
    return log_page.log_download(step, bk_host_id, request)


@about_a_step
def host_beside(request: HttpRequest, step: StepInstance, bk_host_id: int) -> HttpResponseBase:
    return beside.beside_page(step, bk_host_id, request)


@about_a_step
def host_neighbour(request: HttpRequest, step: StepInstance, bk_host_id: int) -> HttpResponseBase:
    return beside.neighbour_page(step, bk_host_id, request)


@about_a_step
def compare(request: HttpRequest, step: StepInstance, bk_host_id: int) -> HttpResponseBase:
    jobs = access.visible_jobs(user_of(request))
    return compare_page.compare_page(step, bk_host_id, request, jobs)


@about_a_step
def search(request: HttpRequest, step: StepInstance) -> HttpResponseBase:
    return search_page.search_page(step, request)
