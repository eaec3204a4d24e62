"""Stored packs: the only code, together with `objects`, that reads or writes LogPack.

A number is used for only one pack of a step, ever. So an existing pack is the one that a row names,
and a missing pack was rewritten: its logs' rows have their current places.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Sum

from joblogs import database
from joblogs.models import LogPack, distinct_days, distinct_values
from joblogs.object_store import ObjectUnreachable

from .. import codec
from ..pieces import CHUNK_MAX_BYTES, Hole
from . import objects
from .objects import ObjectPlace
from .spans import PackKey, PackPlace, Span

PARTITIONS = database.Partitions(LogPack)
"""Day partitions of the packs, if there are any."""

LOOKS = 2
"""Number of times that a pack is located again before its object counts as unreachable."""

ROWS_AT_ONCE = 16
STEPS_AT_ONCE = 400
"""Maximum steps whose packs one statement fetches."""

_FIELDS = ("day", "step_id", "number", "size", "newlines", "codec", "data")
_SIZES = "size", "newlines"
_TABLE = LogPack._meta.db_table  # ours; everything else in a statement is a parameter
_OF_STEP = (
    "SELECT step_id, number, codec, data, "  # noqa: S608
    "object_id, object_start, object_size, object_checksum "
    f'FROM "{_TABLE}" '
    "WHERE day = %s AND step_id = %s AND number "
)

MARKS = (
    # In 64 bits: a log may have more than 2,047 packs.
    f'SELECT (number - %s) * CAST({CHUNK_MAX_BYTES} AS bigint) AS "offset", size, newlines '  # noqa: S608
    f'FROM "{_TABLE}" WHERE day = %s AND step_id = %s AND number >= %s AND number <= %s'
)
"""Statement for offset, size and newlines of a log's own packs (`mark_parameters`)."""


class StoredPack(NamedTuple):
    """Codec and stored bytes of a pack."""

    codec: int
    data: bytes


class Pack(NamedTuple):
    """Pack to be written: its step, number and text."""

    step: int
    number: int
    text: bytes


def keys_of(span: Span) -> list[PackKey]:
    """Return the keys of a span's packs in order."""
    step, number, start = span.place or PackPlace(0, 0, 0)
    first, last = (
        (start + span.start) // CHUNK_MAX_BYTES,
        (start + span.stop - 1) // CHUNK_MAX_BYTES,
    )
    return [PackKey(step, number + index) for index in range(first, last + 1)]


def mark_parameters(day: datetime.date, span: Span) -> list[Any]:
    """Return the parameters of MARKS for all packs of a span's log."""
    first, *_ = keys = keys_of(span._replace(start=0, stop=span.size or span.stop))
    return [first.number, day, first.step, first.number, keys[-1].number]


def stored_packs(day: datetime.date, keys: Collection[PackKey]) -> dict[PackKey, StoredPack]:
    """Return those of these packs that exist, with their bytes from the database or from objects.

    One statement for every STEPS_AT_ONCE steps. Raises ObjectUnreachable.
    """
    found, moved = _found(day, keys)
    looks = 0
    while moved:
        try:
            data = objects.read({key: place for key, (_, place) in moved.items()})
        except ObjectUnreachable:
            # The object may have been rewritten, or the pack moved back to the database.
            here, others = _found(day, moved)
            if others == moved or looks == LOOKS:
                raise
            found, moved, looks = found | here, others, looks + 1
        else:
            return found | {key: StoredPack(moved[key][0], data[key]) for key in moved}
    return found


def _found(
    day: datetime.date, keys: Collection[PackKey]
) -> tuple[dict[PackKey, StoredPack], dict[PackKey, tuple[int, ObjectPlace]]]:
    """Return the packs whose bytes are in the database, and the codecs and places of the others."""
    found: dict[PackKey, StoredPack] = {}
    moved: dict[PackKey, tuple[int, ObjectPlace]] = {}
    steps = [(step, [key.number for key in own]) for step, own in groupby(sorted(keys), _step)]
    for start in range(0, len(steps), STEPS_AT_ONCE):
        parts, parameters = [], list[Any]()
        for step, numbers in steps[start : start + STEPS_AT_ONCE]:
            condition, values = database.any_of(numbers)
            parts.append(_OF_STEP + condition)
            parameters += [day, step, *values]
        rows = database.fetch(" UNION ALL ".join(parts), parameters)
        for step, number, kind, data, *place in rows:
            if place[0] is None:
                found[PackKey(step, number)] = StoredPack(kind, data)
            else:
                moved[PackKey(step, number)] = kind, ObjectPlace(*place)
    return found, moved


def _step(key: PackKey) -> int:
    return key.step


def insert(day: datetime.date, packs: Sequence[Pack]) -> None:
    """Store packs. A pack that already exists is an error."""
    database.insert_rows(LogPack, _FIELDS, _rows(day, packs))


def _rows(day: datetime.date, packs: Sequence[Pack]) -> Iterator[tuple[Any, ...]]:
    for step, number, text in packs:
        kind, stored = codec.encode(text, level=codec.PACKED_LEVEL)
        yield day, step, number, len(text), text.count(b"\n"), kind, stored


def insert_stored(day: datetime.date, step: int, rows: Iterable[PackRow]) -> None:
    """Store packs of a step that are already encoded. A pack that already exists is an error."""
    values = ((day, step, row.number, row.size, row.newlines, row.codec, row.data) for row in rows)
    database.insert_rows(LogPack, _FIELDS, values)


def rows_of_log(day: datetime.date, span: Span) -> Iterator[list[PackRow]]:
    """Yield a log's own packs, a few at a time, with their bytes from the database or objects.

    Raises Hole if one is missing, and ObjectUnreachable.
    """
    keys = keys_of(span)
    for start in range(0, len(keys), ROWS_AT_ONCE):
        some = keys[start : start + ROWS_AT_ONCE]
        stored = stored_packs(day, some)
        numbers = [key.number for key in some]
        rows = LogPack.objects.filter(day=day, step_id=some[0].step, number__in=numbers)
        sizes = {n: (size, lines) for n, size, lines in rows.values_list("number", *_SIZES)}
        if len(stored) < len(some) or len(sizes) < len(some):
            raise Hole(start * CHUNK_MAX_BYTES, None)
        yield [PackRow(key.number, *sizes[key.number], *stored[key], None) for key in some]


def delete(day: datetime.date, keys: Collection[PackKey]) -> None:
    """Delete packs of a day that were rewritten. Part of the caller's transaction.

    A log in them was changed, maybe masked, so they are deleted from objects without delay.
    """
    for step, own in groupby(sorted(keys), _step):
        condition, numbers = database.any_of([key.number for key in own])
        _delete(day, f"step_id = %s AND number {condition}", [step, *numbers], at_once=True)


def delete_of_steps(day: datetime.date, steps: Collection[int], *, at_once: bool = False) -> None:
    """Delete all packs of these steps. Part of the caller's transaction.

    `at_once`: delete them from objects without the grace period.
    """
    if steps:
        condition, parameters = database.any_of(sorted(steps))
        _delete(day, f"step_id {condition}", parameters, at_once=at_once)


def _delete(
    day: datetime.date, condition: str, parameters: Sequence[Any], *, at_once: bool
) -> None:
    # Not locked first: packs of many steps may be on several servers, which do not lock rows that
    # are only read.
    statement = f'DELETE FROM "{_TABLE}" WHERE day = %s AND {condition} '  # noqa: S608 - our columns
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} RETURNING object_id, object_size", [day, *parameters])
        deleted = cursor.fetchall()
    objects.release(deleted, at_once=at_once)


def keep_only(day: datetime.date, steps: Sequence[int]) -> None:
    """Delete a day's packs except those of these steps. Part of the caller's transaction."""
    if day in PARTITIONS.days():
        PARTITIONS.lock(day)
        PARTITIONS.keep_only(day, steps, column="step_id")
        objects.recount(day)
        return
    going = LogPack.objects.filter(day=day).order_by().values_list("step_id", flat=True).distinct()
    delete_of_steps(day, sorted(set(going) - set(steps)))


def replace(day: datetime.date, span: Span, data: bytes | bytearray) -> None:
    """Replace bytes of a packed log by as many others with the same newlines.

    The caller holds the lock of the host result, in a transaction. The packs are locked too, since
    others may change their other logs. Raises Hole if bytes are missing.
    """
    keys = keys_of(span)
    _lock(day, keys)
    stored, place = stored_packs(day, keys), span.place
    assert place is not None  # noqa: S101 - as above
    for key in keys:
        if key not in stored:
            raise Hole(span.start, None)
        text = bytearray(codec.decode(*stored[key]))
        offset = (key.number - place.number) * CHUNK_MAX_BYTES - place.start
        first, last = max(span.start, offset), min(span.stop, offset + len(text))
        if last < min(span.stop, offset + CHUNK_MAX_BYTES):
            raise Hole(last, None)
        text[first - offset : last - offset] = data[first - span.start : last - span.start]
        kind, packed = codec.encode(bytes(text), level=codec.PACKED_LEVEL)
        rows = LogPack.objects.filter(day=day, step_id=key.step, number=key.number)
        # A pack in an object moves back to the database, and its old bytes are deleted there.
        moved = rows.select_for_update().values_list("object_id", "object_size")
        objects.release(list(moved), at_once=True)
        rows.update(codec=kind, data=packed, **objects.IN_DATABASE)


def _lock(day: datetime.date, keys: Sequence[PackKey]) -> None:
    # All packs of one log, so of one step; locked in ascending order, after the host result.
    numbers = [key.number for key in keys]
    rows = LogPack.objects.filter(day=day, step_id=keys[0].step, number__in=numbers)
    list(rows.select_for_update().order_by("number").values_list("number", flat=True))


def size_of(day: datetime.date, keys: Collection[PackKey]) -> int:
    """Return the bytes of text in these packs."""
    size = 0
    for step, own in groupby(sorted(keys), _step):
        numbers = database.InArray("number", [key.number for key in own])
        rows = LogPack.objects.filter(numbers, day=day, step_id=step)
        size += rows.aggregate(size=Sum("size"))["size"] or 0
    return size


def size_of_span(day: datetime.date, span: Span) -> int:
    """Return the bytes of text in the packs of a span."""
    return size_of(day, keys_of(span))


def places_of(span: Span) -> Iterator[tuple[PackKey, int, int]]:
    """Yield the packs of a span, each with the start and end of the span within it."""
    step, number, start = span.place or PackPlace(0, 0, 0)
    for key in keys_of(span):
        base = (key.number - number) * CHUNK_MAX_BYTES
        first, last = start + span.start - base, start + span.stop - base
        yield key, max(0, first), min(CHUNK_MAX_BYTES, last)


class PackRow(NamedTuple):
    """Row of a pack; with `object_id`, its bytes are in an object."""

    number: int
    size: int
    newlines: int
    codec: int
    data: bytes
    object_id: int | None


def rows_of_step(day: datetime.date, step: int) -> Iterator[PackRow]:
    """Yield all packs of a step, fetched a few at a time."""
    rows = LogPack.objects.filter(day=day, step_id=step).order_by("number")
    after = -1
    while page := list(rows.filter(number__gt=after).values_list(*PackRow._fields)[:ROWS_AT_ONCE]):
        yield from itertools.starmap(PackRow, page)
        after = page[-1][0]


def days(
    since: datetime.date | None = None, until: datetime.date | None = None
) -> Iterator[datetime.date]:
    """Return the days that have packs, ascending."""
    return distinct_days(LogPack.objects.all(), since, until)


def steps_of_day(day: datetime.date) -> Iterator[int]:
    """Return the keys of the steps that have packs on a day, ascending."""
    return distinct_values(LogPack.objects.filter(day=day), "step_id")
