"""Steps whose logs changed since a run looked at them (`ChangedStep`), a batch at a time.

A batch's rows are deleted by number and only when all that is due to its steps was done: what is
written meanwhile has rows of its own, and a run that was killed looks again.
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
    """Some rows; the steps of them whose logs are there, a day and keys each; those whose logs
    expired."""

    rows: dict[int, int]
    """The step of each."""
    steps: list[tuple[datetime.date, list[int]]]
    expired: list[int]

    def forget(self, *, but: Collection[int] = ()) -> None:
        """Delete the rows, but those of steps to which more is due."""
        done = [row for row, step in self.rows.items() if step not in but]
        ChangedStep.objects.filter(database.InArray("pk", done)).delete()


def batches(*, apart_from: Collection[datetime.date] = ()) -> Iterator[Batch]:
    """All that are there at the first one, in the order in which they came; without the steps of
    these days.

    What is written meanwhile is the next run's: one that is slower than ingest would have no end.
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
