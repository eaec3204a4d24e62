"""Who is calling (CONTRACT §2)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from joblogs.access import Caller
from joblogs.errors import BadRequest, InvalidArgs
from joblogs.models import App

from .bodies import json_object, parse_json
from .envelope import exchange_of
from .forms import Form

_KEYS = ("bk_app_code", "bk_app_secret", "bk_username")
_NOBODY = bytes(32)


class HeaderAuthentication(BaseAuthentication):
    """`X-Bkapi-Authorization`: an app's code and secret, and perhaps the user it speaks for.

    Every endpoint needs it, so there is no "not my scheme": what is missing is refused.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        credentials = _credentials(request._request)
        code, secret = credentials.get("bk_app_code"), credentials.get("bk_app_secret")
        if code is None:
            raise InvalidArgs("app code cannot be empty")
        if secret is None:
            raise InvalidArgs("please provide bk_app_secret or bk_signature to verify app")
        return Caller(app=_verified(code, secret), user=credentials.get("bk_username", code)), None


def _verified(code: str, secret: str) -> App:
    app = App.objects.filter(app_code=code).first()
    given = hashlib.sha256(secret.encode()).digest()
    # An unknown app costs a comparison too.
    matches = hmac.compare_digest(bytes(app.secret_sha256) if app else _NOBODY, given)
    if app is None:
        raise InvalidArgs("app not found")
    if not matches or not app.active:
        raise InvalidArgs("bk_app_code or bk_app_secret is incorrect")
    return app


def _credentials(request: HttpRequest) -> dict[str, str]:
    header = request.META.get("HTTP_X_BKAPI_AUTHORIZATION", "")
    if header.strip():
        return _texts(_parse_header(header))
    if exchange_of(request).form is Form.ESB:
        query = _texts(request.GET)
        return query if "bk_app_code" in query else _texts(_body(request)) | query
    return {}


def _parse_header(header: str) -> Mapping[str, Any]:
    try:
        # WSGI hands bytes over as Latin-1.
        value = parse_json(header.encode("latin-1"))
    except (BadRequest, UnicodeEncodeError):
        value = None
    if not isinstance(value, dict):
        raise InvalidArgs("request header X-Bkapi-Authorization is not a valid JSON")
    return value


def _body(request: HttpRequest) -> Mapping[str, Any]:
    try:
        return json_object(request)
    except BadRequest:
        return {}


def _texts(given: Mapping[str, Any]) -> dict[str, str]:
    """What counts as stated: text that is not empty. Characters that no name has are replaced."""
    return {
        key: value.encode(errors="replace").decode().replace("\0", "�")
        for key in _KEYS
        if isinstance(value := given.get(key), str) and value.strip()
    }
