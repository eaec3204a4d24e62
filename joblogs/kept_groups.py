"""Groups of finished steps in the table KeptGroups: found, kept and deleted here.

What is kept holds lines of logs, so whoever masks or removes text deletes it in the same
transaction. It counts only while the host results are what they were then (`facts`), so groups of a
text that grew since, or of an attempt before the last one, are never found.
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
from joblogs.models import HostResult, KeptGroups, StepInstance

PARTITIONS = database.Partitions(KeptGroups)
"""The day partitions, where there are any."""
BYTES_MAX = 512 * 1024
"""More than this, compressed, is not kept."""
STEPS_AT_ONCE = 1_000
CHECK_BYTES = 16
"""Before what is kept: of a hash of it and of the facts."""
WRITE_SECONDS = 1.0
"""If it takes longer somebody else is writing, and the next page keeps them."""


class Log(NamedTuple):
    """Of a host result its key, the size of its log, and in how many places that was masked."""

    pk: int
    held_size: int
    masked: int


def find(step: StepInstance, facts: bytes) -> bytes | None:
    """What was kept of a step, if its host results still say the same and it is what was written;
    else it is deleted."""
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
    """Delete what is kept of a step, if the database lets it."""
    with contextlib.suppress(DatabaseError, Unavailable), database.waiting_at_most(WRITE_SECONDS):
        delete(step.day, [step.pk])


def keep(step: StepInstance, facts: bytes, data: bytes, logs: Sequence[Log]) -> None:
    """Keep data of a step, of which nothing is kept, that holds lines of these logs; nothing if one
    of them has changed since, or if the database does not let it.

    Sizes and masks only grow, so their sums tell. Whoever changes a log has the lock of its host
    result, whoever deletes a day's or a job's text that of the job.
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
    # If somebody else writes, or was first, nothing is lost.
    with contextlib.suppress(DatabaseError, Unavailable), database.waiting_at_most(WRITE_SECONDS):
        database.insert_row_if_unchanged(KeptGroups, row, living, sums)


def delete(day: datetime.date, steps: Collection[int]) -> None:
    """Delete what is kept of a day's steps. Part of the caller's transaction."""
    KeptGroups.objects.filter(database.InArray("step_id", steps), day=day).delete()


def delete_all() -> None:
    """Delete what is kept of all steps: an older program masks and deletes text without a look at
    it."""
    for day in KeptGroups.objects.order_by("day").values_list("day", flat=True).distinct():
        steps = list(KeptGroups.objects.filter(day=day).values_list("step_id", flat=True))
        for start in range(0, len(steps), STEPS_AT_ONCE):
            delete(day, steps[start : start + STEPS_AT_ONCE])


def empty_day(day: datetime.date) -> None:
    """Delete all of a day. Part of the caller's transaction. Raises OperationalError if somebody
    is there for long."""
    if day in PARTITIONS.days():
        PARTITIONS.lock(day)
        PARTITIONS.keep_only(day, [])
    else:
        KeptGroups.objects.filter(day=day).delete()
