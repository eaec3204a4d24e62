"""Runs of maintenance: counts of one, and when the last one ran, for alerts on a dead timer."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.utils import timezone

from joblogs.models import MaintenanceRun

_ONLY = 1


@dataclass(slots=True)
class MaintenanceReport:
    """Counts of what a run did, or would do."""

    partitions_made: int = 0
    partitions_dropped: int = 0
    logs_merged: int = 0
    chunks_saved: int = 0
    fingerprints: int = 0
    jobs_expired: int = 0
    jobs_forgotten: int = 0
    hosts_forgotten: int = 0
    reads_forgotten: int = 0


def last_run() -> MaintenanceRun | None:
    """The last run, None before the first."""
    return MaintenanceRun.objects.filter(pk=_ONLY).first()


@contextmanager
def recorded(report: MaintenanceReport) -> Iterator[None]:
    """Write down that a run starts and, if the block comes to its end, what it did."""
    started = time.monotonic()
    MaintenanceRun.objects.update_or_create(pk=_ONLY, defaults={"started_at": timezone.now()})
    yield
    MaintenanceRun.objects.filter(pk=_ONLY).update(
        finished_at=timezone.now(),
        seconds=time.monotonic() - started,
        did=dataclasses.asdict(report),
    )
