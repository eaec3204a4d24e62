"""What every answer says about itself to browsers and caches (docs/security.md).

Django's own middleware sets some of this, but only on what passes through it; this one is above all
others. A policy without nonces or exceptions is one line, so no package is needed for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        # Nothing inline: what a log prints can never become a script or a style, whatever fails.
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Swagger UI's icons; such an image asks nobody anything
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)
UNUSED: Final = (
    *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen"),
    *("geolocation", "gyroscope", "magnetometer", "microphone", "midi", "payment"),
    *("picture-in-picture", "publickey-credentials-get", "screen-wake-lock", "usb"),
    "xr-spatial-tracking",
)
"""What browsers could do for a page, and no page of ours asks for."""
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Log text is for whoever requested it, now: no proxy keeps it, nor the disk of a browser.
    # Static files have a header of their own.
    "Cache-Control": "private, no-store",
}


class SafeHeaders:
    """Middleware: gives each answer the headers that it has not set otherwise itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.DEBUG and response.status_code in (404, 500):
            # Django's own pages about mistakes, which nobody sees but who makes them.
            del response.headers["Content-Security-Policy"]
        return response
