"""Middleware that answers health checks and metrics before any other layer, logs one line for each
other request and counts it in the metrics.

A line names the route, never the address: ESB clients send credentials in the query string, and a
path may hold anything. The text of a log is in neither.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from joblogs import metrics
from joblogs.access import Caller

from . import exposition, probes

logger = logging.getLogger("joblogs.requests")

PATHS: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/healthz": probes.healthz,
    "/readyz": probes.readyz,
    "/metrics": exposition.metrics,
}
"""By the whole path: what lies below one of these names is a gateway's stage of that name."""
UNROUTED = "none"
"""What no route answered: static files, addresses that do not exist, hosts that are not ours."""


class Requests:
    """Middleware that answers probes, and logs and counts each other request, once its answer has
    been sent.

    Probes use a machine's address over plain HTTP and follow no redirect. So neither ALLOWED_HOSTS
    nor the redirect to HTTPS is for them, and no session is begun.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PATHS:
            return PATHS[request.path_info](request)
        started = time.monotonic()
        response: Any = self.get_response(request)
        answer = _Answer(request, response, started)
        # A file is left to the server, which may not iterate over it; its length is known.
        if response.streaming and not hasattr(response, "file_to_stream"):
            response.streaming_content = answer.counted(response.streaming_content)
        # close() runs these, which servers call when the body has gone out or the client has.
        response._resource_closers.append(answer.ended)
        answered: HttpResponseBase = response
        return answered


class _Answer:
    """Log fields of an answer whose first byte is about to be sent."""

    def __init__(self, request: HttpRequest, response: Any, started: float) -> None:
        self.started, self.seconds = started, time.monotonic() - started
        self.method, self.status = request.method, response.status_code
        match = request.resolver_match
        self.route = UNROUTED if match is None else match.view_name
        # By its exact type: a person's is lazy, and looking at it would ask the database.
        user: Any = vars(request).get("user")
        self.app = user.app.app_code if type(user) is Caller else None
        self.code: int | None = getattr(response, "error_code", None)
        # The id that the API gave the answer; a page gets one here.
        if "X-Bk-Job-Request-Id" not in response:
            response["X-Request-ID"] = uuid.uuid4().hex
        self.request_id = response.get("X-Bk-Job-Request-Id") or response["X-Request-ID"]
        length = response.get("Content-Length", "")
        self.size, self.cut = int(length) if length.isdigit() else 0, False
        if not response.streaming:
            self.size = len(response.content)

    def counted(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """The parts of a body; one that is not asked for to its end was cut, whoever did it."""
        self.size, self.cut = 0, True
        for part in parts:
            yield part
            self.size += len(part)
        self.cut = False

    def ended(self) -> None:
        """The answer has gone out, or was cut."""
        metrics.answered(
            route=self.route,
            status=self.status,
            code=self.code,
            seconds=self.seconds,
            size=self.size,
        )
        values = {
            "request_id": self.request_id,
            "method": self.method,
            "route": self.route,
            "app": self.app,
            "status": self.status,
            "code": self.code,
            "bytes": self.size,
            "cut": self.cut or None,
            "ms": round(self.seconds * 1000),
            "sent_ms": round((time.monotonic() - self.started) * 1000),
        }
        fields = {name: value for name, value in values.items() if value is not None}
        line = " ".join(f"{name}={value}" for name, value in fields.items())
        logger.info("request %s", line, extra={"fields": fields})
