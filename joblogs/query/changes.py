"""Whether anything that a step's page shows has changed, in one aggregate and no row."""

from __future__ import annotations

from django.db.models import Count, F, IntegerField, Max, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Length

from joblogs.choices import StepType
from joblogs.models import FileLog, HostResult, StepInstance

_MODULUS = 1_000_003
"""What each number is taken by: sums of 20,000 hosts stay far below what an integer holds."""
_NUMBERS = (
    *("status", "execute_count", "exit_code", "start_time", "end_time", "total_time"),
    *("received_size", "held_size", "declared_size", "fingerprint_size", "masked"),
)
_TEXTS = ("host_name", "tag", "ip")


def step_facts(step: StepInstance) -> tuple[object, ...]:
    """Numbers that are others once a host result of the step is; for a file step also by file."""
    results = HostResult.objects.for_step(step).order_by()
    facts = results.aggregate(
        Count("pk"),
        Max("pk"),
        **{f"sum_{name}": _sum(F(name)) for name in _NUMBERS},
        **{f"sum_{name}": _sum(Length(name)) for name in _TEXTS},
    )
    return (*facts.values(), *_files(step))


def _sum(number: Combinable) -> Sum:
    # Times the row's place, so that two rows that change places are seen too.
    place = F("pk") % 1_009 + 1
    return Sum(Cast(Coalesce(number, -1) % _MODULUS * place, IntegerField()))


def _files(step: StepInstance) -> list[tuple[object, ...]]:
    if step.step_type != StepType.FILE:
        return []
    files = FileLog.objects.for_step(step).order_by("status", "process")
    return list(files.values_list("status", "process").annotate(Count("pk")))
