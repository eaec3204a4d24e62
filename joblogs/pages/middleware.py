"""Middleware of the pages: time zone of the reader, visible names, answers when the store is
unavailable."""

from __future__ import annotations

import logging
import re
import zoneinfo
from collections.abc import Callable
from urllib.parse import unquote

from django.conf import settings
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from joblogs.database import is_timeout, is_unanswered, readiness
from joblogs.errors import Unavailable
from joblogs.logtext.ansi import visible
from joblogs.object_store import ObjectUnreachable

logger = logging.getLogger(__name__)

COOKIE = "zone"
"""Name of a time zone; a script of the pages sets it."""
_KNOWN = zoneinfo.available_timezones()
# Names come from machines, as log text does: what would turn or hide the text around them is shown
# as what it is. (Log text has been through `logtext.ansi` already.)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls but for tab and the ends of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of writing
    "\u2028\u2029]"
)


class PageMiddleware:
    """Middleware of the pages, the admin's too.

    It activates the reader's time zone, names such characters (⟨U+202E⟩) in HTML, and answers
    Unavailable with 503; so it answers a statement that took too long, and what fails because a
    version before 1.0 made the store, and says that. The API has its own renderer, so none of its
    errors arrives here.
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
            return render(request, "503.html", status=503)
        if isinstance(error, DatabaseError) and readiness.fault() is readiness.Fault.BEFORE_1:
            return render(request, "503.html", {"is_before_1": True}, status=503)
        return None
