"""Base views of the API: authentication, rate limit, errors, and the steps that endpoints share.

A view reads the request, authorises by `access`, calls `query` or `ingest`, and responds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import msgspec
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from joblogs import access, database, query
from joblogs.access import Caller
from joblogs.audit import Channel, ReadEntry
from joblogs.errors import (
    BadRequest,
    InvalidParameter,
    JobNotFound,
    ParameterInvalid,
    PermissionDenied,
    ScopeNotFound,
    StepNotFound,
    StoreError,
)
from joblogs.models import JobInstance, Scope, StepInstance
from joblogs.refusals import ApiNotFound, TooManyRequests
from joblogs.search_audit import SearchEntry

from . import envelope, parameters
from .authentication import AppAuthentication
from .fields import Json, Params, read, required_id_param

Errors = tuple[type[StoreError], ...]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Description of one method of an endpoint in the OpenAPI document.

    `request` is read from the query string by GET, from a JSON body by POST. `example` has values
    of its optional fields; `body` has the media types of a body that is not JSON. `refused` are
    errors whose response still has data. `responses` describes files. `id` defaults to the name of
    the route. `has_scope`: the request names a scope too.
    """

    summary: str
    description: str = ""
    tag: str = "BlueKing"
    id: str = ""
    request: type[msgspec.Struct] | None = None
    example: Json = field(default_factory=dict)
    body: Json = field(default_factory=dict)
    headers: Json = field(default_factory=dict)
    answer: type[msgspec.Struct] | None = None
    refused: Errors = ()
    responses: Json = field(default_factory=dict)
    is_public: bool = False
    has_scope: bool = True


class ApiView(APIView):
    """Base view of an endpoint: authentication, rate limit, and errors in envelopes.

    `operations` describes its methods; `errors` are all errors that it may raise, except
    Unavailable.
    """

    operations: ClassVar[Mapping[str, Operation]] = {}
    errors: ClassVar[Errors] = ()

    authentication_classes = (AppAuthentication,)
    permission_classes = (IsAuthenticated,)
    http_method_names = ["get", "post"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate the caller and apply RATE_LIMIT, per minute (`docs/api.md`, Limits).

        Content negotiation of Django REST framework (`Accept`, `?format=`) is skipped.
        """
        self.perform_authentication(request)
        self.check_permissions(request)
        if settings.RATE_LIMIT:
            app = caller_of(request).app
            wait = access.seconds_to_wait(app, limit=settings.RATE_LIMIT, now=time.time())
            if wait:
                raise TooManyRequests(retry_after=wait)

    @classmethod
    def status_of(cls, error: type[StoreError]) -> int:
        """Return the HTTP status of an error; for version 4 see `envelope.v4_failure`."""
        return 200

    def get_exception_handler(self) -> Any:
        return envelope.handle_exception


class ScopeView(ApiView):
    """Base view of an endpoint whose parameters name the scope to read.

    A subclass sets `http_method_names` to GET (query string), POST (JSON body) or both.
    """

    errors: ClassVar[Errors] = (
        BadRequest,
        InvalidParameter,
        ScopeNotFound,
        PermissionDenied,
        ParameterInvalid,
    )

    @database.from_replica
    def get(self, request: Request) -> HttpResponseBase:
        params = parameters.parameters(request._request)
        scope_type, scope_id = parameters.scope_named(params)
        scope = access.readable_scope(caller_of(request), scope_type=scope_type, scope_id=scope_id)
        return self.answer(request, scope, params)

    post = get

    def answer(self, request: Request, scope: Scope, params: Params) -> HttpResponseBase:
        raise NotImplementedError


class StepParams(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters that name a step of a job."""

    job_instance_id: Annotated[int, required_id_param("The job.")]
    step_instance_id: Annotated[int, required_id_param("The step of the job.")]


P = TypeVar("P", bound=StepParams)


class StepView(ScopeView, Generic[P]):
    """Base view of an endpoint that reads one step.

    It reads the parameters, authorises the caller and finds the step; a subclass responds.
    """

    params_class: type[P]
    errors = (*ScopeView.errors, JobNotFound, StepNotFound)

    def answer(self, request: Request, scope: Scope, params: Params) -> HttpResponseBase:
        step_params = read(self.params_class, params)
        step = self.find_step(access.jobs_in(scope), step_params)
        return self.answer_step(request, step, step_params)

    def find_step(self, jobs: QuerySet[JobInstance], params: P) -> StepInstance:
        """Return the step. Raise JobNotFound or StepNotFound."""
        return query.find_step_of_job(
            jobs,
            job_instance_id=params.job_instance_id,
            step_instance_id=params.step_instance_id,
        )

    def answer_step(self, request: Request, step: StepInstance, params: P) -> HttpResponseBase:
        raise NotImplementedError


def step_of_path(
    request: Request, scope_type: str, scope_id: str, job: str, step: str
) -> StepInstance:
    """Return the step of a path. Raise the errors of `access.readable_step`."""
    return access.readable_step(
        caller_of(request),
        scope_type=scope_type,
        scope_id=scope_id,
        job_instance_id=int(job),
        step_instance_id=int(step),
    )


def caller_of(request: Request) -> Caller:
    """Return the caller that `authentication` set on the request."""
    caller: Caller = request.user  # type: ignore[assignment]
    return caller


def read_entry(
    request: Request,
    step: StepInstance,
    *,
    channel: Channel,
    hosts: int = 0,
    search: bool = False,
    poll: bool = False,
) -> ReadEntry:
    """Return the audit row of a read by the caller of a request."""
    caller = caller_of(request)
    return ReadEntry(
        who=caller.user,
        app_code=caller.app.app_code,
        token=caller.token.name if caller.token else "",
        user_verified=caller.user_verified,
        channel=channel,
        step=step,
        hosts=hosts,
        search=search,
        poll=poll,
    )


def search_entry(request: Request, *, channel: Channel) -> SearchEntry:
    """Return the audit row of a search of history by the caller of a request."""
    caller = caller_of(request)
    return SearchEntry(
        who=caller.user,
        app_code=caller.app.app_code,
        token=caller.token.name if caller.token else "",
        user_verified=caller.user_verified,
        channel=channel,
    )


@csrf_exempt
def not_found(request: HttpRequest) -> HttpResponseBase:
    """View of an unknown path under an API dialect: refused as by the gateway, before credentials
    are checked."""
    path = parameters.encoded_path(request)
    return envelope.failure(request, ApiNotFound(request.method or "", path))
