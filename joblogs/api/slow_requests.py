"""Middleware that counts slow requests, and refuses a streamed answer when there are too many."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from joblogs import slow_work
from joblogs.errors import TooManyRequests

from .envelope import failure


class SlowRequests:
    """Begins the slow work that a streamed answer is, and ends whatever a request began.

    A view that searches begins its own, before it searches; what it raises then, or what is raised
    here, is answered with 429: by the API in its envelope, for people as a page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: Any = self.get_response(request)
        if _is_large(response) and not slow_work.may_begin(request):
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


def _is_large(response: Any) -> bool:
    if not response.streaming:
        return False
    length = response.get("Content-Length", "")
    return not length.isdigit() or int(length) > slow_work.SMALL_BYTES


def _refused(request: HttpRequest, error: TooManyRequests) -> HttpResponseBase:
    if hasattr(request, "exchange"):
        return failure(request, error)
    page = render(request, "429_busy.html", {"seconds": error.retry_after}, status=429)
    page["Retry-After"] = str(error.retry_after)
    return page
