"""Tokens of apps: made, found by what a client sends, revoked (`docs/api.md`, Credentials).

A token is a right to act for one app, never for more than the app may do itself: `access` takes the
smaller of the two at every request, so a grant that is taken away leaves the token too.
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
"""How tokens of this store begin: any other access_token is somebody else's."""
RIGHTS = ("read", "write", "audit")


class TokenRefused(Exception):
    """A token that cannot be made or revoked, and why."""


def find(token: str) -> AppToken | None:
    """The token that a client sent, with its app, if it holds: not revoked, not expired, and of an
    active app."""
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
    """Make a token of an app, for one scope or all of the app's; returned once, never again.

    `rights` are some of RIGHTS, none for all that the app has. Raises TokenRefused.
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
        # One at a time: two of one name would meet at the constraint only.
        App.objects.select_for_update().get(pk=app.pk)
        check(row, named=rights)
        return save_new(row)


def check(token: AppToken, *, named: frozenset[str]) -> None:
    """Raises TokenRefused if the app has a token of that name, no grant in the token's scope, or
    none with a right that was named."""
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
    """Store a new row with the digest of a token that is made for it and returned."""
    text = PREFIX + secrets.token_urlsafe(32)
    token.digest = _digest(text)
    token.save(force_insert=True)
    return text


def revoke(*, code: str, name: str) -> None:
    """End a token of an app, from the next request on. Raises TokenRefused."""
    if not revoke_all(AppToken.objects.filter(app=_app(code), name=name)):
        text = _("%(app)s has no token %(name)s that is not revoked")
        raise TokenRefused(text % {"app": code, "name": name})


def revoke_all(tokens: QuerySet[AppToken]) -> int:
    """End those of these tokens that are not revoked yet; returns how many."""
    return tokens.filter(revoked_at=None).update(revoked_at=timezone.now())


def _app(code: str) -> App:
    app = App.objects.filter(app_code=code).first()
    if app is None:
        raise TokenRefused(_("there is no app %s") % code)
    return app


def _digest(token: str) -> bytes:
    # 32 random bytes of ours are in it: not a password, so no password hasher.
    return hashlib.sha256(token.encode()).digest()
