"""Deletion of recorded failures, together with the logs in which they occurred."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db import transaction
from django.db.models import Exists, OuterRef

from joblogs import database
from joblogs.models import FailureRun, StepInstance

from .tally import LOCK, count_again

STEPS_AT_ONCE = 1000


def forget(steps: Collection[int]) -> None:
    """Delete the failures of these steps, given by key, in the caller's transaction.

    A failure that other steps had too keeps their runs.
    """
    database.take_lock(LOCK)
    runs = FailureRun.objects.filter(database.InArray("step_id", steps))
    keys: dict[tuple[int, bytes], set[bytes]] = defaultdict(set)
    for scope, series, key in runs.values_list("scope_id", "series", "key"):
        if key:
            keys[scope, bytes(series)].add(bytes(key))
    runs.delete()
    for (scope, series), of_series in keys.items():
        count_again(scope, series, of_series)


def forget_lost() -> None:
    """Delete the failures of steps that were deleted by a program of an earlier release."""
    step = StepInstance.objects.filter(pk=OuterRef("step_id"))
    lost = FailureRun.objects.filter(~Exists(step)).order_by("step_id").distinct()
    while steps := list(lost.values_list("step_id", flat=True)[:STEPS_AT_ONCE]):
        with transaction.atomic():
            forget(steps)
