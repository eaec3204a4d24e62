"""Compaction: merges small chunks into full ones, for less disk space and fewer rows."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Collection, Iterable, Iterator
from operator import itemgetter

from django.db import transaction

from joblogs import database
from joblogs.choices import HOST_UNFINISHED
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.store import merging
from joblogs.models import HostResult

from .runs import CurrentRun
from .unreadable import skipping

RUNNING_CHUNKS = 64
"""A growing log is only merged if it has more chunks than this."""
LOGS_AT_ONCE = 200
_BATCH = 1000


def merge_due(run: CurrentRun, due: Iterable[tuple[datetime.date, int]]) -> None:
    """Merge the logs that are due."""
    report = run.report
    for day, logs in batches(due, limit=run.remaining(report.logs_merged)):
        if run.dry_run:
            report.logs_merged += len(logs)
            continue
        try:
            report.chunks_saved += merge(day, *logs)
        except Unreadable:
            # One of them cannot be read: merge each separately.
            for log in logs:
                with skipping(log):
                    report.chunks_saved += merge(day, log)
                    report.logs_merged += 1
        else:
            report.logs_merged += len(logs)


def due(days: Iterable[datetime.date]) -> Iterator[tuple[datetime.date, int]]:
    """Yield the logs of these days that are worth merging, as day and key of the host result."""
    for day in days:
        scattered = merging.scattered(day)
        for start in range(0, len(scattered), _BATCH):
            chunks = dict(scattered[start : start + _BATCH])
            states = HostResult.objects.filter(
                id__in=chunks, step__job__expired_at__isnull=True
            ).values_list("pk", "status")
            yield from _due(day, chunks, dict(states))


def due_of_steps(day: datetime.date, steps: Collection[int]) -> Iterator[tuple[datetime.date, int]]:
    """Yield the logs worth merging of steps of one day whose logs have not expired."""
    printing = HostResult.objects.filter(step__in=steps).exclude(held_size=0).order_by("pk")
    states = list(printing.values_list("pk", "status"))
    for start in range(0, len(states), _BATCH):
        some = dict(states[start : start + _BATCH])
        yield from _due(day, dict(merging.scattered(day, list(some))), some)


def _due(
    day: datetime.date, chunks: dict[int, int], states: dict[int, int]
) -> Iterator[tuple[datetime.date, int]]:
    for log in sorted(chunks.keys() & states.keys()):
        if states[log] not in HOST_UNFINISHED or chunks[log] > RUNNING_CHUNKS:
            yield day, log


def batches(
    logs: Iterable[tuple[datetime.date, int]], *, limit: int | None
) -> Iterator[tuple[datetime.date, list[int]]]:
    """Yield logs in batches of one day, each for one transaction; at most `limit` logs in all."""
    for day, own in itertools.groupby(itertools.islice(logs, limit), key=itemgetter(0)):
        while batch := [log for _, log in itertools.islice(own, LOGS_AT_ONCE)]:
            yield day, batch


def merge(day: datetime.date, *logs: int) -> int:
    """Merge logs of a day under their host results' locks; return the number of chunks saved.

    Raises Unreadable if one cannot be read; then none is merged.
    """

    def work() -> int:
        with transaction.atomic():
            rows = HostResult.objects.select_for_update(of=("self",)).filter(
                id__in=logs, step__job__expired_at__isnull=True
            )
            # Locked in the same order as in ingest.
            alive = list(rows.order_by("pk").values_list("pk", flat=True))
            return merging.merge(day, alive) if alive else 0

    return database.retrying(work)
