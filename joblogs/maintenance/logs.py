"""Processing of changed and recent logs: merging, fingerprints, failures, signatures."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Iterable

from joblogs import failures, kept_groups, signed_parts
from joblogs.models import JobInstance, StepInstance

from . import changed_steps, compaction, expiry, fingerprinting, signing
from .runs import CurrentRun, Sweep

RECENT_DAYS = 3
RECENT_JOBS = 10_000
SIGNING_SECONDS = 600.0
"""Time limit for signing. Other steps are searched without a signature until the next run."""
RECORDING_SECONDS = 600.0
"""Time limit for recording failures in a sweep; others are recorded by the next sweep, or when
their page is opened."""


def process_logs(run: CurrentRun) -> None:
    """Process the logs of the days to sweep, then those of the changed steps."""
    days = _days_to_sweep(run)
    signing_ends = time.monotonic() + SIGNING_SECONDS
    compaction.merge_due(run, compaction.due(days))
    fingerprinting.compute_due(run, fingerprinting.due(days))
    _record_failures(run, failures.due(days), ends=time.monotonic() + RECORDING_SECONDS)
    if not _process_changed_steps(run, days, signing_ends):
        return
    for day, steps in signing.due(days):
        remaining = run.remaining(run.report.steps_signed)
        if remaining == 0 or time.monotonic() > signing_ends:
            return
        run.report.steps_signed += len(steps[:remaining])
        if not run.dry_run:
            signing.sign(day, steps[:remaining])
    if not run.dry_run:
        for day in days:
            signing.tidy(day)


def _days_to_sweep(run: CurrentRun) -> list[datetime.date]:
    """Return the days to sweep: none, all, or the recent ones and those of the newest jobs."""
    if run.sweep is Sweep.NONE:
        return []
    if run.sweep is Sweep.EVERY_DAY:
        return list(JobInstance.objects.days())
    newest = (
        JobInstance.objects.filter(expired_at=None)
        .order_by("-pk")
        .values_list("day", flat=True)[:RECENT_JOBS]
    )
    recent = {run.today - datetime.timedelta(days=back) for back in range(RECENT_DAYS)}
    return sorted(recent.union(newest))


def _process_changed_steps(run: CurrentRun, days: list[datetime.date], signing_ends: float) -> bool:
    """Process the changed steps; return False if the limit ended it."""
    report = run.report
    # A dry run changes nothing, so it must not count the swept days twice.
    for batch in changed_steps.batches(apart_from=days if run.dry_run else ()):
        unsigned = set[int]()
        for day, steps in batch.steps:
            compaction.merge_due(run, compaction.due_of_steps(day, steps))
            fingerprinting.compute_due(run, fingerprinting.due_of_steps(day, steps))
            _record_failures(run, failures.due_of_steps(steps))
            if time.monotonic() > signing_ends:
                unsigned.update(steps)
            _sign_changed(run, day, steps, is_late=bool(unsigned))
        if run.limit in (report.logs_merged, report.fingerprints, report.steps_recorded):
            return False  # there may be more in this batch
        if not run.dry_run:
            expiry.sweep_steps(batch.expired)
            batch.forget(but=unsigned)
    return True


def _record_failures(
    run: CurrentRun, due: Iterable[list[StepInstance]], *, ends: float = math.inf
) -> None:
    for steps in due:
        if time.monotonic() > ends:
            return
        some = steps[: run.remaining(run.report.steps_recorded)]
        if not run.dry_run:
            failures.record_steps(some)
        run.report.steps_recorded += len(some)


def _sign_changed(run: CurrentRun, day: datetime.date, steps: list[int], *, is_late: bool) -> None:
    """Sign the finished steps unless `is_late`, and delete the signatures and groups of the
    changed ones."""
    due = [] if is_late else signing.due_of_steps(steps)
    if not run.dry_run:
        kept_groups.delete(day, steps)
        signed_parts.forget(day, set(steps) - set(due))
        signing.sign(day, due)
    run.report.steps_signed += len(due)
