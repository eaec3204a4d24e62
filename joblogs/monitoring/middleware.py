"""Answers what machines ask about the server before any other layer sees it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from . import exposition, probes

DOORS: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/healthz": probes.healthz,
    "/readyz": probes.readyz,
    "/metrics": exposition.metrics,
}
"""By the whole path: what lies below one of these names is a gateway's stage of that name."""


class Monitoring:
    """They ask a machine's address, over plain HTTP, and follow no redirect.

    So neither ALLOWED_HOSTS nor the redirect to HTTPS is for them, and no session is begun.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return DOORS.get(request.path_info, self.get_response)(request)
