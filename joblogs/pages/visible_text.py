"""Names come from machines, as log text does: what would turn or hide the text around them in a
page is shown as what it is. (Log text has been through `logtext.ansi` already.)"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from joblogs.logtext.ansi import visible

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls but for tab and the ends of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of writing
    "\u2028\u2029]"
)


class VisibleTextMiddleware:
    """Middleware that names these characters (⟨U+202E⟩) in every page of HTML, the admin's too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        kind = response.get("Content-Type", "")
        if isinstance(response, HttpResponse) and kind.startswith("text/html"):
            html = response.content.decode(response.charset)
            shown = _INVISIBLE.sub(lambda match: visible(match[0]), html)
            if shown != html:
                response.content = shown.encode(response.charset)
        return response
