"""Removal of jobs, with everything below them and everything computed from their logs.

All removals of jobs, by command, in the admin or by age, are done here. The audit rows of reads,
redactions and removals are kept: they have no foreign keys.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from joblogs import (
    database,
    failure_tallies,
    kept_groups,
    log_features,
    object_store,
    signed_parts,
)
from joblogs.logtext import store
from joblogs.logtext.store import packs
from joblogs.models import FileLog, HostResult, JobInstance, Notice, Removal, StepInstance

from . import moving

JOBS_AT_ONCE = 100
HELD_NAMED = 20
"""Maximum held jobs that are named."""


@dataclass(slots=True)
class Removed:
    """Counts of what a run removed, or would remove, and the held jobs that it skipped."""

    jobs: int = 0
    results: int = 0
    size: int = 0
    """Bytes of log text."""
    held: int = 0
    names: list[str] = field(default_factory=list)
    """Names of held jobs, such as `biz:2/100`; at most HELD_NAMED."""
    left_in_objects: bool = False
    """Whether removed text is still in object storage; the next run of maintenance deletes it."""

    def add(self, other: Removed) -> None:
        self.jobs += other.jobs
        self.results += other.results
        self.size += other.size


def name_of(job: JobInstance) -> str:
    """Return the name of a job, such as `biz:2/100`; its scope should be loaded."""
    return f"{job.scope}/{job.job_instance_id}"


def remove(
    jobs: Iterable[JobInstance],
    *,
    by: str,
    selection: str,
    dry_run: bool = False,
    progress: Callable[[int], object] = lambda jobs: None,
) -> Removed:
    """Remove these jobs except held ones; `progress` is called with the number of jobs processed.

    Jobs are removed in batches, each in one transaction with the update of the run's Removal: an
    interrupted run is simply run again. A dry run counts the same rows and leaves no record. Raises
    Unavailable.
    """
    totals, record = Removed(), None
    if not dry_run:
        record = Removal.objects.create(started_at=timezone.now(), by=by[:256], selection=selection)
    free = JobInstance.objects.not_held()
    days = set[datetime.date]()
    for batch in _batches(jobs):
        days.update(job.day for job in batch)
        if record is None:
            removed, held = _measure(free.filter(id__in=_ids(batch))), _held(batch)
        else:
            removed, held = database.retrying(lambda b=batch: _take(b, free, totals, record))  # type: ignore[misc]
        totals.add(removed)
        totals.held += len(held)
        totals.names += [name_of(job) for job in held][: HELD_NAMED - len(totals.names)]
        progress(len(batch))
    if record is not None:
        totals.left_in_objects = not moving.delete_at_once(days)
        record.finished_at = timezone.now()
        record.save(update_fields=["finished_at"])
    return totals


def _batches(jobs: Iterable[JobInstance]) -> Iterator[list[JobInstance]]:
    remaining = iter(jobs)
    while batch := list(itertools.islice(remaining, JOBS_AT_ONCE)):
        yield batch


def _ids(jobs: Iterable[JobInstance]) -> list[int]:
    return [job.pk for job in jobs]


def _held(jobs: Sequence[JobInstance]) -> list[JobInstance]:
    held = JobInstance.objects.held().filter(id__in=_ids(jobs))
    return list(held.select_related("scope").order_by("pk"))


def _take(
    batch: Sequence[JobInstance], free: QuerySet[JobInstance], totals: Removed, record: Removal
) -> tuple[Removed, list[JobInstance]]:
    with transaction.atomic():
        removed, held = delete(batch, free, at_once=True), _held(batch)
        Removal.objects.filter(pk=record.pk).update(
            jobs=totals.jobs + removed.jobs,
            results=totals.results + removed.results,
            size=totals.size + removed.size,
            held=totals.held + len(held),
        )
    return removed, held


def delete(
    jobs: Sequence[JobInstance], eligible: QuerySet[JobInstance], *, at_once: bool = False
) -> Removed:
    """Delete the jobs that are still `eligible` once they are locked, from the leaves up.

    They may have changed since the list was read: by a hold, or a host that runs again. `at_once`:
    their text is deleted from objects without the grace period. Part of the caller's transaction.
    """
    ids = _ids(jobs)
    locked = JobInstance.objects.select_for_update(no_key=True).order_by("pk")
    list(locked.filter(id__in=ids))
    # Creating host results locks their step: wait for new ones, which would be missed.
    below = StepInstance.objects.filter(job__in=ids).order_by("pk")
    list(below.select_for_update(no_key=True))
    going = JobInstance.objects.filter(id__in=_ids(eligible.order_by("pk").filter(id__in=ids)))
    steps = StepInstance.objects.filter(job__in=_ids(going))
    rows = HostResult.objects.filter(step__in=steps)
    step_keys = list(steps.values_list("pk", flat=True))
    days = set(going.values_list("day", flat=True)) | set(rows.values_list("day", flat=True))
    scopes = set(going.values_list("scope_id", flat=True))
    for day in sorted(days):
        logs = rows.filter(day=day).select_for_update(of=("self",)).order_by("pk")
        keys = list(logs.values_list("pk", flat=True))
        store.delete(day, keys)
        packs.delete_of_steps(day, step_keys, at_once=at_once)
        if at_once:
            # Also text that expired earlier.
            object_store.hasten(day, scopes)
        log_features.delete(day, keys)
        steps_of_day = list(steps.filter(day=day).values_list("pk", flat=True))
        kept_groups.delete(day, steps_of_day)
        signed_parts.clear(day, steps_of_day)
    removed = _measure(going)
    FileLog.objects.filter(step__in=steps).delete()
    rows.delete()
    failure_tallies.forget(list(steps.values_list("pk", flat=True)))
    Notice.objects.filter(step_id__in=list(steps.values_list("pk", flat=True))).delete()
    steps.delete()
    going.delete()
    return removed


def _measure(jobs: QuerySet[JobInstance]) -> Removed:
    """Return the counts of what is removed with these jobs."""
    living = jobs.filter(expired_at=None)
    rows = HostResult.objects.filter(step__job__in=jobs)
    files = FileLog.objects.filter(step__job__in=living)
    sizes = (
        query.aggregate(size=Sum("held_size"))["size"] or 0
        for query in (rows.filter(step__job__in=living), files)
    )
    return Removed(jobs=jobs.count(), results=rows.count(), size=sum(sizes))
