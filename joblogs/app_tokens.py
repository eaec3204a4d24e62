"""Tokens of apps: creation, lookup and revocation (`docs/api.md`, Credentials).

A token acts for one app, and never has more rights than the app: `access` checks both at every
request, so removing a grant of the app also removes it from its tokens.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import BinaryField, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from joblogs import database
from joblogs.database import Param
from joblogs.models import App, AppGrant, AppToken, Scope

PREFIX = "jlt_"
"""Prefix of this store's tokens: an access_token without it was issued by another system."""
RIGHTS = ("read", "write", "audit")


class TokenRefused(Exception):
    """Error: a token cannot be created or revoked, with the reason."""


def find(token: str) -> AppToken | None:
    """Return the row of a token that a client sent, with its app, if it is valid, else None.

    A valid token is neither revoked nor expired, and its app is active.
    """
    digest = _digest(token)
    for row in _of_digest(digest=digest):
        if hmac.compare_digest(bytes(row.digest), digest) and row.app.active and row.is_valid:
            return row
    return None


@database.CompiledQuery
def _of_digest() -> QuerySet[AppToken]:
    return AppToken.objects.filter(digest=Param("digest", BinaryField())).select_related("app")


def create(
    *,
    code: str,
    name: str,
    scope: tuple[str, str] | None = None,
    rights: frozenset[str] = frozenset(),
    expires_days: int | None = None,
) -> str:
    """Create a token of an app, for one scope or all scopes of the app; return it.

    It cannot be retrieved later. `rights` are some of RIGHTS; empty means all rights of the app.
    Raise TokenRefused.
    """
    app = _app(code)
    found = None if scope is None else Scope.objects.filter(scope_type=scope[0], scope_id=scope[1])
    if found is not None and not found:
        raise TokenRefused(_("there is no scope %s") % ":".join(scope or ()))
    expires = None if expires_days is None else timezone.now() + timedelta(days=expires_days)
    row = AppToken(
        app=app,
        name=name,
        scope=None if found is None else found[0],
        expires_at=expires,
        **{right: right in (rights or RIGHTS) for right in RIGHTS},
    )
    with transaction.atomic():
        # Locked, so that a second token with the same name is refused with a message, not by the
        # constraint.
        App.objects.select_for_update().get(pk=app.pk)
        check(row, named=rights)
        return save_new(row)


def check(token: AppToken, *, named: frozenset[str]) -> None:
    """Raise TokenRefused if the app has an unrevoked token with this name, no right in the
    token's scope, or not all of the rights in `named`."""
    if AppToken.objects.filter(app=token.app, name=token.name, revoked_at=None).exists():
        text = _("%(app)s has a token %(name)s already: revoke it first")
        raise TokenRefused(text % {"app": token.app, "name": token.name})
    grants = AppGrant.objects.filter(app=token.app)
    if token.scope is not None:
        grants = grants.filter(Q(scope=token.scope) | Q(scope=None))
    held = {right for grant in grants for right in RIGHTS if getattr(grant, right)}
    place = {"app": token.app, "scope": token.scope or _("any scope")}
    if not held:
        raise TokenRefused(_("%(app)s may do nothing in %(scope)s") % place)
    if beyond := sorted(named - held):
        rights = ", ".join(beyond)
        text = _("%(app)s does not have this right in %(scope)s: %(rights)s")
        raise TokenRefused(text % {**place, "rights": rights})


def save_new(token: AppToken) -> str:
    """Generate a token for a new row, save the row with its digest, and return the token."""
    text = PREFIX + secrets.token_urlsafe(32)
    token.digest = _digest(text)
    token.save(force_insert=True)
    return text


def revoke(*, code: str, name: str) -> None:
    """Revoke a token of an app, from the next request on. Raise TokenRefused."""
    if not revoke_all(AppToken.objects.filter(app=_app(code), name=name)):
        text = _("%(app)s has no token %(name)s that is not revoked")
        raise TokenRefused(text % {"app": code, "name": name})


def revoke_all(tokens: QuerySet[AppToken]) -> int:
    """Revoke the tokens that are not revoked yet; return their number."""
    return tokens.filter(revoked_at=None).update(revoked_at=timezone.now())


def _app(code: str) -> App:
    app = App.objects.filter(app_code=code).first()
    if app is None:
        raise TokenRefused(_("there is no app %s") % code)
    return app


def _digest(token: str) -> bytes:
    # It contains 32 random bytes: not a password, so no password hasher.
    return hashlib.sha256(token.encode()).digest()
