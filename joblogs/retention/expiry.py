"""What is kept no longer: first the logs of a job, later its rows (DESIGN §6).

Expiry is a fact of the job, set in the transaction in which the bytes go. A held job keeps both.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from joblogs import database
from joblogs.content import store
from joblogs.models import FileLog, HostResult, JobInstance, Scope, StepInstance

LONGEST_DAYS = 365_000
"""More days than that lead out of the calendar: they are for ever."""
SURVIVORS_SHARE = 4
"""A day is rewritten around what stays of it if that is at most one part in so many."""


def _older_than(field: str, setting: int | None, today: datetime.date) -> Q:
    """Jobs that are older than their scope's policy, or else than the setting, allows."""
    condition = Q(id__in=[])
    days = Scope.objects.exclude(**{field: None}).values_list(field, flat=True).distinct()
    for kept in days:
        before = today - datetime.timedelta(days=min(kept, LONGEST_DAYS))
        condition |= Q(**{f"scope__{field}": kept}) & Q(day__lt=before) if kept else Q(id__in=[])
    if setting:
        before = today - datetime.timedelta(days=setting)
        condition |= Q(**{f"scope__{field}": None}, day__lt=before)
    return condition


def logs_due(today: datetime.date) -> QuerySet[JobInstance]:
    """The jobs whose logs are to go."""
    policy = _older_than("retention_days", settings.LOG_RETENTION_DAYS, today)
    return JobInstance.objects.filter(policy, expired_at=None, held_at=None)


def history_due(today: datetime.date) -> QuerySet[JobInstance]:
    """The jobs that are to go altogether."""
    policy = _older_than("history_days", settings.HISTORY_RETENTION_DAYS, today)
    return JobInstance.objects.filter(policy, held_at=None)


def expire_day(day: datetime.date, today: datetime.date) -> int:
    """Empty a day's partition, if it has one and little of it stays; how many jobs expired.

    0 if that is not the way for this day: then `expire_job` is, job by job.
    """
    partitions = store.PARTITIONS
    if day not in partitions.days():
        return 0
    try:
        with transaction.atomic():
            partitions.lock(day)
            expiring = logs_due(today).filter(day=day).select_related("scope").order_by("pk")
            due = list(expiring.select_for_update(no_key=True, of=("self",)))
            staying = JobInstance.objects.filter(day=day, expired_at=None).exclude(
                id__in=[job.pk for job in due]
            )
            logs = list(
                HostResult.objects.filter(step__job__in=staying).values_list("pk", flat=True)
            )
            if not due or not _is_little(logs, due):
                return 0
            partitions.keep_only(day, logs)
            _mark(due)
    except OperationalError:
        # The lock was not to be had: somebody reads that day. Job by job needs none.
        return 0
    return len(due)


def _is_little(staying: list[int], due: list[JobInstance]) -> bool:
    if not staying:
        return True
    rows = HostResult.objects.filter(id__in=staying)
    going = HostResult.objects.filter(step__job__in=due)
    kept, gone = (query.aggregate(size=Sum("held_size"))["size"] or 0 for query in (rows, going))
    return bool(kept * SURVIVORS_SHARE <= kept + gone)


def expire_job(job: JobInstance) -> bool:
    """Let the logs of one job go; False if it was held or expired meanwhile."""

    def work() -> bool:
        with transaction.atomic():
            # A hold may have come since the list was read.
            due = JobInstance.objects.select_for_update(no_key=True)
            if not due.filter(pk=job.pk, held_at=None, expired_at=None):
                return False
            # Whoever makes host results holds their step: wait, else theirs would not be seen.
            list(StepInstance.objects.select_for_update(no_key=True).filter(job=job).order_by("pk"))
            rows = HostResult.objects.select_for_update().filter(step__job=job).order_by("pk")
            store.delete(job.day, list(rows.values_list("pk", flat=True)))
            _mark([job])
        return True

    return database.retrying(work)


def sweep(since: datetime.datetime) -> None:
    """Empty file logs that came while their job's logs went: a writer had looked just before."""
    recent = int(since.timestamp() * 1000)
    late = FileLog.objects.filter(step__job__expired_at__gte=recent).exclude(held_size=0)
    late.update(content=b"", held_size=0)


def _mark(jobs: Sequence[JobInstance]) -> None:
    now = int(timezone.now().timestamp() * 1000)
    for job in jobs:
        kept = job.scope.retention_days
        name = "LOG_RETENTION_DAYS" if kept is None else f"{job.scope} retention"
        job.expired_at, job.expired_policy = now, f"{name} {kept or settings.LOG_RETENTION_DAYS}"
    values = [[job.pk, job.expired_at, job.expired_policy] for job in jobs]
    database.update_rows(JobInstance, ("expired_at", "expired_policy"), values)
    files = FileLog.objects.filter(step__job__in=[job.pk for job in jobs]).exclude(held_size=0)
    files.update(content=b"", held_size=0)


def forget(jobs: Sequence[JobInstance]) -> int:
    """Let these jobs go altogether, with whatever is below them; how many were not held."""

    def work() -> int:
        with transaction.atomic():
            # A hold may have come since the list was read.
            ids = [job.pk for job in jobs]
            locked = JobInstance.objects.select_for_update(no_key=True).order_by("pk")
            going = list(locked.filter(id__in=ids, held_at=None))
            steps = StepInstance.objects.filter(job__in=going).order_by("pk")
            list(steps.select_for_update(no_key=True))
            rows = HostResult.objects.filter(step__in=steps)
            for day in {job.day for job in going}:
                logs = rows.filter(day=day).select_for_update().order_by("pk")
                store.delete(day, list(logs.values_list("pk", flat=True)))
            FileLog.objects.filter(step__in=steps).delete()
            rows.delete()
            steps.delete()
            JobInstance.objects.filter(id__in=[job.pk for job in going]).delete()
        return len(going)

    return database.retrying(work)
