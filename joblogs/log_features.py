"""Computation of the features of logs, and access to the table LogFeatures.

Features are stored only if the host result has not changed since its log was read, so that features
of a log that was masked or has grown meanwhile are never used.
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
    LogSample,
    ends_of,
    features_of,
)
from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable
from joblogs.models import HostResult, LogFeatures

PARTITIONS = database.Partitions(LogFeatures)
"""Day partitions of the table."""

ROUND_BYTES = 512 * 1024
"""Bytes of text that are processed between two checks of the time."""
WRITE_SECONDS = 1.0
"""Longest wait of a page to store features, while another transaction is writing."""

_FIELDS = ("day", "host_result_id", "size", "version", "data")
_TABLE = LogFeatures._meta.db_table


class FeatureSource(store.StoredRow, Protocol):
    """Protocol of the columns of a host result that are needed."""

    @property
    def masked(self) -> int: ...
    @property
    def own_names(self) -> tuple[bytes, ...]: ...


def stored(day: datetime.date, rows: Collection[FeatureSource]) -> dict[int, bytes]:
    """Return the stored features of logs that have not changed since, by host result."""
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
    """Return the host results whose features are valid; `sizes` are the sizes of their logs."""
    kept = LogFeatures.objects.filter(
        database.InArray("host_result_id", sizes), day=day, version=VERSION
    )
    pairs = kept.values_list("host_result_id", "size")
    return {pk for pk, size in pairs if sizes[pk] == size}


def compute(
    day: datetime.date, rows: Iterable[FeatureSource], *, seconds: float
) -> dict[int, bytes]:
    """Compute features of these logs, by host result, until the time is over.

    Logs that cannot be read are left out.
    """
    until = time.monotonic() + seconds
    made: dict[int, bytes] = {}
    known: Known = {}
    for some in _rounds(rows):
        made.update(_features(day, some, known))
        if time.monotonic() > until:
            break
    return made


def compute_and_keep(
    day: datetime.date, rows: Sequence[FeatureSource], *, seconds: float
) -> dict[int, bytes]:
    """Compute features for a page as `compute` does, and store them unless the database is busy."""
    made = compute(day, rows, seconds=seconds)
    if made:
        try:
            with database.waiting_at_most(WRITE_SECONDS):
                keep(day, rows, made)
        except DatabaseError:
            return made  # the next page, or `maintain_logs`, computes them again
    return made


def keep(day: datetime.date, rows: Iterable[FeatureSource], features: Mapping[int, bytes]) -> None:
    """Store features of a day's logs, except of logs that changed after the rows were read."""
    known = {row.pk: (row.held_size, row.masked) for row in rows if row.pk in features}
    with transaction.atomic():
        # Code that changes a log locks its row; these logs are left to the next run.
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
    """Delete the features of these host results' logs, in the caller's transaction."""
    for start in range(0, len(logs), store.WHOLE_SPANS):
        condition, values = database.any_of(logs[start : start + store.WHOLE_SPANS])
        with connection.cursor() as cursor:
            cursor.execute(
                f'DELETE FROM "{_TABLE}" WHERE day = %s AND host_result_id {condition}',  # noqa: S608 - our names
                [day, *values],
            )


def keep_only(day: datetime.date, logs: Sequence[int]) -> None:
    """Delete a day's features except those of these host results, in the caller's transaction."""
    if day in PARTITIONS.days():
        PARTITIONS.lock(day)
        PARTITIONS.keep_only(day, logs)
        return
    rows = LogFeatures.objects.filter(day=day).values_list("host_result_id", flat=True)
    delete(day, sorted(set(rows) - set(logs)))


def _rounds(rows: Iterable[FeatureSource]) -> Iterator[list[FeatureSource]]:
    some: list[FeatureSource] = []
    size = 0
    for row in rows:
        some.append(row)
        size += min(row.held_size, HEAD_BYTES + TAIL_BYTES)
        if size >= ROUND_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _features(day: datetime.date, rows: Sequence[FeatureSource], known: Known) -> dict[int, bytes]:
    try:
        logs = _logs(day, rows)
    except Unreadable:
        if len(rows) == 1:
            return {}  # it was deleted meanwhile, or is damaged, which `verify_logs` reports
        return {pk: data for row in rows for pk, data in _features(day, [row], known).items()}
    return dict(zip((row.pk for row in rows), features_of(logs, known), strict=True))


def _logs(day: datetime.date, rows: Sequence[FeatureSource]) -> list[LogSample]:
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
    return [LogSample(_looked_at(row, b"".join(parts[row.pk])), row.own_names) for row in rows]


def _looked_at(row: FeatureSource, data: bytes) -> bytes:
    """Return a log; of a long one, whole lines of its head and tail."""
    is_long = row.held_size > HEAD_BYTES + TAIL_BYTES
    return ends_of(data[:HEAD_BYTES], data[HEAD_BYTES:]) if is_long else data
