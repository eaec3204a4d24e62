"""Moving of old packs to object storage: many packs of one scope and day in an object.

Nothing is lost, wherever a run is killed: first the intent to write an object is committed, then
the object is written and read back, and then one transaction points to it, deletes the bytes from
the database and removes the intent. An intent that a killed run left is given up by the next run,
or by an earlier redaction or removal, and its object is deleted: at once, and again an hour later,
since it may arrive late.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from joblogs import database, object_store
from joblogs.logtext.store import objects
from joblogs.logtext.store.objects import ObjectPlace
from joblogs.logtext.store.spans import PackKey
from joblogs.models import ObjectToDelete, Scope, StepInstance, StoredObject

from .paging import by_key
from .runs import AlreadyRunning, CurrentRun, alone

logger = logging.getLogger(__name__)

OBJECT_BYTES = 16 * 1024 * 1024
"""Maximum bytes of an object: a million small steps make hundreds of objects."""

MOVING_SECONDS = 1800.0
"""Time limit of moving, so that other hourly maintenance does not wait; the next run continues."""

REFUSED_MAX = 3
"""Refused objects in a run after which the object store itself is considered unreachable."""


class Batch(NamedTuple):
    """Packs of a scope and day that are moved to one object."""

    day: datetime.date
    scope: int
    keys: list[PackKey]


class _Changed(Exception):
    """A pack was changed while it was being written to an object."""


def move_due(run: CurrentRun) -> None:
    """Move packs that are due, rewrite objects with deleted parts, and delete objects that are due.

    Raises ForeignStore or ObjectUnreachable.
    """
    report = run.report
    kept = object_store.cache()
    if kept is not None and not run.dry_run:
        kept.sweep()  # the cache of a process that only reads sweeps itself
    if settings.OBJECT_STORE_URL is None:
        if not _is_all_deleted():
            logger.warning("objects are to be deleted, and OBJECT_STORE_URL is not set")
        return
    deletions = itertools.islice(object_store.due_deletions(), run.limit)
    batches = itertools.islice(due(run.today), run.limit)
    if run.dry_run:
        report.packs_moved = sum(len(batch.keys) for batch in batches)
        report.objects_deleted = sum(1 for _ in deletions)
        return
    object_store.claim(object_store.client())
    give_up_intents()
    # Redacted and removed text first.
    written, damaged = _write_all_anew(itertools.islice(due_anew(), run.limit))
    report.objects_written += written
    for row in deletions:
        delete(row)
        report.objects_deleted += 1
    ends = time.monotonic() + MOVING_SECONDS
    for batch in batches:
        if time.monotonic() > ends:
            report.days_to_move = sum(1 for _ in _days(_before(run.today)))
            break
        moved = move(batch)
        report.objects_written += bool(moved)
        report.packs_moved += len(batch.keys) if moved else 0
    if damaged is not None:
        raise damaged


def due(today: datetime.date) -> Iterator[Batch]:
    """Yield the packs that are old enough and not held, in batches for one object each."""
    before = _before(today)
    for day in _days(before):
        yield from _batches(day, {scope for scope, first in before.items() if day < first})


def _days(before: dict[int, datetime.date]) -> Iterator[datetime.date]:
    """Return the days whose packs may be due."""
    return objects.days_in_database(max(before.values())) if before else iter(())


def _before(today: datetime.date) -> dict[int, datetime.date]:
    """Return by scope the day before which packs are moved; scopes that never move are left out."""
    days = Scope.objects.values_list("pk", "object_days")
    chosen = ((scope, settings.OBJECT_STORE_DAYS if own is None else own) for scope, own in days)
    return {
        scope: today - datetime.timedelta(days=min(days, (today - datetime.date.min).days))
        for scope, days in chosen
        if days
    }


def _batches(day: datetime.date, scopes: set[int]) -> Iterator[Batch]:
    """Yield the packs of a day in the database, without those of held jobs, in batches of at most
    OBJECT_BYTES."""
    batches: dict[int, Batch] = {}
    sizes: Counter[int] = Counter()
    for page in objects.in_database(day):
        steps = StepInstance.objects.filter(
            id__in={pack.key.step for pack in page},
            job__scope__in=scopes,
            job__held_at=None,
            job__expired_at=None,
        )
        scope_of = dict(steps.values_list("pk", "job__scope_id"))
        for key, size in page:
            if key.step not in scope_of:
                continue
            scope = scope_of[key.step]
            if scope in batches and sizes[scope] + size > OBJECT_BYTES:
                yield batches.pop(scope)
                sizes[scope] = 0
            batches.setdefault(scope, Batch(day, scope, [])).keys.append(key)
            sizes[scope] += size
    yield from batches.values()


def move(batch: Batch) -> int:
    """Move packs to an object; return the number of bytes, 0 if a pack was changed meanwhile.

    The object store must have been claimed. Raises ForeignStore or ObjectUnreachable.
    """
    data = objects.stored_data(batch.day, batch.keys)
    if not data:
        return 0

    def point(places: dict[PackKey, ObjectPlace]) -> bool:
        return objects.point(batch.day, data, places)

    return _write(batch.day, batch.scope, data, point)


def due_anew() -> Iterator[StoredObject]:
    """Yield the objects with deleted parts, those with redacted or removed text first."""
    rows = StoredObject.objects.with_dead_bytes()
    yield from by_key(rows.filter(at_once=True))
    yield from by_key(rows.filter(at_once=False))


def _write_all_anew(
    objects: Iterable[StoredObject],
) -> tuple[int, object_store.ObjectUnreachable | None]:
    """Rewrite objects; return how many, and the error of a damaged one if there is any.

    A damaged object is skipped. Raises ObjectUnreachable if the object store does not answer, or
    refuses more than REFUSED_MAX objects.
    """
    written, refused, damaged = 0, 0, None
    for one in objects:
        try:
            written += bool(write_anew(one))
        except object_store.ObjectUnreachable as error:
            # A range beyond the end of a truncated object is refused, too.
            refused += error.fault is object_store.Fault.UNREACHABLE
            if refused > REFUSED_MAX:
                raise
            object_store.claim(object_store.client())
            logger.warning("object %s: %s; verify_logs tells more", one.pk, error.fault)
            damaged = error
    return written, damaged


def write_anew(one: StoredObject) -> int:
    """Move what is left of an object to a new one, and delete it; return the bytes moved.

    0 if nothing is left or a pack was changed meanwhile. Raises ForeignStore or ObjectUnreachable.
    """
    packs = dict(objects.packs_of(one))
    if not packs:
        with transaction.atomic():
            object_store.release({one.pk: one.size}, at_once=False)
        return 0
    data = objects.read(packs, cached=False)

    def point(places: dict[PackKey, ObjectPlace]) -> bool:
        if not objects.repoint(one.day, places, packs):
            return False
        object_store.release({one.pk: sum(map(len, data.values()))}, at_once=False)
        return True

    return _write(one.day, one.scope_id, data, point)


def _write(
    day: datetime.date,
    scope: int,
    data: dict[PackKey, bytes],
    point: Callable[[dict[PackKey, ObjectPlace]], bool],
) -> int:
    object_store.confirm(object_store.client())
    whole = b"".join(data.values())
    intent = object_store.intend(day=day, scope=scope, data=whole)
    places, start = {}, 0
    for key, part in data.items():
        places[key] = ObjectPlace(intent.pk, start, len(part), object_store.checksum(part))
        start += len(part)

    def settle() -> None:
        with transaction.atomic():
            if not object_store.settle(intent) or not point(places):
                raise _Changed

    try:
        object_store.client().put(intent.key, whole)
        database.retrying(settle)
    except _Changed:
        object_store.give_up(intent, has_arrived=True)
        # It may contain text that was redacted meanwhile.
        for row in ObjectToDelete.objects.filter(key=intent.key):
            delete(row)
        return 0
    except object_store.ObjectUnreachable:
        object_store.give_up(intent)
        raise
    return len(whole)


def delete_at_once(days: Collection[datetime.date]) -> bool:
    """Delete redacted and removed text of these days from objects now.

    Return False if some of it is left to the next run of maintenance, for example because the
    object store does not answer.
    """
    abandoned = StoredObject.objects.intents().filter(day__in=days)
    if _is_all_deleted() and not abandoned.exists():
        return True
    # Also if the object store is not there to delete them.
    object_store.forget_cached(one.key for one in by_key(_with_removed_text()))
    object_store.forget_cached(row.key for row in object_store.due_deletions())
    try:
        object_store.claim(object_store.client())
        if abandoned.exists():
            _give_up_abandoned()
        _write_all_anew(by_key(_with_removed_text()))
        for row in object_store.due_deletions():
            delete(row)
    except (object_store.ObjectUnreachable, object_store.ForeignStore) as error:
        logger.warning("objects are deleted by the next maintain_logs: %s", error)
        return False
    # An object may be left whose packs another process changed meanwhile, or that is damaged.
    return not _with_removed_text().exists()


def _with_removed_text() -> QuerySet[StoredObject]:
    """Return the objects with redacted or removed text."""
    return StoredObject.objects.with_dead_bytes().filter(at_once=True)


def _is_all_deleted() -> bool:
    """Return whether no redacted or removed text is left in objects, and no deletion is due."""
    return not _with_removed_text().exists() and next(object_store.due_deletions(), None) is None


def _give_up_abandoned() -> None:
    """Give up the intents of killed runs, whose objects may have text that was redacted or removed
    since. A live run detects that itself."""
    with contextlib.suppress(AlreadyRunning), alone():
        give_up_intents()


def give_up_intents() -> None:
    """Give up the intents of killed runs. To be called while no other run is active."""
    for intent in by_key(StoredObject.objects.intents()):
        object_store.give_up(intent)


def delete(row: ObjectToDelete) -> None:
    """Delete an object that is due for deletion. Raises ForeignStore or ObjectUnreachable."""
    object_store.confirm(object_store.client())
    object_store.client().delete(row.key)
    object_store.forget_cached([row.key])
    object_store.forget_deletion(row)
