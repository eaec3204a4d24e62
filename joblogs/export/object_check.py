"""Check of the objects that an export needs, before its first byte is sent."""

from __future__ import annotations

import itertools
from operator import itemgetter

from joblogs.logtext import store
from joblogs.logtext.store import objects, packs
from joblogs.models import HostResult, StepInstance

from .selection import Selection

STEPS_MAX, LOGS_MAX, OBJECTS_MAX = 50, 20_000, 20
"""Most steps, logs and objects that are checked: a failure beyond them aborts the response."""


def check_objects(selection: Selection) -> None:
    """Check that the objects with the selected logs exist. Raise ObjectUnreachable.

    Nothing is checked if hosts are selected by address, outcome or text: an object may hold only
    logs of other hosts. No log is read.
    """
    if selection.outcome is not None or selection.contains is not None or selection.addresses:
        return
    steps = StepInstance.objects.filter(
        job__in=selection.narrowed_jobs(), job__expired_at=None
    ).order_by("day", "pk")
    if selection.steps is not None:
        steps = steps.filter(pk__in=selection.steps.order_by().values("pk"))
    chosen = list(steps.values_list("day", "pk")[:STEPS_MAX])
    for day, own in itertools.groupby(chosen, key=itemgetter(0)):
        rows = HostResult.objects.filter(step__in=[pk for _, pk in own], day=day)
        if selection.hosts is not None:
            rows = rows.filter(host_id__in=selection.hosts)
        rows = rows.exclude(pack=None).only("pk", "step_id", "held_size", "pack", "pack_start")
        keys = {key for row in rows[:LOGS_MAX] for key in packs.keys_of(store.span_of(row))}
        objects.check(day, keys, most=OBJECTS_MAX)
