"""Packs whose bytes lie in objects: read from there, moved there, deleted.

The row of such a pack says where in an object its bytes are; its own data is empty.
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
    """Where the bytes of a pack lie: in an object, from a byte on; what they are compared with."""

    object: int
    start: int
    size: int
    checksum: int


class StoredBytes(NamedTuple):
    """A pack that is in the database, by its key, and how many bytes its stored form has."""

    key: PackKey
    size: int


class Moved(NamedTuple):
    """A pack of an object: its key and place."""

    key: PackKey
    place: ObjectPlace


def read(places: Mapping[PackKey, ObjectPlace], *, cached: bool = True) -> dict[PackKey, bytes]:
    """The stored bytes of packs that lie in objects. Raises ObjectUnreachable."""
    numbers = {place.object for place in places.values()}
    keys = dict(StoredObject.objects.filter(id__in=numbers).values_list("id", "key"))
    parts: dict[PackKey, object_store.Part] = {}
    for pack, (number, start, size, checksum) in places.items():
        if number not in keys:  # it was written anew since the pack's row was read
            raise object_store.ObjectUnreachable(object_store.Fault.MISSING, f"object {number}")
        parts[pack] = object_store.Part(keys[number], start, size, checksum)
    found = object_store.read(parts.values(), cached=cached)
    return {pack: found[part] for pack, part in parts.items()}


def keys_of_packs(day: datetime.date, packs: Collection[PackKey]) -> dict[PackKey, str]:
    """Of those of these packs that lie in objects the key of the object."""
    found: dict[PackKey, int] = {}
    for step in {pack.step for pack in packs}:
        numbers = [pack.number for pack in packs if pack.step == step]
        rows = LogPack.objects.filter(database.InArray("number", numbers), day=day, step_id=step)
        for number, one in rows.exclude(object_id=None).values_list("number", "object_id"):
            found[PackKey(step, number)] = one or 0
    keys = dict(StoredObject.objects.filter(id__in=set(found.values())).values_list("id", "key"))
    return {pack: keys.get(one, "") for pack, one in found.items()}


def check(day: datetime.date, packs: Collection[PackKey], *, most: int) -> None:
    """Look whether the objects that hold these packs are there, `most` of them; reads none.

    Raises ObjectUnreachable.
    """
    keys = sorted(set(keys_of_packs(day, packs).values()))[:most]
    sizes = StoredObject.objects.filter(key__in=keys).values_list("key", "size")
    for key, size in list(sizes):
        object_store.client().check(key, size)


def release(places: Iterable[tuple[int | None, int | None]], *, at_once: bool) -> None:
    """The bytes of packs that lie here are no longer pointed to: object, if any, and size of each.

    Part of the caller's transaction, in which the packs are deleted or get their bytes back.
    """
    sizes: Counter[int] = Counter()
    for number, size in places:
        if number is not None:
            sizes[number] += size or 0
    if sizes:
        object_store.release(sizes, at_once=at_once)


def recount(day: datetime.date) -> None:
    """Release what the packs of a day do not point to any more, after others took rows of it.

    Part of the caller's transaction, which holds the lock of the whole day.
    """
    object_store.recount(day, held_bytes(day))


def held_bytes(day: datetime.date) -> dict[int, int]:
    """Bytes that the packs of a day point to, by object."""
    held: Counter[int] = Counter()
    moved = LogPack.objects.filter(day=day).exclude(object_id=None).order_by()
    for number, size in moved.values_list("object_id", "object_size").iterator():
        held[number or 0] += size or 0
    return held


def days_in_database(before: datetime.date) -> Iterator[datetime.date]:
    """The days before this one of which packs are in the database, ascending."""
    return distinct_days(LogPack.objects.filter(object_id=None, day__lt=before))


def days_in_objects() -> Iterator[datetime.date]:
    """The days of which packs lie in objects, ascending."""
    return distinct_days(LogPack.objects.exclude(object_id=None))


def in_database(day: datetime.date) -> Iterator[list[StoredBytes]]:
    """The packs of a day that are in the database, some at a time, by ascending keys."""
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
    """The stored bytes of those of these packs that are in the database."""
    found: dict[PackKey, bytes] = {}
    for step in dict.fromkeys(key.step for key in keys):
        numbers = [key.number for key in keys if key.step == step]
        rows = LogPack.objects.filter(day=day, step_id=step, number__in=numbers, object_id=None)
        for number, data in rows.order_by("number").values_list("number", "data"):
            found[PackKey(step, number)] = bytes(data)
    return found


def packs_of(one: StoredObject) -> list[Moved]:
    """The packs that lie in an object."""
    rows = LogPack.objects.filter(day=one.day, object_id=one.pk).order_by("step_id", "number")
    columns = rows.values_list("step_id", "number", *_PLACE)
    return [Moved(PackKey(step, n), ObjectPlace(*place)) for step, n, *place in columns]


def point(
    day: datetime.date, data: Mapping[PackKey, bytes], places: Mapping[PackKey, ObjectPlace]
) -> bool:
    """Let packs lie in an object, whose bytes are still what was written there: whether all do.

    Part of the caller's transaction, which is undone if not: one of them was changed meanwhile.
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
    """Let packs of an object lie in another one: whether all of them still lay where they did.

    Part of the caller's transaction, which is undone if not.
    """
    for key in sorted(places):
        rows = LogPack.objects.filter(day=day, step_id=key.step, number=key.number)
        if not rows.filter(**_columns(before[key])).update(**_columns(places[key])):
            return False
    return True


def _columns(place: ObjectPlace) -> dict[str, int]:
    return dict(zip(_PLACE, place, strict=True))
