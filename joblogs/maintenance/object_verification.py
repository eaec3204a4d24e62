"""Verification of objects: each is read and compared with its row, and the rows with one another.

Nothing is changed or deleted, not even objects without a row.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from joblogs import object_store
from joblogs.logtext.store import objects
from joblogs.models import StoredObject, StoreId

from .paging import by_key
from .verification import Verified

KEYS_AT_ONCE = 1000


class ObjectDamage(StrEnum):
    """Kind of damage of an object, and its message."""

    MISSING = "an object is missing"
    TORN = "an object is not what was written"
    UNREACHABLE = "an object cannot be read now"
    COUNT = "packs point to another part of an object than its row says"
    UNKNOWN = "packs point to an object that no row names"


_DAMAGE = {
    object_store.Fault.MISSING: ObjectDamage.MISSING,
    object_store.Fault.TORN: ObjectDamage.TORN,
    object_store.Fault.UNREACHABLE: ObjectDamage.UNREACHABLE,
}


def verify_objects(
    verified: Verified,
    since: datetime.date | None,
    until: datetime.date | None,
    *,
    progress: Callable[[int], object] = lambda size: None,
) -> None:
    """Verify the objects of these days; `progress` is called with the bytes read."""
    written = StoredObject.objects.written()
    days = set(written.order_by().values_list("day", flat=True)) | set(objects.days_in_objects())
    for day in sorted(days):
        if (since is None or day >= since) and (until is None or day <= until):
            _verify_day(verified, day, progress)


def _verify_day(verified: Verified, day: datetime.date, progress: Callable[[int], object]) -> None:
    held = objects.held_bytes(day)
    for one in by_key(StoredObject.objects.written().filter(day=day)):
        found = _damage(one)
        if held.pop(one.pk, 0) != one.held_size and _is_miscounted(one):
            found.append(ObjectDamage.COUNT)
        verified.count(one.pk, found)
        verified.objects += 1
        progress(one.size)
    for pk in sorted(held):
        if pk in objects.held_bytes(day) and not StoredObject.objects.filter(pk=pk).exists():
            verified.count(pk, [ObjectDamage.UNKNOWN])


def _damage(one: StoredObject) -> list[ObjectDamage]:
    """Return the damage of an object; none if it was deleted meanwhile."""
    try:
        data = object_store.client().get(one.key)
        fault = None
    except object_store.ObjectUnreachable as error:
        fault = error.fault
    else:
        if hashlib.sha256(data).digest() != bytes(one.sha256):
            fault = object_store.Fault.TORN
    if fault is None or not StoredObject.objects.filter(pk=one.pk).exists():
        return []
    return [_DAMAGE[fault]]


def _is_miscounted(one: StoredObject) -> bool:
    """Return whether an object's row has the wrong size, queried again since rows may change."""
    now = StoredObject.objects.filter(pk=one.pk).first()
    return now is not None and now.held_size != objects.held_bytes(one.day).get(one.pk, 0)


@dataclass(slots=True)
class Listing:
    """Listing of this store's objects on the object store, compared with the rows."""

    objects: int = 0
    size: int = 0
    unknown: list[str] = field(default_factory=list)
    """Keys of objects without a row."""
    missing: list[str] = field(default_factory=list)
    """Keys of rows without an object."""
    torn: list[str] = field(default_factory=list)
    """Keys of objects with another size than in their rows."""


def list_objects() -> Listing:
    """Compare the objects that the object store lists with the rows. Raises ObjectUnreachable."""
    listing, seen = Listing(), set()
    keys = object_store.client().keys(f"{StoreId.of_this_store()}/")
    while page := dict(itertools.islice(keys, KEYS_AT_ONCE)):
        rows = StoredObject.objects.written().filter(key__in=page)
        for key, size in rows.values_list("key", "size"):
            seen.add(key)
            if page[key] != size:
                listing.torn.append(key)
        listing.unknown += sorted(object_store.unknown(page))
        listing.objects += len(page)
        listing.size += sum(page.values())
    for one in by_key(StoredObject.objects.written()):
        # Looked up by its key: it may have been written after its page was listed.
        if one.key not in seen and object_store.client().find(one.key) is None:
            listing.missing.append(one.key)
    return listing
