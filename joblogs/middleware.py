"""Middleware below `SafeHeaders`, from the outside inwards: the request log, the exchange of the
API, pages, slow work.

The request log names the route, never the URL: ESB clients send credentials in the query string,
and a path may contain anything. It never contains log text.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from joblogs import metrics, slow_work
from joblogs.access import Caller
from joblogs.api.envelope import failure
from joblogs.api.exchange import Exchange, dialect_of
from joblogs.database import is_timeout, is_unanswered, readiness
from joblogs.errors import Unavailable
from joblogs.logtext.ansi import visible
from joblogs.monitoring import exposition, probes
from joblogs.object_store import ObjectUnreachable
from joblogs.refusals import ApiNotFound, InvalidArgs, TooManyRequests

logger = logging.getLogger(__name__)
requests_logger = logging.getLogger("joblogs.requests")

PATHS: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/healthz": probes.healthz,
    "/readyz": probes.readyz,
    "/metrics": exposition.metrics,
}
"""Views of probes by exact path: a path below one of these belongs to a gateway's stage."""
UNROUTED = "none"
"""Route of requests without one: static files, unknown URLs, hosts that are not allowed."""

COOKIE = "zone"
"""Cookie with the name of a time zone, set by a script of the pages."""
_KNOWN = zoneinfo.available_timezones()
# Names come from machines, like log text: characters that would reorder or hide the text around
# them are shown as codes. (Log text has been through `logtext.ansi` already.)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters except tab and line ends
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that change the writing direction
    "\u2028\u2029]"
)


class Requests:
    """Middleware that responds to probes, and logs and counts other requests once the response was
    sent.

    Probes use a machine's address over plain HTTP and follow no redirects. So ALLOWED_HOSTS and the
    redirect to HTTPS do not apply to them, and no session is started.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PATHS:
            return PATHS[request.path_info](request)
        started = time.monotonic()
        response: Any = self.get_response(request)
        answer = _Answer(request, response, started)
        # A file is not wrapped: the server may send it without iteration, and its length is known.
        if response.streaming and not hasattr(response, "file_to_stream"):
            response.streaming_content = answer.counted(response.streaming_content)
        # close() runs these; servers call it when the body was sent or the client disconnected.
        response._resource_closers.append(answer.ended)
        answered: HttpResponseBase = response
        return answered


class _Answer:
    """Fields of the request log for a response whose first byte is about to be sent."""

    def __init__(self, request: HttpRequest, response: Any, started: float) -> None:
        self.started, self.seconds = started, time.monotonic() - started
        self.method, self.status = request.method, response.status_code
        match = request.resolver_match
        self.route = UNROUTED if match is None else match.view_name
        # By exact type: the user of a page is lazy, and accessing it would query the database.
        user: Any = vars(request).get("user")
        self.app = user.app.app_code if type(user) is Caller else None
        self.code: int | None = getattr(response, "error_code", None)
        # The request id from the API; a page gets one here.
        if "X-Bk-Job-Request-Id" not in response:
            response["X-Request-ID"] = uuid.uuid4().hex
        self.request_id = response.get("X-Bk-Job-Request-Id") or response["X-Request-ID"]
        length = response.get("Content-Length", "")
        self.size, self.cut = int(length) if length.isdigit() else 0, False
        if not response.streaming:
            self.size = len(response.content)

    def counted(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the parts of a body; if not all are read, the response was cut by either side."""
        self.size, self.cut = 0, True
        for part in parts:
            yield part
            self.size += len(part)
        self.cut = False

    def ended(self) -> None:
        """Log and count the response after it was sent or cut."""
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
        requests_logger.info("request %s", line, extra={"fields": fields})


class ApiAnswers:
    """Middleware that begins the exchange of an API request, and signs the response.

    Errors are always JSON. Django's own errors (a host that is not allowed, an unknown URL, a crash
    outside a view) would be HTML; for an API dialect they become errors in that dialect's envelope.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        dialect = dialect_of(request.path_info)
        if dialect is None:
            return self.get_response(request)
        # Cookies are dropped, so that the API never uses or sets one.
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


class PageMiddleware:
    """Middleware of the pages, including the admin.

    It activates the user's time zone, shows invisible characters in HTML as codes (⟨U+202E⟩), and
    responds with 503 to Unavailable, to a statement that took too long, to a database that does not
    respond, and to database errors of a store that a version before 1.0 created. The API renders
    its own errors.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = unquote(request.COOKIES.get(COOKIE, ""))
        zone = zoneinfo.ZoneInfo(name) if name in _KNOWN else timezone.get_current_timezone()
        with timezone.override(zone):
            response = self.get_response(request)
        kind = response.get("Content-Type", "")
        if isinstance(response, HttpResponse) and kind.startswith("text/html"):
            html = response.content.decode(response.charset)
            shown = _INVISIBLE.sub(lambda match: visible(match[0]), html)
            if shown != html:
                response.content = shown.encode(response.charset)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Unavailable):
            context = {"is_unreachable": isinstance(error, ObjectUnreachable)}
            return render(request, "503.html", context, status=503)
        if isinstance(error, OperationalError) and is_timeout(error):
            limit = {"limit": settings.PAGE_TIMEOUT_SECONDS}
            return render(request, "503.html", limit, status=503)
        if is_unanswered(error):
            logger.error("a page was not answered: %s", type(error).__name__)
            _forget_user(request)
            return render(request, "503.html", status=503)
        if isinstance(error, DatabaseError) and readiness.fault() is readiness.Fault.BEFORE_1:
            return render(request, "503.html", {"is_before_1": True}, status=503)
        return None


def _forget_user(request: HttpRequest) -> None:
    """Make a request that of nobody: to look up its user and messages asks the database, which
    does not answer."""
    request.user = AnonymousUser()
    vars(request).pop("_messages", None)


class SlowRequests:
    """Middleware that counts slow requests, and refuses a streamed response if there are too many.

    It begins the slow work of sending a response, and ends all slow work of a request.

    A view that searches begins slow work itself, before the search. TooManyRequests is rendered
    with status 429, by the API in its envelope, for people as a page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: Any = self.get_response(request)
        length = response.get("Content-Length", "")
        is_small = length.isdigit() and int(length) <= slow_work.SMALL_BYTES
        if response.streaming and not is_small and not slow_work.may_begin(request):
            # Not closed: nothing of it was read, so there is nothing to record.
            response = _refused(request, TooManyRequests(retry_after=slow_work.RETRY_SECONDS))
        # Servers close a response when it was sent or the client disconnected.
        response._resource_closers.append(partial(slow_work.end, slow_work.send(request)))
        answered: HttpResponseBase = response
        return answered

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Respond to TooManyRequests of a view that is not an API endpoint."""
        if isinstance(exception, TooManyRequests):
            return _refused(request, exception)
        return None


def _refused(request: HttpRequest, error: TooManyRequests) -> HttpResponseBase:
    if hasattr(request, "exchange"):
        return failure(request, error)
    page = render(request, "429_busy.html", {"seconds": error.retry_after}, status=429)
    page["Retry-After"] = str(error.retry_after)
    return page
