"""Verification of `X-Bkapi-JWT`, a gateway's signed token about its caller.

Only RS512 is accepted, whatever algorithm a token names. Errors name the check that failed, and
never quote the token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jwt

from joblogs.refusals import AppVerifyFailed

ALGORITHM = "RS512"
LEEWAY_SECONDS = 60

_PROBLEMS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "the token has expired"),
    (jwt.ImmatureSignatureError, "the token is not valid yet"),
    (jwt.MissingRequiredClaimError, "the token has no exp"),
    (jwt.InvalidAlgorithmError, f"the token is not signed with {ALGORITHM}"),
    (jwt.InvalidSignatureError, "the token's signature does not match"),
)


class Identity(NamedTuple):
    """NamedTuple of the app and user that a token names. `user` is None if it names none."""

    app_code: str
    user: str | None
    user_verified: bool


def verify(token: str, *, keys: Mapping[str, str]) -> Identity:
    """Return the identity in a token. `keys` are PEM keys by key id. Raise AppVerifyFailed."""
    claims = _claims(token, _key(token, keys))
    app, user = _object(claims, "app"), _object(claims, "user")
    if app.get("verified") is not True:
        raise AppVerifyFailed("the token's app is not verified")
    code = _text(app, "app_code", "bk_app_code")
    if code is None:
        raise AppVerifyFailed("the token names no app")
    return Identity(code, _text(user, "username", "bk_username"), user.get("verified") is True)


def _key(token: str, keys: Mapping[str, str]) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise AppVerifyFailed("the token is not a JWT") from None
    kid = header.get("kid")
    if kid is None and len(keys) == 1:
        return next(iter(keys.values()))
    if kid is None:
        raise AppVerifyFailed("the token has no kid")
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise AppVerifyFailed("the token's kid is not known")
    return key


def _claims(token: str, key: str) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            leeway=LEEWAY_SECONDS,
            # Of the registered claims only times are checked: the others of a gateway's token do
            # not concern this store.
            options={
                "require": ["exp"],
                "verify_aud": False,
                "verify_iss": False,
                "verify_iat": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError, OverflowError) as error:
        for kind, problem in _PROBLEMS:
            if isinstance(error, kind):
                raise AppVerifyFailed(problem) from None
        raise AppVerifyFailed("the token cannot be read") from None


def _object(claims: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = claims.get(key)
    return value if isinstance(value, dict) else {}


def _text(claims: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = claims.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return None
