"""Stored scopes, jobs and steps that a batch names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, QuerySet

from joblogs import database, records
from joblogs.access import Writer
from joblogs.models import JobInstance, Scope, StepInstance

from .batching import Numbered
from .report import JobKey

ScopeKey = tuple[str, str]


@dataclass(slots=True)
class StoredParents:
    """Stored parents that a batch names, by their keys; `hierarchy` adds those it creates."""

    scopes: dict[ScopeKey, Scope]
    jobs: dict[JobKey, JobInstance]
    steps: dict[tuple[JobKey, int], StepInstance]
    keys_of_number: dict[int, list[JobKey]]


def load(
    entries: Sequence[Numbered],
    writer: Writer,
    scope_by_job: dict[int, ScopeKey],
    *,
    lock: bool = False,
) -> StoredParents:
    """The scopes, jobs and steps that records name, as far as the writer may write to them.

    `lock`: within a transaction, for those that are to be made or changed.
    """
    stated = [record for _, record in entries if isinstance(record, records.Job)]
    in_steps = [record for _, record in entries if isinstance(record, records.Step)]
    pairs = {(record.bk_scope_type, record.bk_scope_id) for record in stated}
    scopes = _load_scopes(pairs, lock=lock)
    numbers = {record.job_instance_id for _, record in entries}
    if lock:
        # Whoever makes or changes a job or step holds its parent: so nobody else makes it too.
        touched = {r.job_instance_id for r in stated} | {r.job_instance_id for r in in_steps}
        _lock(writer.jobs().filter(job_instance_id__in=touched))
    jobs = {
        (job.scope.scope_type, job.scope.scope_id, job.job_instance_id): job
        for job in writer.jobs_numbered(numbers)
    }
    step_numbers = {
        record.step_instance_id for _, record in entries if not isinstance(record, records.Job)
    }
    key_of = {job.pk: key for key, job in jobs.items()}
    if lock and in_steps:
        rows = StepInstance.objects.filter(job__in=key_of, step_instance_id__in=step_numbers)
        _lock(rows)
    steps = {}
    has_steps = step_numbers and key_of
    for step in _steps_numbered(jobs=key_of, numbers=step_numbers) if has_steps else ():
        key = key_of[step.job_id]
        step.job = jobs[key]
        steps[key, step.step_instance_id] = step
    keys_of_number: dict[int, list[JobKey]] = {}
    for key in jobs:
        keys_of_number.setdefault(key[2], []).append(key)
    return StoredParents(scopes, jobs, steps, keys_of_number)


@database.CompiledQuery
def _steps_numbered() -> QuerySet[StepInstance]:
    jobs = database.ArrayParam("jobs", BigIntegerField())
    numbers = database.ArrayParam("numbers", BigIntegerField())
    return StepInstance.objects.filter(
        database.InArray("job_id", jobs), database.InArray("step_instance_id", numbers)
    )


def _load_scopes(pairs: set[tuple[Any, str]], *, lock: bool) -> dict[ScopeKey, Scope]:
    if not pairs:
        return {}
    rows = Scope.objects.filter(scope_id__in={scope_id for _, scope_id in pairs})
    if lock:
        rows = rows.select_for_update(no_key=True).order_by("pk")
    return {
        (scope.scope_type, scope.scope_id): scope
        for scope in rows
        if (scope.scope_type, scope.scope_id) in pairs
    }


def _lock(rows: Any) -> None:
    list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
