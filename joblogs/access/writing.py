"""What a stream of records may write, and whoever runs commands."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import BigIntegerField, QuerySet

from joblogs.database import ArrayParam, CompiledQuery, InArray, Param
from joblogs.errors import PermissionDenied
from joblogs.models import AppGrant, AppToken, JobInstance, Scope

from .reading import Caller, cannot_be


@dataclass(frozen=True, slots=True)
class Writer:
    """The scopes that a stream of records may write."""

    every_scope: bool
    scope_ids: frozenset[int] = frozenset()
    app: int | None = None
    """The app that writes, None for whoever runs commands, who may read all."""
    reads_every_scope: bool = False
    readable_ids: frozenset[int] = frozenset()

    def blind_app(self, scope_id: int) -> int | None:
        """The app, if it may not read what it writes in a scope."""
        if self.reads_every_scope or scope_id in self.readable_ids:
            return None
        return self.app

    def jobs(self) -> QuerySet[JobInstance]:
        """The jobs whose records it may write."""
        jobs = JobInstance.objects.all()
        return jobs if self.every_scope else jobs.filter(scope__in=self.scope_ids)

    def jobs_numbered(self, numbers: Collection[int]) -> list[JobInstance]:
        """Those of these numbers, with their scopes: one query per batch of records."""
        if self.every_scope:
            return _jobs_numbered(numbers=numbers)
        return _jobs_numbered_in(numbers=numbers, scopes=self.scope_ids)

    def covers(self, scope: Scope | None) -> bool:
        """Whether it may write a scope; None is one that does not exist yet."""
        return self.every_scope or (scope is not None and scope.pk in self.scope_ids)


def _numbered() -> QuerySet[JobInstance]:
    numbers = ArrayParam("numbers", BigIntegerField())
    jobs = JobInstance.objects.filter(InArray("job_instance_id", numbers))
    return jobs.select_related("scope")


_jobs_numbered = CompiledQuery(_numbered)


@CompiledQuery
def _jobs_numbered_in() -> QuerySet[JobInstance]:
    return _numbered().filter(InArray("scope", ArrayParam("scopes", BigIntegerField())))


@CompiledQuery
def _grants_of() -> QuerySet[AppGrant]:
    return AppGrant.objects.filter(app=Param("app", BigIntegerField()))


OPERATOR = Writer(every_scope=True)
"""Whoever runs management commands on this machine."""


def writer_for(caller: Caller) -> Writer:
    """What an app may write. Raises PermissionDenied if that is nothing."""
    grants = _grants_of(app=caller.app.pk)
    written, read = (scopes_with(right, grants, caller.token) for right in ("write", "read"))
    if not written:
        raise PermissionDenied(user=caller.user)
    return Writer(
        every_scope=None in written,
        scope_ids=frozenset(scope for scope in written if scope is not None),
        app=caller.app.pk,
        reads_every_scope=None in read,
        readable_ids=frozenset(scope for scope in read if scope is not None),
    )


def scopes_with(right: str, grants: Iterable[AppGrant], token: AppToken | None) -> set[int | None]:
    """The keys of the scopes where grants and a token both give a right; None is every scope."""
    granted = {grant.scope_id for grant in grants if getattr(grant, right)}
    if token is None or (getattr(token, right) and token.scope_id is None):
        return granted
    allowed = getattr(token, right) and not granted.isdisjoint({None, token.scope_id})
    return {token.scope_id} if allowed else set()


def writable_jobs(writer: Writer, *, scope_type: str, scope_id: str) -> QuerySet[JobInstance]:
    """The jobs of a scope that a writer may write; of a scope that it may not, none."""
    if cannot_be(scope_id):
        return JobInstance.objects.none()
    return writer.jobs().filter(scope__scope_type=scope_type, scope__scope_id=scope_id)
