"""Expiry: deletes the logs of old jobs, and later their rows.

Expiry is recorded in the job, in the transaction that deletes the bytes. A held job keeps both, and
a running job keeps both for RUNNING_RETENTION_DAYS longer.
"""

from __future__ import annotations

import datetime
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from joblogs import database, failure_tallies, kept_groups, log_features, signed_parts
from joblogs.choices import RUN_UNFINISHED
from joblogs.errors import Unavailable
from joblogs.ingest import changed_steps, overlaps
from joblogs.logtext import store
from joblogs.logtext.store import packs
from joblogs.models import FileLog, HostResult, JobInstance, Scope, StepInstance

from . import removing
from .paging import by_key
from .runs import CurrentRun, Sweep

DAY_MILLISECONDS = 86_400_000
_EPOCH = datetime.date(1970, 1, 1)
LONGEST_DAYS = 365_000
"""More days would exceed the calendar: they mean for ever."""
SURVIVORS_SHARE = 4
"""A whole day is emptied at once if at most one part in SURVIVORS_SHARE of its bytes stays."""
JOBS_AT_ONCE, STEPS_AT_ONCE = 100, 1000
SWEPT_FOR = datetime.timedelta(days=2)
STILL_RUNNING = "still running when it expired"
"""Added to the policy of a job whose logs were deleted before it had ended."""


def expire_logs(run: CurrentRun) -> None:
    """Delete the logs of the jobs that are due, day by day."""
    report, due = run.report, logs_due(run.today)
    if run.dry_run:
        report.jobs_expired = due[: run.limit].count()
        return
    for day in list(due.order_by("day").values_list("day", flat=True).distinct()):
        if run.limit is None:
            report.jobs_expired += expire_day(day, run.today)
        for job in by_key(due.filter(day=day).select_related("scope")):
            if report.jobs_expired == run.limit:
                return
            report.jobs_expired += expire_job(job)
    if run.sweep:
        sweep(timezone.now() - SWEPT_FOR)
    if run.sweep is Sweep.EVERY_DAY:
        delete_lost_packs()
        kept_groups.delete_all()
    overlaps.forget_conflicts()


def forget_jobs(run: CurrentRun) -> None:
    """Delete the jobs whose history retention is over."""
    report, due = run.report, history_due(run.today).order_by("pk")
    if run.dry_run:
        report.jobs_forgotten = due[: run.limit].count()
        return
    while jobs := list(due[: _at_once(run.remaining(report.jobs_forgotten))]):
        report.jobs_forgotten += forget(jobs, due=due)
    if run.sweep:
        failure_tallies.forget_lost()


def _at_once(remaining: int | None) -> int:
    return JOBS_AT_ONCE if remaining is None else min(JOBS_AT_ONCE, remaining)


def _older_than(field: str, setting: int | None, today: datetime.date, *, longer: int = 0) -> Q:
    """Return the condition for jobs that exceed their retention by more than `longer` days.

    The retention in days is that of the scope in `field`, or else the setting; 0 or None: for ever.
    """
    scopes: dict[int, list[int]] = defaultdict(list)
    for scope, days in Scope.objects.values_list("pk", field):
        scopes[(setting if days is None else days) or 0].append(scope)
    scopes.pop(0, None)  # for ever
    condition = Q(id__in=[])
    for days, own in scopes.items():
        before = _days_back(today, days + longer)
        # The day is that of the creation; for either, there is an index that begins with the scope.
        created = (before - _EPOCH).days * DAY_MILLISECONDS
        in_scopes = database.InArray("scope", own)
        condition |= Q(in_scopes, day__lt=before, create_time__lt=created)
    return condition


def _days_back(today: datetime.date, days: int) -> datetime.date:
    return today - datetime.timedelta(days=min(days, LONGEST_DAYS))


def _runs() -> Q:
    """Return the condition for jobs that have not ended, or that have a running host."""
    at_work = HostResult.objects.unfinished().filter(step__job=OuterRef("pk"))
    return Q(status__in=RUN_UNFINISHED) | Q(Exists(at_work))


def _due(field: str, setting: int | None, today: datetime.date) -> QuerySet[JobInstance]:
    """Return the jobs that are old enough and not held.

    Running jobs are only due RUNNING_RETENTION_DAYS later; never if that is None.
    """
    due = JobInstance.objects.not_held().filter(_older_than(field, setting, today))
    longer = settings.RUNNING_RETENTION_DAYS
    if longer is None:
        return due.exclude(_runs())
    return due.filter(_older_than(field, setting, today, longer=longer) | ~_runs())


def logs_due(today: datetime.date) -> QuerySet[JobInstance]:
    """Return the QuerySet of the jobs whose logs are to be deleted."""
    return _due("retention_days", settings.LOG_RETENTION_DAYS, today).filter(expired_at=None)


def history_due(today: datetime.date) -> QuerySet[JobInstance]:
    """Return the QuerySet of the jobs that are to be deleted completely."""
    return _due("history_days", settings.HISTORY_RETENTION_DAYS, today)


def expire_day(day: datetime.date, today: datetime.date) -> int:
    """Empty a day's partition, if it has one and little of it stays; return how many jobs expired.

    0 if the day cannot be expired this way: then use `expire_job` for each job.
    """
    partitions = store.PARTITIONS
    if day not in partitions.days():
        return 0
    try:
        with database.answering(), transaction.atomic():
            # Creating host results locks their step, and adding to logs locks the partition. Under
            # both locks, the due jobs are queried again, with what was added meanwhile.
            jobs = JobInstance.objects.filter(id__in=logs_due(today).filter(day=day).values("id"))
            list(jobs.select_for_update(no_key=True).order_by("pk"))
            steps = StepInstance.objects.filter(job__in=[job.pk for job in jobs])
            list(steps.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
            partitions.lock(day)
            expiring = logs_due(today).filter(day=day).select_related("scope").order_by("pk")
            due = list(expiring.select_for_update(no_key=True, of=("self",)))
            staying = JobInstance.objects.filter(day=day, expired_at=None).exclude(
                id__in=[job.pk for job in due]
            )
            logs = list(
                HostResult.objects.filter(step__job__in=staying).values_list("pk", flat=True)
            )
            if not due or not _is_small_part(logs, due):
                return 0
            partitions.keep_only(day, logs)
            of_staying = StepInstance.objects.filter(job__in=staying).order_by()
            packs.keep_only(day, list(of_staying.values_list("pk", flat=True)))
            log_features.keep_only(day, logs)
            kept_groups.empty_day(day)
            signed_parts.empty_day(day)
            changed_steps.add(_steps_of(staying))  # to be signed again
            _mark(due)
    except Unavailable:
        # The lock could not be taken, since somebody reads that day. `expire_job` needs none.
        return 0
    return len(due)


def _is_small_part(staying: list[int], due: list[JobInstance]) -> bool:
    if not staying:
        return True
    rows = HostResult.objects.filter(id__in=staying)
    going = HostResult.objects.filter(step__job__in=due)
    staying_size, due_size = (
        query.aggregate(size=Sum("held_size"))["size"] or 0 for query in (rows, going)
    )
    return bool(staying_size * SURVIVORS_SHARE <= staying_size + due_size)


def expire_job(job: JobInstance) -> bool:
    """Delete the logs of one job.

    Return False if they are no longer due, because the job was held or runs again.
    """

    def work() -> bool:
        with transaction.atomic():
            list(JobInstance.objects.select_for_update(no_key=True).filter(pk=job.pk))
            # Creating host results locks their step: wait for new ones, which would be missed.
            locked = StepInstance.objects.select_for_update(no_key=True).filter(job=job)
            steps = list(locked.order_by("pk").values_list("pk", flat=True))
            rows = HostResult.objects.select_for_update().filter(step__job=job).order_by("pk")
            logs = list(rows.values_list("pk", flat=True))
            # Queried again under the locks, since the job may have changed.
            if not logs_due(timezone.now().date()).filter(pk=job.pk).exists():
                return False
            store.delete(job.day, logs)
            packs.delete_of_steps(job.day, steps)
            log_features.delete(job.day, logs)
            kept_groups.delete(job.day, steps)
            signed_parts.forget(job.day, _steps_of([job]))
            signed_parts.sweep_rows(job.day)
            _mark([job])
        return True

    return database.retrying(work)


def _steps_of(jobs: Iterable[JobInstance]) -> list[int]:
    return list(StepInstance.objects.filter(job__in=jobs).values_list("pk", flat=True))


def sweep(since: datetime.datetime) -> None:
    """Empty file logs of jobs that expired since a time: a concurrent writer may have added some
    while the job's logs were deleted."""
    recent = int(since.timestamp() * 1000)
    _empty_files(FileLog.objects.filter(step__job__expired_at__gte=recent))


def sweep_steps(steps: Collection[int]) -> None:
    """Empty the file logs of those of these steps whose logs have expired."""
    _empty_files(FileLog.objects.filter(step__in=steps, step__job__expired_at__isnull=False))


def delete_lost_packs() -> None:
    """Delete the packs of steps that were deleted or whose logs expired: a program of an earlier
    release, which does not know packs, leaves them."""
    for day in packs.days():
        named = packs.steps_of_day(day)
        while steps := list(itertools.islice(named, STEPS_AT_ONCE)):
            living = StepInstance.objects.filter(
                database.InArray("pk", steps), job__expired_at=None
            )
            if lost := set(steps).difference(living.values_list("pk", flat=True)):
                with transaction.atomic():
                    packs.delete_of_steps(day, lost, at_once=True)


def _empty_files(files: QuerySet[FileLog]) -> None:
    files.exclude(held_size=0).update(content=b"", held_size=0)


def _mark(jobs: Sequence[JobInstance]) -> None:
    now = int(timezone.now().timestamp() * 1000)
    ids = [job.pk for job in jobs]
    running = set(JobInstance.objects.filter(_runs(), id__in=ids).values_list("pk", flat=True))
    for job in jobs:
        days = job.scope.retention_days
        name = "LOG_RETENTION_DAYS" if days is None else f"{job.scope} retention"
        job.expired_at, job.expired_policy = now, f"{name} {days or settings.LOG_RETENTION_DAYS}"
        if job.pk in running:
            job.expired_policy += f", {STILL_RUNNING}"
    values = [[job.pk, job.expired_at, job.expired_policy] for job in jobs]
    database.update_rows(JobInstance, ("expired_at", "expired_policy"), values)
    _empty_files(FileLog.objects.filter(step__job__in=ids))


def forget(jobs: Sequence[JobInstance], *, due: QuerySet[JobInstance] | None = None) -> int:
    """Delete jobs with everything below them, in one transaction; return how many were deleted.

    Only jobs are deleted that are still in `due` (None: not held) once they are locked, since they
    may have changed after the list was read.
    """
    eligible = JobInstance.objects.not_held() if due is None else due

    def work() -> int:
        with transaction.atomic():
            return removing.delete(jobs, eligible).jobs

    return database.retrying(work)
