"""Packs whose bytes are in objects: reading, moving and deleting them.

The row of such a pack has the place of its bytes in an object; its own data is empty.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from django.db.models import Q
from django.db.models.functions import Length

from joblogs import database, object_store
from joblogs.models import LogPack, StoredObject, distinct_days

from .spans import PackKey

PACKS_AT_ONCE = 1000
_PLACE = ("object_id", "object_start", "object_size", "object_checksum")
IN_DATABASE: dict[str, None] = dict.fromkeys(_PLACE)
"""Columns of a pack whose bytes are in its row."""


class ObjectPlace(NamedTuple):
    """Place of a pack's bytes in an object, with their checksum."""

    object: int
    start: int
    size: int
    checksum: int


class StoredBytes(NamedTuple):
    """Pack that is in the database: its key, and the size of its stored form in bytes."""

    key: PackKey
    size: int


class Moved(NamedTuple):
    """Pack that is in an object: its key and place."""

    key: PackKey
    place: ObjectPlace


def read(places: Mapping[PackKey, ObjectPlace], *, cached: bool = True) -> dict[PackKey, bytes]:
    """Return the stored bytes of packs in objects. Raises ObjectUnreachable."""
    numbers = {place.object for place in places.values()}
    keys = dict(StoredObject.objects.filter(id__in=numbers).values_list("id", "key"))
    parts: dict[PackKey, object_store.ObjectPart] = {}
    for pack, (number, start, size, checksum) in places.items():
        if number not in keys:  # the object was rewritten after the pack's row was read
            raise object_store.ObjectUnreachable(object_store.Fault.MISSING, f"object {number}")
        parts[pack] = object_store.ObjectPart(keys[number], start, size, checksum)
    found = object_store.read(parts.values(), cached=cached)
    return {pack: found[part] for pack, part in parts.items()}


def keys_of_packs(day: datetime.date, packs: Collection[PackKey]) -> dict[PackKey, str]:
    """Return the keys of the objects of those of these packs that are in objects; an empty key if
    the object has no row."""
    found: dict[PackKey, int] = {}
    for step in {pack.step for pack in packs}:
        numbers = [pack.number for pack in packs if pack.step == step]
        rows = LogPack.objects.filter(database.InArray("number", numbers), day=day, step_id=step)
        for number, one in rows.exclude(object_id=None).values_list("number", "object_id"):
            found[PackKey(step, number)] = one or 0
    keys = dict(StoredObject.objects.filter(id__in=set(found.values())).values_list("id", "key"))
    return {pack: keys.get(one, "") for pack, one in found.items()}


def check(day: datetime.date, packs: Collection[PackKey], *, most: int) -> None:
    """Check that the objects with these packs exist, at most `most` of them, without reading them.

    Raises ObjectUnreachable.
    """
    keys = sorted(set(keys_of_packs(day, packs).values()))[:most]
    sizes = StoredObject.objects.filter(key__in=keys).values_list("key", "size")
    for key, size in list(sizes):
        object_store.client().check(key, size)


def release(places: Iterable[tuple[int | None, int | None]], *, at_once: bool) -> None:
    """Release the bytes of packs, given by object (None: not in one) and size.

    Part of the caller's transaction, in which the packs are deleted or get their bytes back.
    """
    sizes: Counter[int] = Counter()
    for number, size in places:
        if number is not None:
            sizes[number] += size or 0
    if sizes:
        object_store.release(sizes, at_once=at_once)


def recount(day: datetime.date) -> None:
    """Release the bytes to which no pack of a day points any more, after packs were deleted.

    Part of the caller's transaction, which holds the lock of the whole day.
    """
    object_store.recount(day, held_bytes(day))


def held_bytes(day: datetime.date) -> dict[int, int]:
    """Return the bytes to which the packs of a day point, by object."""
    held: Counter[int] = Counter()
    moved = LogPack.objects.filter(day=day).exclude(object_id=None).order_by()
    for number, size in moved.values_list("object_id", "object_size").iterator():
        held[number or 0] += size or 0
    return held


def days_in_database(before: datetime.date) -> Iterator[datetime.date]:
    """Return the days before this one with packs in the database, ascending."""
    return distinct_days(LogPack.objects.filter(object_id=None, day__lt=before))


def days_in_objects() -> Iterator[datetime.date]:
    """Return the days with packs in objects, ascending."""
    return distinct_days(LogPack.objects.exclude(object_id=None))


def in_database(day: datetime.date) -> Iterator[list[StoredBytes]]:
    """Yield pages of a day's packs that are in the database, by ascending keys."""
    rows = LogPack.objects.filter(day=day, object_id=None).order_by("step_id", "number")
    columns = rows.values_list("step_id", "number", Length("data"))
    after = PackKey(-1, -1)
    while page := list(
        columns.filter(Q(step_id__gt=after.step) | Q(step_id=after.step, number__gt=after.number))[
            :PACKS_AT_ONCE
        ]
    ):
        yield [StoredBytes(PackKey(step, number), size) for step, number, size in page]
        after = PackKey(*page[-1][:2])


def stored_data(day: datetime.date, keys: Sequence[PackKey]) -> dict[PackKey, bytes]:
    """Return the stored bytes of those of these packs that are in the database."""
    found: dict[PackKey, bytes] = {}
    for step in dict.fromkeys(key.step for key in keys):
        numbers = [key.number for key in keys if key.step == step]
        rows = LogPack.objects.filter(day=day, step_id=step, number__in=numbers, object_id=None)
        for number, data in rows.order_by("number").values_list("number", "data"):
            found[PackKey(step, number)] = bytes(data)
    return found


def packs_of(one: StoredObject) -> list[Moved]:
    """Return the packs in an object."""
    rows = LogPack.objects.filter(day=one.day, object_id=one.pk).order_by("step_id", "number")
    columns = rows.values_list("step_id", "number", *_PLACE)
    return [Moved(PackKey(step, n), ObjectPlace(*place)) for step, n, *place in columns]


def point(
    day: datetime.date, data: Mapping[PackKey, bytes], places: Mapping[PackKey, ObjectPlace]
) -> bool:
    """Point packs, whose bytes must still be those written, to an object.

    Return False if a pack was changed meanwhile: then the caller has to roll back its transaction.
    """
    for key in sorted(places):
        rows = LogPack.objects.filter(day=day, step_id=key.step, number=key.number)
        here = rows.filter(object_id=None, data=data[key])
        if not here.update(data=b"", **_columns(places[key])):
            return False
    return True


def repoint(
    day: datetime.date,
    places: Mapping[PackKey, ObjectPlace],
    before: Mapping[PackKey, ObjectPlace],
) -> bool:
    """Point packs of an object to another one.

    Return False if a pack is no longer at its place in `before`: then the caller has to roll back
    its transaction.
    """
    for key in sorted(places):
        rows = LogPack.objects.filter(day=day, step_id=key.step, number=key.number)
        if not rows.filter(**_columns(before[key])).update(**_columns(places[key])):
            return False
    return True


def _columns(place: ObjectPlace) -> dict[str, int]:
    return dict(zip(_PLACE, place, strict=True))
