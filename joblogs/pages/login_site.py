"""Admin site that limits password guessing, at login and at the change of a password."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse

from joblogs import login_throttle

logger = logging.getLogger(__name__)

COOKIE = "known_browser"
COOKIE_SECONDS = 180 * 24 * 3600


class LimitedSite(AdminSite):
    """Admin site that answers 429 with the seconds to wait after too many failed passwords."""

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().login(request, extra_context)
        form = getattr(response, "context_data", {}).get("form")
        if wait := getattr(form, "wait", 0):
            _refuse(response, wait)
        if request.method == "POST" and isinstance(request.user, User):
            _remember(request, response, request.user.get_username())
        return response

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        if request.method != "POST" or not isinstance(request.user, User):
            return super().password_change(request, extra_context)
        bucket = bucket_of(request, request.user.get_username())
        wait = login_throttle.seconds_to_wait(bucket, now=time.time())
        if wait:
            tell_refusal(request)
            refused = render(request, "429.html", {"seconds": wait})
            _refuse(refused, wait)
            return refused  # type: ignore[return-value]
        response = super().password_change(request, extra_context)
        if response.status_code == 302:
            login_throttle.succeeded(bucket)
        return response


def bucket_of(request: HttpRequest, name: str) -> bytes:
    """Return the throttle bucket in which the attempts for a user name are counted: that of this
    browser if it has logged in with the name before, otherwise that of the client's address."""
    known = request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=COOKIE_SECONDS)
    browser, _, whose = (known or "").partition(".")
    if whose == _digest(name):
        return login_throttle.browser_bucket(name, browser)
    return login_throttle.address_bucket(name, client_address(request))


def client_address(request: HttpRequest) -> str:
    """Return the client's address, as the outermost of our own proxies saw it.

    Each proxy appends the address of its peer to X-Forwarded-For; earlier entries may have been
    written by the client itself.
    """
    own = str(request.META.get("REMOTE_ADDR", ""))
    heard = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    count: int = settings.TRUSTED_PROXIES
    return heard[-count] if 0 < count <= len(heard) and heard[-count] else own


def tell_refusal(request: HttpRequest) -> None:
    """Log that somebody guesses passwords, with the client's address and without the user name."""
    logger.warning("too many failed logins of one name from %s", client_address(request)[:64])


def _refuse(response: HttpResponse, wait: int) -> None:
    response.status_code = 429
    response["Retry-After"] = str(wait)


def _remember(request: HttpRequest, response: HttpResponse, name: str) -> None:
    known = request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=COOKIE_SECONDS)
    browser, _, whose = (known or "").partition(".")
    if whose != _digest(name):
        browser = secrets.token_urlsafe(16)
    response.set_signed_cookie(
        COOKIE,
        f"{browser}.{_digest(name)}",
        salt=COOKIE,
        max_age=COOKIE_SECONDS,
        path="/admin/",
        secure=settings.SECURE_SSL,
        httponly=True,
        samesite="Lax",
    )


def _digest(name: str) -> str:
    return hashlib.sha256(name.casefold().encode(errors="replace")).hexdigest()[:32]
