"""Compaction: small chunks become full ones: less disk, fewer rows, and no byte changes."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from django.db import transaction

from joblogs import database
from joblogs.choices import HOST_UNFINISHED
from joblogs.logtext import store
from joblogs.models import HostResult

RUNNING_CHUNKS = 64
"""A log that still grows is merged only once it lies in more chunks than this."""
_BATCH = 1000


def due(days: Iterable[datetime.date]) -> Iterator[tuple[datetime.date, int]]:
    """The logs of these days that merging would help, as day and host result."""
    for day in days:
        scattered = store.scattered(day)
        for start in range(0, len(scattered), _BATCH):
            batch = dict(scattered[start : start + _BATCH])
            states = HostResult.objects.filter(
                id__in=batch, step__job__expired_at__isnull=True
            ).values_list("pk", "status")
            for log, status in sorted(states):
                if status not in HOST_UNFINISHED or batch[log] > RUNNING_CHUNKS:
                    yield day, log


def merge(day: datetime.date, log: int) -> int:
    """Merge one log under its host result's lock; how many chunks that saves."""

    def work() -> int:
        with transaction.atomic():
            rows = HostResult.objects.select_for_update(of=("self",)).filter(
                pk=log, step__job__expired_at__isnull=True
            )
            return store.merge(day, log) if rows else 0

    return database.retrying(work)
