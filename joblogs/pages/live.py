"""Parts of pages that update by themselves: a script asks for a page again while something runs.

It names the version that it has; the answer is the part alone, or 304 while nothing has changed.
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
"""Request header that asks for a part of a page."""


def is_poll(request: HttpRequest) -> bool:
    """Whether the script asks, and not a person."""
    return HEADER in request.headers


def version_of(*facts: object) -> str:
    """Version of what is shown by these facts to this reader."""
    reader = get_language(), timezone.get_current_timezone_name()
    return sha256(repr((reader, facts)).encode()).hexdigest()[:32]


def unchanged(request: HttpRequest, version: str) -> HttpResponse | None:
    """Answer 304 to a poll that has this version."""
    if is_poll(request) and request.headers.get("If-None-Match") == f'"{version}"':
        return HttpResponseNotModified()
    return None


def page(
    request: HttpRequest, name: str, part: str, context: dict[str, Any], *, version: str, runs: bool
) -> HttpResponse:
    """A page, or to a poll its part; `runs` says that there is more to come."""
    context |= {"live": {"version": version, "runs": runs, "now": int(time.time() * 1000)}}
    return HttpResponse(rendered(part if is_poll(request) else name, context, request))
