"""Lookup of the scopes, jobs and steps that the records of a batch refer to."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import BigIntegerField, QuerySet

from joblogs import records
from joblogs.access import Writer
from joblogs.database import ArrayParam, CompiledQuery, InArray
from joblogs.models import JobInstance, Scope, StepInstance

from .batching import Numbered, OfHost
from .finishes import Finishes
from .report import JobKey, Reason

ScopeKey = tuple[str, str]


@dataclass(slots=True)
class StreamState:
    """State of a stream of records that is kept from batch to batch."""

    writer: Writer
    finishes: Finishes = field(default_factory=Finishes)
    scope_of_job: dict[int, ScopeKey] = field(default_factory=dict)
    """The last scope that the stream named for a job's number."""


class Unresolved(Exception):
    """Error: the job or step of a record is missing or ambiguous."""

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason, self.message = reason, message
        super().__init__(message)


@dataclass(slots=True)
class Parents:
    """Parents that a batch refers to, by key: stored ones, and those that it creates."""

    scopes: dict[ScopeKey, Scope]
    jobs: dict[JobKey, JobInstance]
    steps: dict[tuple[JobKey, int], StepInstance]
    scope_of_job: ChainMap[int, ScopeKey]
    keys_of_number: dict[int, list[JobKey]] = field(init=False)

    def __post_init__(self) -> None:
        self.keys_of_number = {}
        for key in self.jobs:
            self.keys_of_number.setdefault(key[2], []).append(key)

    def find_job(self, record: records.Step | OfHost) -> JobKey:
        """Return the job of a record (docs/records.md, Which job is meant). Raise Unresolved."""
        number = record.job_instance_id
        pair = self.scope_of_job.get(number)
        if record.bk_scope_type is not None and record.bk_scope_id is not None:
            pair = (record.bk_scope_type, record.bk_scope_id)
        if pair is not None:
            keys = [key] if (key := (*pair, number)) in self.jobs else []
        else:
            keys = self.keys_of_number.get(number, [])
        if not keys:
            raise Unresolved(Reason.UNKNOWN_PARENT, f"job {number} is not known")
        if len(keys) > 1:
            raise Unresolved(
                Reason.AMBIGUOUS,
                f"job {number} is in several scopes; "
                "a job record before it, or bk_scope_type and bk_scope_id in it, say which",
            )
        return keys[0]

    def find_step(self, record: OfHost) -> StepInstance:
        """Return the step of a record. Raise Unresolved."""
        step = self.steps.get((self.find_job(record), record.step_instance_id))
        if step is None:
            raise Unresolved(
                Reason.UNKNOWN_PARENT,
                f"step {record.step_instance_id} of job {record.job_instance_id} is not known",
            )
        return step


def load(entries: Sequence[Numbered], state: StreamState, *, lock: bool = False) -> Parents:
    """Return the scopes, jobs and steps that records refer to and that the writer may write.

    `lock`: lock rows that may be changed, and parents of rows that may be created, in a
    transaction.
    """
    writer = state.writer
    of_jobs = [record for _, record in entries if isinstance(record, records.Job)]
    of_steps = [record for _, record in entries if isinstance(record, records.Step)]
    pairs = {(record.bk_scope_type, record.bk_scope_id) for record in of_jobs}
    scopes = {}
    if pairs:
        rows = Scope.objects.filter(scope_id__in={scope_id for _, scope_id in pairs})
        if lock:
            rows = rows.select_for_update(no_key=True).order_by("pk")
        scopes = {(scope.scope_type, scope.scope_id): scope for scope in rows}
    if lock:
        # Creating or changing a job or step requires the lock of its parent, so that no other
        # transaction creates the same row.
        touched = {job.job_instance_id for job in of_jobs}
        touched |= {step.job_instance_id for step in of_steps}
        locked = writer.jobs().filter(job_instance_id__in=touched)
        list(locked.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    jobs = {
        (job.scope.scope_type, job.scope.scope_id, job.job_instance_id): job
        for job in writer.jobs_numbered({record.job_instance_id for _, record in entries})
    }
    numbers = {
        record.step_instance_id for _, record in entries if not isinstance(record, records.Job)
    }
    key_of = {job.pk: key for key, job in jobs.items()}
    if lock and of_steps:
        own = StepInstance.objects.filter(job__in=key_of, step_instance_id__in=numbers)
        list(own.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    steps = {}
    for step in _steps_numbered(jobs=key_of, numbers=numbers) if numbers and key_of else ():
        key = key_of[step.job_id]
        step.job = jobs[key]
        steps[key, step.step_instance_id] = step
    # A ChainMap instead of a copy: a stream may name a million jobs.
    return Parents(scopes, jobs, steps, ChainMap({}, state.scope_of_job))


@CompiledQuery
def _steps_numbered() -> QuerySet[StepInstance]:
    in_jobs = InArray("job_id", ArrayParam("jobs", BigIntegerField()))
    numbered = InArray("step_instance_id", ArrayParam("numbers", BigIntegerField()))
    return StepInstance.objects.filter(in_jobs, numbered)
