"""Middleware that answers health checks and metrics before any other layer."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from . import exposition, probes

PATHS: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/healthz": probes.healthz,
    "/readyz": probes.readyz,
    "/metrics": exposition.metrics,
}
"""By the whole path: what lies below one of these names is a gateway's stage of that name."""


class Monitoring:
    """Middleware for probes: they use a machine's address over plain HTTP and follow no redirect.

    So neither ALLOWED_HOSTS nor the redirect to HTTPS is for them, and no session is begun.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return PATHS.get(request.path_info, self.get_response)(request)
