"""Packing: script logs of a step that has long finished come to lie together: a third to a half of
the disk, fewer rows, and no byte changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import transaction

from joblogs import database
from joblogs.logtext.store import packing
from joblogs.models import HostResult, StepInstance

LOGS_AT_ONCE = 2000


def pack_step(step: StepInstance) -> int:
    """Move the logs of a step that lie in chunks into packs; how many logs those are.

    Part by part, each in a transaction of its own. Raises Unreadable.
    """
    rows = HostResult.objects.for_step(step).filter(pack=None).exclude(held_size=0)
    sizes = list(rows.order_by("pk").values_list("pk", "held_size"))
    return sum(_pack_part(step, part) for part in _parts(sizes))


def _parts(sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Logs, by their sizes, as many as one transaction packs."""
    part: list[int] = []
    total = 0
    for log, size in sizes:
        if part and (total + size > packing.PART_BYTES or len(part) == LOGS_AT_ONCE):
            yield part
            part, total = [], 0
        part.append(log)
        total += size
    if part:
        yield part


def _pack_part(step: StepInstance, logs: Sequence[int]) -> int:
    def work() -> int:
        with transaction.atomic():
            # Whoever lays out packs of a step holds its row, then host results by ascending id: in
            # the order in which ingest takes these locks too.
            locked = StepInstance.objects.select_for_update(no_key=True).filter(pk=step.pk)
            owner = locked.filter(job__expired_at=None).first()
            if owner is None:
                return 0
            found = HostResult.objects.select_for_update().filter(id__in=logs, pack=None)
            rows = list(found.exclude(held_size=0).order_by("pk"))
            packing.pack(step.day, owner, rows)
            return len(rows)

    return database.retrying(work)
