"""Removal of what is kept of failures, together with the text that they were found in."""

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
    """Forget the failures of these steps (keys): of a failure that others had too, their runs are
    left. Part of the caller's transaction."""
    database.take_lock(LOCK)
    going = FailureRun.objects.filter(database.InArray("step_id", steps))
    keys: dict[tuple[int, bytes], set[bytes]] = defaultdict(set)
    for scope, series, key in going.values_list("scope_id", "series", "key"):
        if key:
            keys[scope, bytes(series)].add(bytes(key))
    going.delete()
    for (scope, series), of_series in keys.items():
        count_again(scope, series, of_series)


def forget_lost() -> None:
    """Forget the failures of steps that are gone: a program of an earlier release deleted them."""
    step = StepInstance.objects.filter(pk=OuterRef("step_id"))
    lost = FailureRun.objects.filter(~Exists(step)).order_by("step_id").distinct()
    while steps := list(lost.values_list("step_id", flat=True)[:STEPS_AT_ONCE]):
        with transaction.atomic():
            forget(steps)
