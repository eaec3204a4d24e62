"""Parts of pages that update themselves: a script polls the page while something runs.

It sends the version that it has; the answer is the part alone, or 304 if nothing has changed.
"""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.translation import get_language

from .rendering import rendered

HEADER = "X-Part"
"""Request header by which the script asks for a part of a page."""


def is_poll(request: HttpRequest) -> bool:
    """Return whether the request is from the script."""
    return HEADER in request.headers


def version_of(*facts: object) -> str:
    """Return the version of a page that shows these facts, in the reader's language and time
    zone."""
    reader = get_language(), timezone.get_current_timezone_name()
    return sha256(repr((reader, facts)).encode()).hexdigest()[:32]


def unchanged(request: HttpRequest, version: str) -> HttpResponse | None:
    """Return a 304 response to a poll that has this version; None for any other request."""
    if is_poll(request) and request.headers.get("If-None-Match") == f'"{version}"':
        return HttpResponseNotModified()
    return None


def page(
    request: HttpRequest, name: str, part: str, context: dict[str, Any], *, version: str, runs: bool
) -> HttpResponse:
    """Return the response with a page, or with its part for a poll; `runs`: keep polling."""
    context |= {"live": {"version": version, "runs": runs, "now": int(time.time() * 1000)}}
    return HttpResponse(rendered(part if is_poll(request) else name, context, request))
