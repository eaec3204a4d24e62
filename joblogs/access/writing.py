"""What an app, or a management command, may write."""

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
    """Scopes that the sender of a stream of records may write."""

    every_scope: bool
    scope_ids: frozenset[int] = frozenset()
    app: int | None = None
    """The key of the app that writes; None for management commands, which may read everything."""
    reads_every_scope: bool = False
    readable_ids: frozenset[int] = frozenset()

    def blind_app(self, scope_id: int) -> int | None:
        """Return the app's key if it may not read a scope that it writes, else None."""
        if self.reads_every_scope or scope_id in self.readable_ids:
            return None
        return self.app

    def jobs(self) -> QuerySet[JobInstance]:
        """Return the jobs that the sender may write."""
        jobs = JobInstance.objects.all()
        return jobs if self.every_scope else jobs.filter(scope__in=self.scope_ids)

    def jobs_numbered(self, numbers: Collection[int]) -> list[JobInstance]:
        """Return the writable jobs with these numbers, and their scopes, in one query."""
        if self.every_scope:
            return _jobs_numbered(numbers=numbers)
        return _jobs_numbered_in(numbers=numbers, scopes=self.scope_ids)

    def covers(self, scope: Scope | None) -> bool:
        """Return whether the sender may write a scope; None is a scope that does not exist yet."""
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
"""The writer of management commands."""


def writer_for(caller: Caller) -> Writer:
    """Return the scopes that an app may write. Raise PermissionDenied if there is none."""
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
    """Return the keys of the scopes where both the grants and the token give a right.

    None among the keys stands for every scope.
    """
    granted = {grant.scope_id for grant in grants if getattr(grant, right)}
    if token is None or (getattr(token, right) and token.scope_id is None):
        return granted
    allowed = getattr(token, right) and not granted.isdisjoint({None, token.scope_id})
    return {token.scope_id} if allowed else set()


def writable_jobs(writer: Writer, *, scope_type: str, scope_id: str) -> QuerySet[JobInstance]:
    """Return the jobs of a scope if the writer may write it, else none."""
    if cannot_be(scope_id):
        return JobInstance.objects.none()
    return writer.jobs().filter(scope__scope_type=scope_type, scope__scope_id=scope_id)
