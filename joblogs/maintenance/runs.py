"""Runs of maintenance: the counts of a run, and the time of the last one, for alerts."""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum

from django.utils import timezone

from joblogs import database
from joblogs.models import MaintenanceRun

_ONLY = 1
SWEEP_EVERY = datetime.timedelta(days=1)


class AlreadyRunning(Exception):
    """Another process is running maintenance."""


class Sweep(IntEnum):
    """What a run processes besides the changed steps: nothing, recent days, or all days."""

    NONE = 0
    RECENT = 1
    EVERY_DAY = 2


@dataclass(slots=True)
class MaintenanceReport:
    """Counts of what a run did, or would do."""

    partitions_made: int = 0
    partitions_dropped: int = 0
    logs_merged: int = 0
    chunks_saved: int = 0
    fingerprints: int = 0
    logs_packed: int = 0
    packs_made: int = 0
    logs_to_pack: int = 0
    """Logs left by a run that reached its time limit."""
    steps_signed: int = 0
    steps_recorded: int = 0
    packs_moved: int = 0
    days_to_move: int = 0
    """Days with packs left by a run that reached its time limit."""
    objects_written: int = 0
    objects_deleted: int = 0
    jobs_expired: int = 0
    jobs_forgotten: int = 0
    hosts_forgotten: int = 0
    reads_forgotten: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentRun:
    """Current run of maintenance: its options, and the counts of what it has done.

    A dry run counts what is due and changes nothing. `limit` applies to each kind of work.
    """

    started: datetime.datetime
    sweep: Sweep
    dry_run: bool = False
    limit: int | None = None
    report: MaintenanceReport = field(default_factory=MaintenanceReport)

    @property
    def today(self) -> datetime.date:
        return self.started.date()

    def remaining(self, done: int) -> int | None:
        """Return how many more of a kind the limit allows; None for no limit."""
        return None if self.limit is None else self.limit - done


@contextmanager
def alone() -> Iterator[None]:
    """Context manager that allows only one process at a time. Raises AlreadyRunning."""
    with database.only_one("maintain") as free:
        if not free:
            raise AlreadyRunning
        yield


def last_run() -> MaintenanceRun | None:
    """Return the last run; None before the first one."""
    return MaintenanceRun.objects.filter(pk=_ONLY).first()


def sweep_due(*, every_day: bool) -> Sweep:
    """Return what a run that starts now has to sweep."""
    if every_day:
        return Sweep.EVERY_DAY
    run = last_run()
    is_fresh = run and run.swept_at and timezone.now() - run.swept_at < SWEEP_EVERY
    return Sweep.NONE if is_fresh else Sweep.RECENT


def record_sweep(started: datetime.datetime) -> None:
    """Record the start time of a completed sweep."""
    MaintenanceRun.objects.filter(pk=_ONLY).update(swept_at=started)


@contextmanager
def recorded(report: MaintenanceReport) -> Iterator[None]:
    """Context manager that records the start of a run and, if the block succeeds, its counts."""
    started = time.monotonic()
    MaintenanceRun.objects.update_or_create(pk=_ONLY, defaults={"started_at": timezone.now()})
    yield
    MaintenanceRun.objects.filter(pk=_ONLY).update(
        finished_at=timezone.now(),
        seconds=time.monotonic() - started,
        did=dataclasses.asdict(report),
    )
