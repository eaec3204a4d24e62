"""A page that the store cannot answer now."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from joblogs.errors import Unavailable


class UnavailablePages:
    """Middleware that answers Unavailable, raised by a page or the admin, with 503.

    The API has its own renderer, so nothing of it arrives here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Unavailable):
            return None
        return render(request, "503.html", status=503)
