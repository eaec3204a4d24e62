"""Authentication of API callers (`docs/api.md`, Credentials)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from joblogs import access, app_tokens
from joblogs.access import Caller
from joblogs.errors import BadRequest
from joblogs.models import App
from joblogs.refusals import AppVerifyFailed, InvalidArgs

from . import gateway_tokens
from .body import json_object, parse_json
from .exchange import BACKENDS, Dialect, exchange_of

_KEYS = ("bk_app_code", "bk_app_secret", "bk_username", "access_token")
_BEARER = "bearer "
_NOBODY = bytes(32)


class AppAuthentication(BaseAuthentication):
    """Authentication class for an app and, optionally, the user on whose behalf it calls.

    On backend paths, if public keys are configured, `X-Bkapi-JWT` alone decides. Otherwise the
    credentials are in `X-Bkapi-Authorization`: an app's code and secret, or a token of this store,
    which may also be a bearer token and then alone decides. Every endpoint requires
    authentication, so missing credentials are refused here.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        http = request._request
        signed, keys = http.META.get("HTTP_X_BKAPI_JWT"), settings.BK_GATEWAY_PUBLIC_KEYS
        if signed and keys and exchange_of(http).dialect in BACKENDS:
            return _caller_of_gateway(signed, keys), None
        credentials = _credentials(http)
        token = credentials.get("access_token")
        if token is None and "HTTP_AUTHORIZATION" in http.META:
            token = _bearer(http.META["HTTP_AUTHORIZATION"])
        if token is not None:
            return _caller_with(token, credentials), None
        code, secret = credentials.get("bk_app_code"), credentials.get("bk_app_secret")
        if code is None:
            raise InvalidArgs("app code cannot be empty")
        if secret is None:
            raise InvalidArgs("please provide bk_app_secret or bk_signature to verify app")
        return Caller(app=_verified(code, secret), user=credentials.get("bk_username", code)), None


def _caller_of_gateway(signed: str, keys: Mapping[str, str]) -> Caller:
    identity = gateway_tokens.verify(signed, keys=keys)
    app = App.objects.filter(app_code=_printable(identity.app_code), active=True).first()
    if app is None:
        raise AppVerifyFailed("the token's app is not known here")
    user = _printable(identity.user or identity.app_code)
    return Caller(app=app, user=user, user_verified=identity.user_verified)


def _caller_with(token: str, credentials: Mapping[str, str]) -> Caller:
    found = app_tokens.find(token)
    if found is None or credentials.get("bk_app_code", found.app.app_code) != found.app.app_code:
        raise InvalidArgs("access_token is invalid or has expired")
    user = credentials.get("bk_username", found.app.app_code)
    return Caller(app=found.app, user=user, token=found)


def _bearer(header: str) -> str | None:
    """Return this store's token in an `Authorization` header, or None for anything else."""
    token = header[len(_BEARER) :].strip()
    is_ours = header.lower().startswith(_BEARER) and token.startswith(app_tokens.PREFIX)
    return _printable(token) if is_ours else None


def _verified(code: str, secret: str) -> App:
    app = access.app_of(code)
    digest = hashlib.sha256(secret.encode()).digest()
    # Also compare for an unknown app, so that the time does not reveal whether an app exists.
    matches = hmac.compare_digest(bytes(app.secret_sha256) if app else _NOBODY, digest)
    if app is None:
        raise InvalidArgs("app not found")
    if not matches or not app.active:
        raise InvalidArgs("bk_app_code or bk_app_secret is incorrect")
    return app


def _credentials(request: HttpRequest) -> dict[str, str]:
    header = request.META.get("HTTP_X_BKAPI_AUTHORIZATION", "")
    if header.strip():
        try:
            # WSGI passes header bytes as Latin-1.
            value = parse_json(header.encode("latin-1"))
        except (BadRequest, UnicodeEncodeError):
            value = None
        if not isinstance(value, dict):
            raise InvalidArgs("request header X-Bkapi-Authorization is not a valid JSON")
        return _texts(value)
    if exchange_of(request).dialect is Dialect.ESB:
        query = _texts(_query(request))
        named = not query.keys().isdisjoint({"bk_app_code", "access_token"})
        return query if named else _texts(_body(request)) | query
    return {}


def _query(request: HttpRequest) -> Mapping[str, Any]:
    try:
        return request.GET
    except TooManyFieldsSent:
        return {}


def _body(request: HttpRequest) -> Mapping[str, Any]:
    try:
        return json_object(request)
    except BadRequest:
        return {}


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the credentials among these values: non-blank texts, and only this store's tokens."""
    texts = {
        key: _printable(value)
        for key in _KEYS
        if isinstance(value := values.get(key), str) and value.strip()
    }
    if not texts.get("access_token", "").startswith(app_tokens.PREFIX):
        texts.pop("access_token", None)
    return texts


def _printable(text: str) -> str:
    """Return a text with NUL and lone surrogates, which databases refuse, replaced."""
    return text.encode(errors="replace").decode().replace("\0", "�")
