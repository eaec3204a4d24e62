"""Middleware of the API: the outer signs its answers, the innermost counts slow requests."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from joblogs import slow_work
from joblogs.errors import Unavailable
from joblogs.refusals import ApiNotFound, InvalidArgs, TooManyRequests

from .envelope import failure
from .exchange import Exchange, dialect_of


class ApiAnswers:
    """Middleware that begins the exchange of an API request and signs its answer, which is JSON
    whoever refuses.

    What Django itself refuses below (a host that is not allowed, a page that does not exist, a
    crash outside a view) would be HTML; under an API dialect it becomes an error in that
    dialect's envelope.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        dialect = dialect_of(request.path_info)
        if dialect is None:
            return self.get_response(request)
        # No cookie is read here, so that none is ever set or needed.
        request.META.pop("HTTP_COOKIE", None)
        exchange = Exchange.begin(request, dialect)
        request.exchange = exchange  # type: ignore[attr-defined]
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response = _as_json(request, response)
        exchange.sign(response)  # type: ignore[arg-type]
        return response


def _as_json(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if 300 <= response.status_code < 400:
        return response
    if response.status_code == 404:
        return failure(request, ApiNotFound(request.method or "", quote(request.path)))
    if response.status_code < 500:
        return failure(request, InvalidArgs("the request is malformed"))
    return failure(request, Unavailable())


class SlowRequests:
    """Middleware that counts slow requests, and refuses a streamed answer if there are too many.

    It begins the slow work that such an answer is, and ends whatever a request began.

    A view that searches begins its own, before it searches; what it raises then, or what is raised
    here, is answered with 429: by the API in its envelope, for people as a page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: Any = self.get_response(request)
        length = response.get("Content-Length", "")
        is_small = length.isdigit() and int(length) <= slow_work.SMALL_BYTES
        if response.streaming and not is_small and not slow_work.may_begin(request):
            # Not closed: nothing of it has been taken, so there is nothing to record.
            response = _refused(request, TooManyRequests(retry_after=slow_work.RETRY_SECONDS))
        # Servers close an answer when it has gone out, or its reader has.
        response._resource_closers.append(partial(slow_work.end, slow_work.send(request)))
        answered: HttpResponseBase = response
        return answered

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """The answer of a view that is no endpoint of the API and raised TooManyRequests."""
        if isinstance(exception, TooManyRequests):
            return _refused(request, exception)
        return None


def _refused(request: HttpRequest, error: TooManyRequests) -> HttpResponseBase:
    if hasattr(request, "exchange"):
        return failure(request, error)
    page = render(request, "429_busy.html", {"seconds": error.retry_after}, status=429)
    page["Retry-After"] = str(error.retry_after)
    return page
