"""Steps whose logs changed since a run processed them (`ChangedStep`), in batches.

A batch's rows are deleted by key, and only when its steps are completely processed: later writes
have their own rows, and after a run was killed, the steps are processed again.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter

from joblogs import database
from joblogs.models import ChangedStep, StepInstance

ROWS_AT_ONCE = 10_000
STEPS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Batch:
    """Batch of ChangedStep rows, with their steps."""

    rows: dict[int, int]
    """Keys of the steps by key of the row."""
    steps: list[tuple[datetime.date, list[int]]]
    """Keys of the steps whose logs have not expired, in groups of one day."""
    expired: list[int]
    """Keys of the steps whose logs have expired."""

    def forget(self, *, but: Collection[int] = ()) -> None:
        """Delete the rows, except those of the steps in `but`, which need more processing."""
        done = [row for row, step in self.rows.items() if step not in but]
        ChangedStep.objects.filter(database.InArray("pk", done)).delete()


def batches(*, apart_from: Collection[datetime.date] = ()) -> Iterator[Batch]:
    """Yield batches of all rows that exist at the start, oldest first, without the steps of these
    days.

    Later rows are left to the next run: a run that is slower than ingest would never end.
    """
    newest = ChangedStep.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    after = 0
    while rows := list(
        ChangedStep.objects.filter(pk__gt=after, pk__lte=newest)
        .order_by("pk")
        .values_list("pk", "step_id")[:ROWS_AT_ONCE]
    ):
        after = rows[-1][0]
        yield _batch(dict(rows), apart_from)


def _batch(step_of: Mapping[int, int], apart_from: Collection[datetime.date]) -> Batch:
    every = StepInstance.objects.filter(database.InArray("pk", set(step_of.values())))
    living = every.filter(job__expired_at=None).exclude(day__in=apart_from)
    groups = []
    ordered = living.order_by("day", "pk").values_list("day", "pk")
    for day, own in itertools.groupby(list(ordered), key=itemgetter(0)):
        while some := [pk for _, pk in itertools.islice(own, STEPS_AT_ONCE)]:
            groups.append((day, some))
    expired = every.exclude(job__expired_at=None).order_by("pk").values_list("pk", flat=True)
    return Batch(dict(step_of), groups, list(expired))
