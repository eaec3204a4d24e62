"""Detection of changes to what a step page shows: one aggregate, without fetching rows."""

from __future__ import annotations

from django.db.models import Count, F, IntegerField, Max, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Length

from joblogs.choices import StepType
from joblogs.models import FileLog, HostResult, StepInstance

_MODULUS = 1_000_003
"""Modulus applied to each number, so that sums over 20,000 hosts stay far below an integer's
range."""
_NUMBERS = (
    *("status", "execute_count", "exit_code", "start_time", "end_time", "total_time"),
    *("received_size", "held_size", "declared_size", "fingerprint_size", "masked"),
)
_TEXTS = ("host_name", "tag", "ip")


def step_facts(step: StepInstance) -> tuple[object, ...]:
    """Return numbers that change whenever a host result of the step changes.

    For a file step they also cover the status and progress of each file.
    """
    results = HostResult.objects.for_step(step).order_by()
    facts = results.aggregate(
        Count("pk"),
        Max("pk"),
        **{f"sum_{name}": _sum(F(name)) for name in _NUMBERS},
        **{f"sum_{name}": _sum(Length(name)) for name in _TEXTS},
    )
    return (*facts.values(), *_files(step))


def _sum(number: Combinable) -> Sum:
    # Weighted by the row's key, so that two rows swapping values also change the sum.
    place = F("pk") % 1_009 + 1
    return Sum(Cast(Coalesce(number, -1) % _MODULUS * place, IntegerField()))


def _files(step: StepInstance) -> list[tuple[object, ...]]:
    if step.step_type != StepType.FILE:
        return []
    files = FileLog.objects.for_step(step).order_by("status", "process")
    return list(files.values_list("status", "process").annotate(Count("pk")))
