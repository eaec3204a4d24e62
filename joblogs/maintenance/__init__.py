"""Maintenance: day partitions, compaction, missing fingerprints, expiry, removal, moving.

Everything may be run again at any time, and by one process at a time only. What a run would do and
what it does come from the same querysets.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Iterator

from django.conf import settings
from django.utils import timezone

from joblogs import failures, signed_parts
from joblogs.ingest import overlaps
from joblogs.logtext.codec import Unreadable
from joblogs.models import HostResult, JobInstance, StepInstance

from . import (
    audit_log,
    changed_steps,
    compaction,
    day_partitions,
    expiry,
    fingerprinting,
    identities,
    moving,
    packing,
    signing,
)
from .packing import packed_logs, unpack
from .paging import by_key
from .runs import (
    AlreadyRunning,
    MaintenanceReport,
    Sweep,
    alone,
    last_run,
    record_sweep,
    recorded,
    sweep_due,
)

logger = logging.getLogger(__name__)

__all__ = ["AlreadyRunning", "MaintenanceReport", "last_run", "maintain", "packed_logs", "unpack"]

RECENT_DAYS = 3
RECENT_JOBS = 10_000
JOBS_AT_ONCE = 100
SIGNING_SECONDS = 600.0
"""What is not signed by then is searched without, and signed by the next run that sweeps."""


def maintain(
    *,
    dry_run: bool = False,
    every_day: bool = False,
    limit: int | None = None,
    progress: Callable[[MaintenanceReport], None] = lambda report: None,
) -> MaintenanceReport:
    """Do what is due; with `limit` at most so many logs or jobs of each kind.

    Logs are looked at where ingest says that their steps changed; once a day also all of the days
    that something was written to lately, with `every_day` all. Raises AlreadyRunning.
    """
    report, now = MaintenanceReport(), timezone.now()
    with alone():
        sweep = sweep_due(every_day=every_day)
        with contextlib.nullcontext() if dry_run else recorded(report):
            for part in _PARTS:
                part(report, now.date(), dry_run, sweep, limit)
                progress(report)
            if sweep and limit is None and not dry_run:
                record_sweep(now)
    return report


def _days_to_sweep(today: datetime.date, sweep: Sweep) -> list[datetime.date]:
    """Days whose logs may have changed lately: recent ones, and those of the newest jobs."""
    if sweep is Sweep.NONE:
        return []
    if sweep is Sweep.EVERY_DAY:
        return list(JobInstance.objects.days())
    newest = (
        JobInstance.objects.filter(expired_at=None)
        .order_by("-pk")
        .values_list("day", flat=True)[:RECENT_JOBS]
    )
    recent = {today - datetime.timedelta(days=back) for back in range(RECENT_DAYS)}
    return sorted(recent.union(newest))


def _partition(
    report: MaintenanceReport,
    today: datetime.date,
    dry_run: bool,
    sweep: Sweep,
    limit: int | None,
) -> None:
    for partitions, day in day_partitions.due(today, limit=limit):
        report.partitions_made += dry_run or partitions.make(day)
    for partitions, day in day_partitions.empty(today):
        report.partitions_dropped += dry_run or partitions.drop_empty(day)


def _expire(
    report: MaintenanceReport,
    today: datetime.date,
    dry_run: bool,
    sweep: Sweep,
    limit: int | None,
) -> None:
    due = expiry.logs_due(today)
    if dry_run:
        report.jobs_expired = due[:limit].count()
        return
    for day in list(due.order_by("day").values_list("day", flat=True).distinct()):
        if limit is None:
            report.jobs_expired += expiry.expire_day(day, today)
        for job in by_key(due.filter(day=day).select_related("scope")):
            if report.jobs_expired == limit:
                return
            report.jobs_expired += expiry.expire_job(job)
    if sweep:
        expiry.sweep(timezone.now() - datetime.timedelta(days=2))
    overlaps.forget_conflicts()


def _forget(
    report: MaintenanceReport,
    today: datetime.date,
    dry_run: bool,
    sweep: Sweep,
    limit: int | None,
) -> None:
    due = expiry.history_due(today).order_by("pk")
    if dry_run:
        report.jobs_forgotten = due[:limit].count()
        return
    while limit is None or report.jobs_forgotten < limit:
        left = JOBS_AT_ONCE if limit is None else min(JOBS_AT_ONCE, limit - report.jobs_forgotten)
        jobs = list(due[:left])
        if not jobs:
            break
        report.jobs_forgotten += expiry.forget(jobs, due=due)


def _forget_reads(
    report: MaintenanceReport,
    today: datetime.date,
    dry_run: bool,
    sweep: Sweep,
    limit: int | None,
) -> None:
    if dry_run:
        report.reads_forgotten = audit_log.count(today, limit=limit)
        return
    report.reads_forgotten = audit_log.forget(today, limit=limit)


def _forget_hosts(
    report: MaintenanceReport,
    today: datetime.date,
    dry_run: bool,
    sweep: Sweep,
    limit: int | None,
) -> None:
    # Those of jobs that were removed, and of hosts that are called otherwise, wait for the day's
    # sweep: nobody is shown them meanwhile.
    if not (sweep or report.jobs_forgotten):
        return
    if dry_run:
        report.hosts_forgotten = identities.due()[:limit].count()
        return
    report.hosts_forgotten = identities.forget(limit=limit)


def _look_at_logs(
    report: MaintenanceReport,
    today: datetime.date,
    dry_run: bool,
    sweep: Sweep,
    limit: int | None,
) -> None:
    days = _days_to_sweep(today, sweep)
    signing_ends = time.monotonic() + SIGNING_SECONDS
    _merge(report, compaction.due(days), dry_run, limit)
    _fingerprint(report, fingerprinting.due(days), dry_run, limit)
    _record_failures(report, failures.due(days), dry_run, limit)
    # A dry run leaves what it counted: it must not count it twice.
    for batch in changed_steps.batches(apart_from=days if dry_run else ()):
        for day, steps in batch.steps:
            _merge(report, compaction.due_of_steps(day, steps), dry_run, limit)
            _fingerprint(report, fingerprinting.due_of_steps(day, steps), dry_run, limit)
            _record_failures(report, failures.due_of_steps(steps), dry_run, limit)
            _sign_changed(report, day, steps, dry_run, signing_ends)
        done = report.logs_merged, report.fingerprints, report.steps_recorded
        if limit is not None and limit in done:
            return  # there may be more in this batch
        if not dry_run:
            expiry.sweep_steps(batch.expired)
            batch.forget()
    for day, steps in signing.due(days):
        left = None if limit is None else limit - report.steps_signed
        if left == 0 or time.monotonic() > signing_ends:
            return
        report.steps_signed += len(steps[:left])
        if not dry_run:
            signing.sign(day, steps[:left])
    if not dry_run:
        for day in days:
            signing.tidy(day)


def _sign_changed(
    report: MaintenanceReport,
    day: datetime.date,
    steps: list[int],
    dry_run: bool,
    ends: float,
) -> None:
    """Sign those that have finished; no signature stays of a text that changed."""
    due = signing.due_of_steps(steps) if time.monotonic() < ends else []
    if not dry_run:
        signed_parts.forget(day, set(steps) - set(due))
        signing.sign(day, due)
    report.steps_signed += len(due)


def _merge(
    report: MaintenanceReport,
    due: Iterable[tuple[datetime.date, int]],
    dry_run: bool,
    limit: int | None,
) -> None:
    left = None if limit is None else limit - report.logs_merged
    for day, logs in compaction.batches(due, limit=left):
        if dry_run:
            report.logs_merged += len(logs)
            continue
        try:
            report.chunks_saved += compaction.merge(day, *logs)
        except Unreadable:
            # One of them: each by itself.
            for log in logs:
                with _passing_by(log):
                    report.chunks_saved += compaction.merge(day, log)
                    report.logs_merged += 1
        else:
            report.logs_merged += len(logs)


def _fingerprint(
    report: MaintenanceReport, due: Iterable[HostResult], dry_run: bool, limit: int | None
) -> None:
    some = itertools.islice(due, None if limit is None else limit - report.fingerprints)
    if dry_run:
        report.fingerprints += sum(1 for _ in some)
        return
    for rows in fingerprinting.batches(some):
        try:
            fingerprinting.take(rows)
            report.fingerprints += len(rows)
        except Unreadable:
            for row in rows:
                with _passing_by(row.pk):
                    fingerprinting.take([row])
                    report.fingerprints += 1


def _record_failures(
    report: MaintenanceReport,
    due: Iterable[list[StepInstance]],
    dry_run: bool,
    limit: int | None,
) -> None:
    for steps in due:
        some = steps if limit is None else steps[: limit - report.steps_recorded]
        if not dry_run:
            failures.record_steps(some)
        report.steps_recorded += len(some)


def _pack(
    report: MaintenanceReport,
    today: datetime.date,
    dry_run: bool,
    sweep: Sweep,
    limit: int | None,
) -> None:
    days = settings.PACK_AFTER_DAYS
    # What has been finished for so long is looked for once a day.
    if days is None or not sweep:
        return
    for part in packing.due(timezone.now(), days):
        left = None if limit is None else limit - report.logs_packed
        if left == 0:
            return
        some = part._replace(logs=part.logs[:left])
        if dry_run:
            report.logs_packed += len(some.logs)
            continue
        try:
            packed = packing.pack(some)
        except Unreadable:
            # One of them, which stays in chunks.
            readable = []
            for log in some.logs:
                with _passing_by(log):
                    packing.check_readable(some.day, log)
                    readable.append(log)
            packed = packing.pack(some._replace(logs=readable))
        report.logs_packed += packed.logs
        report.packs_made += packed.packs


def _move(
    report: MaintenanceReport,
    today: datetime.date,
    dry_run: bool,
    sweep: Sweep,
    limit: int | None,
) -> None:
    moving.run(report, today, dry_run=dry_run, limit=limit)


# The last one needs more than the database: what it cannot do keeps nothing else from being done.
_PARTS = (_partition, _expire, _forget, _forget_hosts, _forget_reads, _look_at_logs, _pack, _move)


@contextlib.contextmanager
def _passing_by(log: int) -> Iterator[None]:
    """A log that cannot be read keeps no other from what is due to it."""
    try:
        yield
    except Unreadable as error:
        fault = type(error).__name__
        logger.warning("host result %s: %s in its log; verify_logs tells more", log, fault)
