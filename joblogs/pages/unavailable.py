"""Middleware that answers 503 when the store is unavailable."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from joblogs.database import is_timeout, readiness
from joblogs.errors import Unavailable


class UnavailableMiddleware:
    """Middleware that answers Unavailable, raised by a page or the admin, with 503.

    So it answers a page whose statement took too long, and what fails because a version before 1.0
    made the store, and says that.

    The API has its own renderer, so nothing of it arrives here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Unavailable):
            return render(request, "503.html", status=503)
        if isinstance(error, OperationalError) and is_timeout(error):
            limit = {"limit": settings.PAGE_TIMEOUT_SECONDS}
            return render(request, "503.html", limit, status=503)
        if isinstance(error, DatabaseError) and readiness.fault() is readiness.Fault.BEFORE_1:
            return render(request, "503.html", {"is_before_1": True}, status=503)
        return None
