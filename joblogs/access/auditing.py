"""QuerySets of the audit records that a caller may see."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from joblogs.errors import PermissionDenied
from joblogs.models import AppGrant, LogRead, Scope

from .reading import Caller
from .writing import scopes_with


def auditable_scopes(caller: Caller) -> QuerySet[Scope] | None:
    """Return the scopes that a caller may audit, or None for every scope, including deleted ones.

    Raise PermissionDenied if there is none.
    """
    grants = AppGrant.objects.filter(app=caller.app)
    scopes = scopes_with("audit", grants, caller.token)
    if not scopes:
        raise PermissionDenied(user=caller.user)
    keys = [scope for scope in scopes if scope is not None]
    return Scope.objects.filter(pk__in=keys) if len(keys) == len(scopes) else None


def auditable_reads(caller: Caller) -> QuerySet[LogRead]:
    """Return the log reads of the scopes that a caller may audit.

    Raise PermissionDenied if there is none.
    """
    scopes = auditable_scopes(caller)
    if scopes is None:
        return LogRead.objects.all()
    place = Scope.objects.filter(scope_type=OuterRef("scope_type"), scope_id=OuterRef("scope_id"))
    return LogRead.objects.filter(Exists(place.filter(pk__in=scopes.values("pk"))))
