"""Outermost middleware: answers under an API dialect are signed, and JSON whoever refuses."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from joblogs.errors import ApiNotFound, InvalidArgs, Unavailable

from .dialects import dialect_of
from .envelope import Exchange, failure


class ApiAnswers:
    """Middleware that begins the exchange of an API request and signs its answer.

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
