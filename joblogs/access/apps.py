"""Apps: made with their grants, given a secret, and counted as they ask."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Case, F, When

from joblogs.models import App, AppGrant, Scope


def create_app(
    *,
    code: str,
    name: str = "",
    scopes: Iterable[tuple[str, str]] = (),
    all_scopes: bool = False,
    read: bool,
    write: bool,
    audit: bool = False,
    rotate: bool = False,
) -> tuple[App, str | None]:
    """Make an app or extend one, and its grants; unknown scopes are made.

    Returns the app and its secret if a new one was made: it is shown once and stored as its
    SHA-256. Grants are only added to; taking them away is the admin's.
    """
    with transaction.atomic():
        app, made = App.objects.get_or_create(app_code=code, defaults={"secret_sha256": b""})
        if name and app.name != name:
            app.name = name
            app.save(update_fields=["name"])
        secret = new_secret(app) if made or rotate else None
        granted: list[Scope | None] = [
            Scope.objects.get_or_create(scope_type=kind, scope_id=number)[0]
            for kind, number in scopes
        ]
        for scope in [*granted, None] if all_scopes else granted:
            grant, _ = AppGrant.objects.get_or_create(
                app=app, scope=scope, defaults={"read": False, "write": False}
            )
            grant.read, grant.write = grant.read or read, grant.write or write
            grant.audit = grant.audit or audit
            grant.save(update_fields=["read", "write", "audit"])
    return app, secret


def new_secret(app: App) -> str:
    """Give an app another secret; the one before stops working. Returned once, never again."""
    secret = secrets.token_urlsafe(32)
    app.secret_sha256 = hashlib.sha256(secret.encode()).digest()
    app.save(update_fields=["secret_sha256"])
    return secret


def seconds_to_wait(app: App, *, limit: int, now: float) -> int:
    """Count a request of an app; the seconds to wait if it is one too many in this minute, else 0.

    Counted in the app's row, so that all processes and machines count together.
    """
    minute, second = divmod(int(now), 60)
    counted = App.objects.filter(pk=app.pk)
    counted.update(
        rate_used=Case(When(rate_minute=minute, then=F("rate_used") + 1), default=1),
        rate_minute=minute,
    )
    used = counted.values_list("rate_used", flat=True).get()
    return 60 - second if used > limit else 0
