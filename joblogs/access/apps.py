"""Creating apps with their grants, issuing secrets and counting requests for the rate limit."""

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
    """Create an app, or extend an existing one, with its grants; unknown scopes are created.

    Return the app and its new secret, or None if no secret was issued. Only the SHA-256 of a
    secret is stored, so it can be shown only once. Rights are only added here; they are removed
    in the admin.
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
    """Replace the secret of an app and return the new one, which cannot be retrieved again."""
    secret = secrets.token_urlsafe(32)
    app.secret_sha256 = hashlib.sha256(secret.encode()).digest()
    app.save(update_fields=["secret_sha256"])
    return secret


def seconds_to_wait(app: App, *, limit: int, now: float) -> int:
    """Count a request of an app; return the seconds to wait if it exceeds `limit`, else 0.

    The limit is per minute. The count is kept in the app's row, so that all processes and
    machines share it.
    """
    minute, second = divmod(int(now), 60)
    counted = App.objects.filter(pk=app.pk)
    counted.update(
        rate_used=Case(When(rate_minute=minute, then=F("rate_used") + 1), default=1),
        rate_minute=minute,
    )
    used = counted.values_list("rate_used", flat=True).get()
    return 60 - second if used > limit else 0
