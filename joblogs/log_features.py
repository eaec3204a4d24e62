"""Features of logs in the table LogFeatures: computed, kept, read and deleted here.

They are kept only where the host result has not changed since the text was read, so features
of a text that was masked meanwhile, or that grew, are never found beside the other one.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from django.db import DatabaseError, connection, transaction

from joblogs import database
from joblogs.grouping.features import (
    HEAD_BYTES,
    TAIL_BYTES,
    VERSION,
    Known,
    Log,
    ends_of,
    features_of,
)
from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable
from joblogs.models import HostResult, LogFeatures

PARTITIONS = database.Partitions(LogFeatures)
"""The day partitions of the features, where there are any."""

ROUND_BYTES = 512 * 1024
"""As much text is looked at between two looks at the clock."""
WRITE_SECONDS = 1.0
"""What was computed for a page is kept unless that takes longer: somebody else is writing."""

_FIELDS = ("day", "host_result_id", "size", "version", "data")
_TABLE = LogFeatures._meta.db_table


class Row(store.StoredRow, Protocol):
    """What is to be known of a host result."""

    @property
    def masked(self) -> int: ...
    @property
    def own_names(self) -> tuple[bytes, ...]: ...


def stored(day: datetime.date, rows: Collection[Row]) -> dict[int, bytes]:
    """The features of those of these logs that have any and did not change since."""
    sizes = {row.pk: row.held_size for row in rows}
    kept = LogFeatures.objects.filter(
        database.InArray("host_result_id", sizes), day=day, version=VERSION
    )
    return {
        pk: bytes(data)
        for pk, size, data in kept.values_list("host_result_id", "size", "data").iterator(5000)
        if sizes[pk] == size
    }


def up_to_date(day: datetime.date, sizes: Mapping[int, int]) -> set[int]:
    """Those of these host results, given with their logs' sizes, whose features hold."""
    kept = LogFeatures.objects.filter(
        database.InArray("host_result_id", sizes), day=day, version=VERSION
    )
    pairs = kept.values_list("host_result_id", "size")
    return {pk for pk, size in pairs if sizes[pk] == size}


def compute(day: datetime.date, rows: Iterable[Row], *, seconds: float) -> dict[int, bytes]:
    """Features of these logs, by host result, until the time is over. Logs that cannot be read are
    left out."""
    until = time.monotonic() + seconds
    made: dict[int, bytes] = {}
    known: Known = {}
    for some in _rounds(rows):
        made.update(_features(day, some, known))
        if time.monotonic() > until:
            break
    return made


def compute_and_keep(
    day: datetime.date, rows: Sequence[Row], *, seconds: float
) -> dict[int, bytes]:
    """The same for a page; what was computed is kept for the next one, if the database lets it."""
    made = compute(day, rows, seconds=seconds)
    if made:
        try:
            with database.waiting_at_most(WRITE_SECONDS):
                keep(day, rows, made)
        except DatabaseError:
            return made  # somebody writes: the next page, or `maintain_logs`, takes them again
    return made


def keep(day: datetime.date, rows: Iterable[Row], features: Mapping[int, bytes]) -> None:
    """Write features of a day's logs, each only if its log is still what the row says."""
    known = {row.pk: (row.held_size, row.masked) for row in rows if row.pk in features}
    with transaction.atomic():
        # Whoever changes a log holds its row; those logs are left to the next run.
        locked = HostResult.objects.filter(database.InArray("pk", known)).order_by("pk")
        current = locked.select_for_update(skip_locked=True, no_key=True).values_list(
            "pk", "held_size", "masked"
        )
        same = [pk for pk, size, masked in current if known[pk] == (size, masked)]
        delete(day, same)
        database.insert_rows(
            LogFeatures, _FIELDS, ((day, pk, known[pk][0], VERSION, features[pk]) for pk in same)
        )


def delete(day: datetime.date, logs: Sequence[int]) -> None:
    """Delete the features of these host results' logs. Part of the caller's transaction."""
    for start in range(0, len(logs), store.WHOLE_SPANS):
        condition, values = database.any_of(logs[start : start + store.WHOLE_SPANS])
        with connection.cursor() as cursor:
            cursor.execute(
                f'DELETE FROM "{_TABLE}" WHERE day = %s AND host_result_id {condition}',  # noqa: S608 - our names
                [day, *values],
            )


def keep_only(day: datetime.date, logs: Sequence[int]) -> None:
    """Delete a day's features but for these host results'. Part of the caller's transaction."""
    if day in PARTITIONS.days():
        PARTITIONS.lock(day)
        PARTITIONS.keep_only(day, logs)
        return
    going = LogFeatures.objects.filter(day=day).values_list("host_result_id", flat=True)
    delete(day, sorted(set(going) - set(logs)))


def _rounds(rows: Iterable[Row]) -> Iterator[list[Row]]:
    some: list[Row] = []
    size = 0
    for row in rows:
        some.append(row)
        size += min(row.held_size, HEAD_BYTES + TAIL_BYTES)
        if size >= ROUND_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _features(day: datetime.date, rows: Sequence[Row], known: Known) -> dict[int, bytes]:
    try:
        logs = _logs(day, rows)
    except Unreadable:
        if len(rows) == 1:
            return {}  # it went meanwhile, or is damaged: `verify_logs` tells more
        return {pk: data for row in rows for pk, data in _features(day, [row], known).items()}
    return dict(zip((row.pk for row in rows), features_of(logs, known), strict=True))


def _logs(day: datetime.date, rows: Sequence[Row]) -> list[Log]:
    spans = []
    for row in rows:
        size = row.held_size
        if size <= HEAD_BYTES + TAIL_BYTES:
            spans.append(store.span_of(row))
        else:
            spans.append(store.span_of(row, 0, HEAD_BYTES))
            spans.append(store.span_of(row, size - TAIL_BYTES))
    parts: dict[int, list[bytes]] = {row.pk: [] for row in rows}
    for span, data in store.read(day, spans):
        parts[span.log] += data
    return [Log(_looked_at(row, b"".join(parts[row.pk])), row.own_names) for row in rows]


def _looked_at(row: Row, data: bytes) -> bytes:
    """A log, or of a long one whole lines of its head and tail."""
    is_long = row.held_size > HEAD_BYTES + TAIL_BYTES
    return ends_of(data[:HEAD_BYTES], data[HEAD_BYTES:]) if is_long else data
