"""Access to the table KeptGroups, which caches the groups of finished steps.

The rows hold lines of logs, so code that masks or removes text deletes them in the same
transaction. A row is valid only while the host results are unchanged (`facts`), so groups of a log
that has grown since, or of an earlier attempt, are never returned.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
from collections.abc import Collection, Sequence
from typing import NamedTuple

from django.db import DatabaseError

from joblogs import database
from joblogs.errors import Unavailable
from joblogs.logtext import codec
from joblogs.models import HostResult, KeptGroups, StepInstance, distinct_days

PARTITIONS = database.Partitions(KeptGroups)
"""Day partitions of the table."""
BYTES_MAX = 512 * 1024
"""Largest compressed data that is stored."""
STEPS_AT_ONCE = 1_000
CHECK_BYTES = 16
"""Bytes of a checksum of data and facts, which precedes the data."""
WRITE_SECONDS = 1.0
"""Longest wait for another transaction that is writing; else the next page stores the groups."""


class LogSize(NamedTuple):
    """NamedTuple of a host result's key, and its log's size in bytes and masked places."""

    pk: int
    held_size: int
    masked: int


def find(step: StepInstance, facts: bytes) -> bytes | None:
    """Return the stored data of a step; None if there is none.

    It is deleted if the host results have changed or its checksum is wrong.
    """
    kept = KeptGroups.objects.filter(day=step.day, step_id=step.pk)
    for known, row in kept.values_list("facts", "data"):
        data = bytes(row)
        check, packed = data[:CHECK_BYTES], data[CHECK_BYTES:]
        if known == facts and check == _check(facts, packed):
            return codec.decode(packed[0], packed[1:])
        forget(step)
    return None


def _check(facts: bytes, packed: bytes) -> bytes:
    return hashlib.sha256(facts + packed).digest()[:CHECK_BYTES]


def forget(step: StepInstance) -> None:
    """Delete the groups of a step, unless the database is busy."""
    with contextlib.suppress(DatabaseError, Unavailable), database.waiting_at_most(WRITE_SECONDS):
        delete(step.day, [step.pk])


def keep(step: StepInstance, facts: bytes, data: bytes, logs: Sequence[LogSize]) -> None:
    """Store data of a step that has none, with lines of these logs.

    Do nothing if one of the logs has changed since, or if the database is busy. Sizes and counts of
    masks only grow, so their sums show a change. Code that changes a log locks its host result;
    code that deletes the text of a day or a job locks the job.
    """
    kind, encoded = codec.encode(data)
    packed = bytes([kind]) + encoded
    if len(packed) > BYTES_MAX:
        return
    rows = HostResult.objects.filter(database.InArray("pk", [log.pk for log in logs]))
    sums = {
        "held_size": sum(log.held_size for log in logs),
        "masked": sum(log.masked for log in logs),
    }
    row = {
        "day": step.day,
        "step_id": step.pk,
        "facts": facts,
        "data": _check(facts, packed) + packed,
    }
    living = rows.filter(step__job__expired_at=None)
    # If another transaction is writing, or was first, nothing is lost.
    with contextlib.suppress(DatabaseError, Unavailable), database.waiting_at_most(WRITE_SECONDS):
        database.insert_row_if_unchanged(KeptGroups, row, living, sums)


def delete(day: datetime.date, steps: Collection[int]) -> None:
    """Delete the groups of a day's steps, in the caller's transaction."""
    KeptGroups.objects.filter(database.InArray("step_id", steps), day=day).delete()


def delete_all() -> None:
    """Delete all groups: an older program masks and deletes text without deleting them."""
    for day in distinct_days(KeptGroups.objects.all()):
        steps = list(KeptGroups.objects.filter(day=day).values_list("step_id", flat=True))
        for start in range(0, len(steps), STEPS_AT_ONCE):
            delete(day, steps[start : start + STEPS_AT_ONCE])


def empty_day(day: datetime.date) -> None:
    """Delete the groups of a day, in the caller's transaction.

    Raise OperationalError if the day cannot be locked in time.
    """
    if day in PARTITIONS.days():
        PARTITIONS.lock(day)
        PARTITIONS.keep_only(day, [])
    else:
        KeptGroups.objects.filter(day=day).delete()
