"""Access rules: QuerySets of what a caller may read or write. Every read starts from one of them.

Rights belong to the app; commands are run by whoever runs the machine and may do all.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    When,
)

from joblogs import database
from joblogs.database import ArrayParam, InArray, Param
from joblogs.errors import JobNotFound, PermissionDenied, ScopeNotFound
from joblogs.models import App, AppGrant, AppToken, JobInstance, Scope, StepInstance


@dataclass(frozen=True, slots=True)
class Caller:
    """An app that proved who it is, and the user that it speaks for.

    The user is only recorded: nobody here can verify a name, so rights never come from it. With a
    token the rights are those that app and token both have.
    """

    app: App
    user: str
    user_verified: bool = False
    token: AppToken | None = None
    is_authenticated: ClassVar = True  # DRF's IsAuthenticated asks

    def token_allows(self, right: str, scope: int | None) -> bool:
        """Whether a token, if there is one, has a right in the scope of this key."""
        token = self.token
        if token is None:
            return True
        return getattr(token, right) and token.scope_id in (None, scope)


def _cannot_be(scope_id: str) -> bool:
    """Whether no scope can have this id; PostgreSQL refuses such text in a query."""
    return "\0" in scope_id or any("\ud800" <= character <= "\udfff" for character in scope_id)


def readable_scope(caller: Caller, *, scope_type: str, scope_id: str) -> Scope:
    """The scope that a caller may read. Raises ScopeNotFound, else PermissionDenied."""
    if _cannot_be(scope_id):
        raise ScopeNotFound
    scopes = _scope_for_app(app=caller.app.pk, scope_type=scope_type, scope_id=scope_id)
    if not scopes:
        raise ScopeNotFound
    (scope,) = scopes
    if not (scope.granted and caller.token_allows("read", scope.pk)):  # type: ignore[attr-defined]
        raise PermissionDenied(
            user=caller.user,
            scope_type=scope.scope_type,
            scope_id=scope.scope_id,
            scope_name=scope.name,
        )
    return scope


@database.CompiledQuery
def _scope_for_app() -> QuerySet[Scope]:
    return Scope.objects.filter(
        scope_type=Param("scope_type", CharField()), scope_id=Param("scope_id", CharField())
    ).annotate(granted=_is_granted("pk"))


def _is_granted(scope: str) -> Exists:
    """Whether the app may read the scope whose key the outer query calls this."""
    grants = AppGrant.objects.filter(app_id=Param("app", BigIntegerField()), read=True)
    return Exists(grants.filter(Q(scope=OuterRef(scope)) | Q(scope__isnull=True)))


def app_of(code: str) -> App | None:
    """The app of this code, if there is one, active or not."""
    return next(iter(_app_of(code=code)), None)


@database.CompiledQuery
def _app_of() -> QuerySet[App]:
    return App.objects.filter(app_code=Param("code", CharField()))


def readable_step(
    caller: Caller,
    *,
    scope_type: str,
    scope_id: str,
    job_instance_id: int,
    step_instance_id: int,
) -> StepInstance:
    """A step of a scope that a caller may read. Raises as `readable_scope` does, else JobNotFound.

    One statement, where one database has rights and jobs; if it finds nothing, each is queried by
    itself, which tells what is missing.
    """
    numbers = {"job": job_instance_id, "step": step_instance_id}
    named = {"scope_type": scope_type, "scope_id": scope_id}
    if not database.is_reading_replica() and not _cannot_be(scope_id):
        for step in _readable_step(app=caller.app.pk, **named, **numbers):
            may_read = step.granted  # type: ignore[attr-defined]
            if may_read and caller.token_allows("read", step.job.scope_id):
                return step
    scope = readable_scope(caller, scope_type=scope_type, scope_id=scope_id)
    for step in _step_in(scope=scope.pk, **numbers):
        step.job.scope = scope
        return step
    raise JobNotFound


def _steps_numbered() -> QuerySet[StepInstance]:
    return StepInstance.objects.filter(
        job__job_instance_id=Param("job", BigIntegerField()),
        step_instance_id=Param("step", BigIntegerField()),
    )


def _step_in_scope() -> QuerySet[StepInstance]:
    steps = _steps_numbered().filter(
        job__scope__scope_type=Param("scope_type", CharField()),
        job__scope__scope_id=Param("scope_id", CharField()),
    )
    return steps.select_related("job__scope")


@database.CompiledQuery
def _readable_step() -> QuerySet[StepInstance]:
    return _step_in_scope().annotate(granted=_is_granted("job__scope"))


@database.CompiledQuery
def _step_in() -> QuerySet[StepInstance]:
    steps = _steps_numbered().filter(job__scope_id=Param("scope", BigIntegerField()))
    return steps.select_related("job")


def readable_scopes(caller: Caller) -> QuerySet[Scope]:
    """The scopes that a caller may read, by type and id."""
    granted = AppGrant.objects.filter(app=caller.app, read=True)
    mine = granted.filter(Q(scope=OuterRef("pk")) | Q(scope__isnull=True))
    scopes = Scope.objects.filter(Exists(mine)).order_by("scope_type", "scope_id")
    token = caller.token
    if token is not None and not token.read:
        return scopes.none()
    only = None if token is None else token.scope_id
    return scopes if only is None else scopes.filter(pk=only)


def jobs_in(scope: Scope) -> QuerySet[JobInstance]:
    """The jobs of a scope that `readable_scope` or `Writer.scope` handed out."""
    return JobInstance.objects.filter(scope=scope)


def visible_scopes(user: User) -> QuerySet[Scope]:
    """The scopes that a member of staff may browse: a superuser all, others their groups'."""
    if user.is_active and user.is_staff and user.is_superuser:
        return Scope.objects.all()
    return Scope.objects.filter(pk__in=visible_scope_ids(user))


def visible_scope_ids(user: User) -> list[int]:
    """Keys of the scopes of the groups of a member of staff, asked for once a request.

    By value they go into every question: a planner that sees another question there takes all
    scopes for equally large, and walks the jobs of the largest.
    """
    if not (user.is_active and user.is_staff):
        return []
    kept = user.__dict__  # as Django keeps what a user may do
    if "_visible_scope_ids" not in kept:
        scopes = Scope.objects.filter(groups__in=user.groups.all()).distinct()
        kept["_visible_scope_ids"] = list(scopes.values_list("pk", flat=True))
    ids: list[int] = kept["_visible_scope_ids"]
    return ids


def visible_jobs(user: User) -> QuerySet[JobInstance]:
    """The jobs that a member of staff may browse, their logs included."""
    jobs = JobInstance.objects.all()
    if user.is_active and user.is_staff and user.is_superuser:
        return jobs
    return jobs.filter(scope__in=visible_scope_ids(user))


def visible_jobs_in(user: User, *, scope_type: str, scope_id: str) -> QuerySet[JobInstance]:
    """Those of them that are in one scope: a job's number says which only within it."""
    if _cannot_be(scope_type + scope_id):
        return JobInstance.objects.none()
    jobs = visible_jobs(user)
    return jobs.filter(scope__scope_type=scope_type, scope__scope_id=scope_id)


def visible_step(
    user: User, *, scope_type: str, scope_id: str, job_instance_id: int, step_instance_id: int
) -> StepInstance:
    """A step of one of those jobs. Raises JobNotFound.

    What `query.find_step` finds among `visible_jobs_in`, at a fraction of its cost.
    """
    if not (user.is_active and user.is_staff) or _cannot_be(scope_type + scope_id):
        raise JobNotFound
    if max(job_instance_id, step_instance_id) > BigIntegerField.MAX_BIGINT:
        raise JobNotFound
    place = {
        "scope_type": scope_type,
        "scope_id": scope_id,
        "job": job_instance_id,
        "step": step_instance_id,
    }
    steps = _any_step(**place) if user.is_superuser else _step_of_groups(user=user.pk, **place)
    if not steps:
        raise JobNotFound
    (step,) = steps
    return step


_any_step = database.CompiledQuery(_step_in_scope)


@database.CompiledQuery
def _step_of_groups() -> QuerySet[StepInstance]:
    scopes = Scope.objects.filter(groups__user=Param("user", BigIntegerField()))
    return _step_in_scope().filter(job__scope__in=scopes)


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

    def jobs_numbered(self, numbers: Iterable[int]) -> list[JobInstance]:
        """Those of these numbers, with their scopes: one query per batch of records."""
        if self.every_scope:
            return _jobs_numbered(numbers=numbers)
        return _jobs_numbered_in(numbers=numbers, scopes=self.scope_ids)

    def covers(self, scope: Scope | None) -> bool:
        """Whether it may write a scope; None is one that does not exist yet."""
        return self.every_scope or (scope is not None and scope.pk in self.scope_ids)


def _numbered_jobs() -> QuerySet[JobInstance]:
    numbers = ArrayParam("numbers", BigIntegerField())
    return JobInstance.objects.filter(InArray("job_instance_id", numbers)).select_related("scope")


_jobs_numbered = database.CompiledQuery(_numbered_jobs)


@database.CompiledQuery
def _jobs_numbered_in() -> QuerySet[JobInstance]:
    return _numbered_jobs().filter(InArray("scope_id", ArrayParam("scopes", BigIntegerField())))


OPERATOR = Writer(every_scope=True)
"""Whoever runs management commands on this machine."""


def writer_for(caller: Caller) -> Writer:
    """What an app may write. Raises PermissionDenied if that is nothing."""
    grants = list(AppGrant.objects.filter(app=caller.app))
    written, read = (_scopes_with(right, grants, caller.token) for right in ("write", "read"))
    if not written:
        raise PermissionDenied(user=caller.user)
    return Writer(
        every_scope=None in written,
        scope_ids=frozenset(scope for scope in written if scope is not None),
        app=caller.app.pk,
        reads_every_scope=None in read,
        readable_ids=frozenset(scope for scope in read if scope is not None),
    )


def _scopes_with(right: str, grants: Iterable[AppGrant], token: AppToken | None) -> set[int | None]:
    """The keys of the scopes where grants and a token both give a right; None is every scope."""
    granted = {grant.scope_id for grant in grants if getattr(grant, right)}
    if token is None or (getattr(token, right) and token.scope_id is None):
        return granted
    allowed = getattr(token, right) and not granted.isdisjoint({None, token.scope_id})
    return {token.scope_id} if allowed else set()


def writable_jobs(writer: Writer, *, scope_type: str, scope_id: str) -> QuerySet[JobInstance]:
    """The jobs of a scope that a writer may write; of a scope that it may not, none."""
    if _cannot_be(scope_id):
        return JobInstance.objects.none()
    return writer.jobs().filter(scope__scope_type=scope_type, scope__scope_id=scope_id)


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
