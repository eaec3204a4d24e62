"""Tables of the existing objects and of the objects to delete.

Code that deletes rows that point to an object reports it here, in the same transaction. The object
itself is deleted later, so a transaction that is rolled back has deleted nothing.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Collection, Iterator, Mapping

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from joblogs.models import ObjectToDelete, StoredObject, StoreId

DAY_MS = 24 * 3600 * 1000
ABANDONED_MS = 3600 * 1000
"""Time after which a request of a writer that was killed can no longer arrive."""
KEYS_AT_ONCE = 500


def intend(*, day: datetime.date, scope: int, data: bytes) -> StoredObject:
    """Create the row of an object before its first byte is sent."""
    return StoredObject.objects.create(
        key=_folder(day, scope) + secrets.token_hex(16),
        day=day,
        scope_id=scope,
        size=len(data),
        held_size=len(data),
        sha256=hashlib.sha256(data).digest(),
        created_at=_now(),
    )


def settle(written: StoredObject) -> bool:
    """Mark an object as written, in the transaction in which packs begin to point to it.

    Return False if it was given up meanwhile: then nothing may point to it.
    """
    intents = StoredObject.objects.intents().filter(pk=written.pk)
    return bool(intents.update(state=StoredObject.State.WRITTEN))


def give_up(unsettled: StoredObject, *, has_arrived: bool = False) -> None:
    """Schedule the deletion of an object that nothing will point to: now and, unless it
    `has_arrived`, again when it can no longer arrive.

    Does nothing if another process has settled it or given it up meanwhile.
    """
    now = _now()
    again_at = 0 if has_arrived else now + ABANDONED_MS
    with transaction.atomic():
        intents = StoredObject.objects.intents().select_for_update().filter(pk=unsettled.pk)
        _retire(list(intents), due_at=now, again_at=again_at)


def release(sizes: Mapping[int, int], *, at_once: bool) -> None:
    """Release bytes of objects that nothing points to any more; `sizes` has them by object.

    Part of the caller's transaction. An object with nothing left is scheduled for deletion: after
    OBJECT_GRACE_DAYS, or now if any of it was redacted or removed (`at_once`), together with the
    objects that may have copies of it. What is left of any other object is rewritten by
    `maintain_logs`, and by redactions and removals.
    """
    places = set(StoredObject.objects.filter(id__in=sizes).values_list("day", "scope_id"))
    for pk in sorted(sizes):  # the same order in all transactions, to avoid deadlocks
        StoredObject.objects.take(pk, sizes[pk], at_once=at_once)
    _retire_empty(sizes)
    if at_once:
        for day, scope in sorted(places):
            hasten(day, {scope})


def hasten(day: datetime.date, scopes: Collection[int]) -> None:
    """Schedule a day's objects that wait for the end of their grace period for deletion now, since
    they may have an earlier copy of redacted or removed text. Part of the caller's transaction."""
    now = _now()
    # Not those that were given up, which are deleted a second time.
    waiting = ObjectToDelete.objects.filter(due_at__gt=now, again_at=0)
    if waiting.exists():
        for scope in sorted(scopes):
            waiting.filter(key__startswith=_folder(day, scope)).update(due_at=now)


def recount(day: datetime.date, held: Mapping[int, int]) -> None:
    """Set the bytes that are left of a day's objects: `held` has them by object, 0 if missing.

    Part of the caller's transaction, which holds the lock of the whole day.
    """
    for one in StoredObject.objects.written().filter(day=day).order_by("pk"):
        if held.get(one.pk, 0) < one.held_size:
            StoredObject.objects.take(one.pk, one.held_size - held.get(one.pk, 0), at_once=False)
            _retire_empty([one.pk])


def due_deletions() -> Iterator[ObjectToDelete]:
    """Yield the objects that are due for deletion, in the order in which they became due."""
    after = (-1, 0)
    rows = ObjectToDelete.objects.filter(due_at__lte=_now()).order_by("due_at", "pk")
    while True:
        due_at, pk = after
        later = rows.filter(due_at__gte=due_at).exclude(due_at=due_at, pk__lte=pk)
        page = list(later[:KEYS_AT_ONCE])
        yield from page
        if len(page) < KEYS_AT_ONCE:
            return
        after = (page[-1].due_at, page[-1].pk)


def forget_deletion(row: ObjectToDelete) -> None:
    """Remove the row of a deleted object, or postpone it if it has to be deleted a second time."""
    own = ObjectToDelete.objects.filter(pk=row.pk)
    if row.again_at > _now():
        own.update(due_at=row.again_at)
    else:
        own.delete()


def unknown(keys: Collection[str]) -> set[str]:
    """Return the keys that are in no row."""
    known = set(StoredObject.objects.filter(key__in=keys).values_list("key", flat=True))
    known |= set(ObjectToDelete.objects.filter(key__in=keys).values_list("key", flat=True))
    return set(keys) - known


def _retire_empty(objects: Collection[int]) -> None:
    empty = StoredObject.objects.written().filter(id__in=objects, held_size=0)
    now, grace = _now(), settings.OBJECT_GRACE_DAYS * DAY_MS
    for one in empty.order_by("pk"):
        _retire([one], due_at=now if one.at_once else now + grace)


def _retire(objects: Collection[StoredObject], *, due_at: int, again_at: int = 0) -> None:
    rows = [
        ObjectToDelete(key=one.key, size=one.size, due_at=due_at, again_at=again_at)
        for one in objects
    ]
    ObjectToDelete.objects.bulk_create(rows)
    StoredObject.objects.filter(id__in=[one.pk for one in objects]).delete()


def _folder(day: datetime.date, scope: int) -> str:
    """Return the prefix of the keys of a scope's objects of a day."""
    return f"{StoreId.of_this_store()}/{day:%Y%m%d}/{scope}/"


def _now() -> int:
    return int(timezone.now().timestamp() * 1000)
