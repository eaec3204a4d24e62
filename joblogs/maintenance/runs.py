"""Runs of maintenance: counts of one, and when the last one ran, for alerts on a dead timer."""

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
    """Another process is at it."""


class Sweep(IntEnum):
    """What a run looks through beside the steps that changed: nothing, recent days, or all."""

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
    """Left by a run whose time was over."""
    steps_signed: int = 0
    steps_recorded: int = 0
    packs_moved: int = 0
    days_to_move: int = 0
    """Days of which packs are left by a run whose time was over."""
    objects_written: int = 0
    objects_deleted: int = 0
    jobs_expired: int = 0
    jobs_forgotten: int = 0
    hosts_forgotten: int = 0
    reads_forgotten: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentRun:
    """Run of maintenance that is under way: its options, and the counts of what it did so far.

    A dry run counts what is due and changes nothing. `limit`: at most so many of each kind.
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
        """How many more of a kind the limit allows; None: all."""
        return None if self.limit is None else self.limit - done


@contextmanager
def alone() -> Iterator[None]:
    """Have no other process at it meanwhile. Raises AlreadyRunning."""
    with database.only_one("maintain") as free:
        if not free:
            raise AlreadyRunning
        yield


def last_run() -> MaintenanceRun | None:
    """The last run, None before the first."""
    return MaintenanceRun.objects.filter(pk=_ONLY).first()


def sweep_due(*, every_day: bool) -> Sweep:
    """What a run that begins now looks through."""
    if every_day:
        return Sweep.EVERY_DAY
    run = last_run()
    is_fresh = run and run.swept_at and timezone.now() - run.swept_at < SWEEP_EVERY
    return Sweep.NONE if is_fresh else Sweep.RECENT


def record_sweep(started: datetime.datetime) -> None:
    """Write down that one has come to its end."""
    MaintenanceRun.objects.filter(pk=_ONLY).update(swept_at=started)


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
