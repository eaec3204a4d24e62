"""Scopes, jobs and steps of a slice: which job a record means, and what it changes there.

Records are walked in their order over what is stored. If nothing differs, nothing is locked or
written; else the rows are locked (scope, job, step, each by ascending id) and walked again.
"""

from __future__ import annotations

import datetime
from collections import ChainMap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, QuerySet

from joblogs import database, records
from joblogs.access import Writer
from joblogs.choices import run_rank
from joblogs.models import JobInstance, Scope, StepInstance

from . import merge
from .report import NAMED, JobKey, Outcome, Reason, Refused
from .slicing import Entry, Numbered, Pieces

_InJob = records.Step | records.HostResult | records.FileLog | Pieces
ScopeKey = tuple[str, str]

_JOB_COLUMNS = (
    "name",
    "operator",
    "source",
    "launch_mode",
    "task_type",
    "status",
    "execute_count",
    "update_time",
    "start_time",
    "end_time",
    "total_time",
)
_STEP_COLUMNS = (
    "name",
    "position",
    "status",
    "execute_count",
    "update_time",
    "create_time",
    "start_time",
    "end_time",
    "total_time",
)


@dataclass(slots=True)
class StepWork:
    """A stored step and the records of a slice that are about its hosts, in their order."""

    step: StepInstance
    entries: list[Numbered] = field(default_factory=list)


@dataclass(slots=True)
class _Stored:
    """What a slice names, as it is stored; the walk adds what it makes."""

    scopes: dict[ScopeKey, Scope]
    jobs: dict[JobKey, JobInstance]
    steps: dict[tuple[JobKey, int], StepInstance]
    keys_of_number: dict[int, list[JobKey]]


@dataclass(slots=True)
class Plan:
    """What walking a slice came to."""

    outcome: Outcome = field(default_factory=Outcome)
    works: dict[tuple[JobKey, int], StepWork] = field(default_factory=dict)
    named: ChainMap[int, ScopeKey] = field(default_factory=ChainMap)
    changed: dict[int, Scope | JobInstance | StepInstance] = field(default_factory=dict)

    def change(self, row: Scope | JobInstance | StepInstance) -> None:
        self.changed[id(row)] = row

    def rows(self, model: type[Any], *, new: bool) -> list[Any]:
        """Changed rows of a model, those that are not stored yet or those that are."""
        return [
            row
            for row in self.changed.values()
            if isinstance(row, model) and row._state.adding is new
        ]


def settle(slice_: Sequence[Numbered], *, writer: Writer, named: dict[int, ScopeKey]) -> Plan:
    """Write what the slice changes in scopes, jobs and steps.

    `named` tells which scope's job of a number the stream named last; it is told what is new.
    """
    plan = _walk(slice_, _load(slice_, writer, named), writer, named)
    if plan.changed:
        plan = database.retrying(lambda: _settle_locked(slice_, writer, named, plan))
    named.update(plan.named.maps[0])
    return plan


def _settle_locked(
    slice_: Sequence[Numbered], writer: Writer, named: dict[int, ScopeKey], seen: Plan
) -> Plan:
    with transaction.atomic():
        Scope.objects.bulk_create(
            [
                Scope(scope_type=scope.scope_type, scope_id=scope.scope_id)
                for scope in sorted(seen.rows(Scope, new=True), key=str)
            ],
            ignore_conflicts=True,
        )
        plan = _walk(slice_, _load(slice_, writer, named, lock=True), writer, named)
        columns = ("name", "named_at")
        database.save_columns(Scope, columns, plan.rows(Scope, new=False))
        # What is made counts as stored from then on, so those that were stored come first.
        database.save_columns(JobInstance, _JOB_COLUMNS, plan.rows(JobInstance, new=False))
        JobInstance.objects.bulk_create(plan.rows(JobInstance, new=True))
        database.save_columns(StepInstance, _STEP_COLUMNS, plan.rows(StepInstance, new=False))
        StepInstance.objects.bulk_create(plan.rows(StepInstance, new=True))
    return plan


def _load(
    slice_: Sequence[Numbered],
    writer: Writer,
    named: dict[int, ScopeKey],
    *,
    lock: bool = False,
) -> _Stored:
    stated = [record for _, record in slice_ if isinstance(record, records.Job)]
    in_steps = [record for _, record in slice_ if isinstance(record, records.Step)]
    pairs = {(record.bk_scope_type, record.bk_scope_id) for record in stated}
    scopes = _load_scopes(pairs, lock=lock)
    numbers = {record.job_instance_id for _, record in slice_}
    if lock:
        # Whoever makes or changes a job or step holds its parent: so nobody else makes it too.
        touched = {r.job_instance_id for r in stated} | {r.job_instance_id for r in in_steps}
        _lock(writer.jobs().filter(job_instance_id__in=touched))
    jobs = {
        (job.scope.scope_type, job.scope.scope_id, job.job_instance_id): job
        for job in writer.jobs_numbered(numbers)
    }
    step_numbers = {
        record.step_instance_id for _, record in slice_ if not isinstance(record, records.Job)
    }
    key_of = {job.pk: key for key, job in jobs.items()}
    if lock and in_steps:
        held = StepInstance.objects.filter(job__in=key_of, step_instance_id__in=step_numbers)
        _lock(held)
    steps = {}
    asked = step_numbers and key_of
    for step in _steps_numbered(jobs=key_of, numbers=step_numbers) if asked else ():
        key = key_of[step.job_id]
        step.job = jobs[key]
        steps[key, step.step_instance_id] = step
    keys_of_number: dict[int, list[JobKey]] = {}
    for key in jobs:
        keys_of_number.setdefault(key[2], []).append(key)
    return _Stored(scopes, jobs, steps, keys_of_number)


@database.Prepared
def _steps_numbered() -> QuerySet[StepInstance]:
    jobs = database.GivenMany("jobs", BigIntegerField())
    numbers = database.GivenMany("numbers", BigIntegerField())
    return StepInstance.objects.filter(
        database.Among("job_id", jobs), database.Among("step_instance_id", numbers)
    )


def _load_scopes(pairs: set[tuple[Any, str]], *, lock: bool) -> dict[ScopeKey, Scope]:
    if not pairs:
        return {}
    found = Scope.objects.filter(scope_id__in={scope_id for _, scope_id in pairs})
    if lock:
        found = found.select_for_update(no_key=True).order_by("pk")
    return {
        (scope.scope_type, scope.scope_id): scope
        for scope in found
        if (scope.scope_type, scope.scope_id) in pairs
    }


def _lock(rows: Any) -> None:
    list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def _walk(
    slice_: Iterable[Numbered], stored: _Stored, writer: Writer, named: dict[int, ScopeKey]
) -> Plan:
    # Not a copy: a stream may name a million jobs.
    plan = Plan(named=ChainMap({}, named))
    # What the children of a step resolve to, until a job or a step says otherwise.
    resolved: dict[tuple[Any, ...], StepWork | _Unresolved] = {}
    for line, record in slice_:
        if isinstance(record, records.Job):
            resolved.clear()
            _walk_job(line, record, stored, writer, plan)
        elif isinstance(record, records.Step):
            resolved.clear()
            _walk_step(line, record, stored, plan)
        else:
            key = (
                record.job_instance_id,
                record.step_instance_id,
                record.bk_scope_type,
                record.bk_scope_id,
            )
            work = resolved.get(key)
            if work is None:
                try:
                    work = _find_step(record, stored, plan)
                except _Unresolved as error:
                    work = error
                resolved[key] = work
            if isinstance(work, _Unresolved):
                plan.outcome.refused += work.refuse(line, record)
                continue
            work.entries.append((line, record))
    return plan


class _Unresolved(Exception):
    """A record's job or step is not there, or not told apart."""

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason, self.message = reason, message
        super().__init__(message)

    def refuse(self, line: int, entry: Entry) -> list[Refused]:
        """The records of an entry, refused."""
        if isinstance(entry, Pieces):
            return [Refused(n, entry.type_name, self.reason, self.message) for n in entry.lines]
        return [Refused(line, records.type_name(entry), self.reason, self.message)]


def _walk_job(line: int, record: records.Job, stored: _Stored, writer: Writer, plan: Plan) -> None:
    pair = (record.bk_scope_type, record.bk_scope_id)
    key = (*pair, record.job_instance_id)
    plan.named[record.job_instance_id] = pair
    scope = stored.scopes.get(pair)
    if not writer.covers(scope):
        message = f"scope {pair[0]}:{pair[1]} is not granted for writing"
        plan.outcome.refused.append(Refused(line, "job", Reason.FORBIDDEN, message))
        return
    job = stored.jobs.get(key)
    if job is not None and (column := merge.contradiction(job, _never_changing(record))):
        message = f"job {record.job_instance_id} has another {column}"
        plan.outcome.refused.append(Refused(line, "job", Reason.CONFLICT, message))
        return
    if scope is None:
        scope = stored.scopes[pair] = Scope(scope_type=pair[0], scope_id=pair[1])
        plan.change(scope)
    changed = _name_scope(scope, record, plan)
    said = {column: getattr(record, column) for column in _JOB_COLUMNS}
    if job is None:
        job = _new_job(record, scope, said)
        stored.jobs[key] = job
        stored.keys_of_number.setdefault(key[2], []).append(key)
        plan.change(job)
        changed = True
    elif merge.apply(job, merge.changes(job, said, rank=run_rank, counts_runs=True)):
        plan.change(job)
        changed = True
    plan.outcome.count(changed=changed)
    # Enough for a report, whatever a slice names.
    if len(plan.outcome.jobs) < NAMED and key not in plan.outcome.jobs:
        plan.outcome.jobs.append(key)


def _never_changing(record: records.Job) -> dict[str, Any]:
    return {"create_time": record.create_time}


def _new_job(record: records.Job, scope: Scope, said: dict[str, Any]) -> JobInstance:
    return JobInstance(
        scope=scope,
        job_instance_id=record.job_instance_id,
        create_time=record.create_time,
        day=day_of(record.create_time),
        # Only who makes the job knows that its logs are gone: later they may be here.
        expired_at=record.expired.at if record.expired else None,
        expired_policy=record.expired.policy if record.expired else "",
        **_given(said),
    )


def _name_scope(scope: Scope, record: records.Job, plan: Plan) -> bool:
    name = record.scope_name
    said_at = record.create_time if record.update_time is None else record.update_time
    # Of two names for the same moment the greater one, so that the order does not matter.
    held_at = merge.credible(scope.named_at) or 0
    if not name or (scope.name and (said_at, name) <= (held_at, scope.name)):
        return False
    # The same name said later is remembered, but it is no news: a store takes nothing in from an
    # export of its own, where every job names the scope.
    news = name != scope.name
    scope.name, scope.named_at = name, said_at
    plan.change(scope)
    return news


def _walk_step(line: int, record: records.Step, stored: _Stored, plan: Plan) -> None:
    try:
        key = _find_job(record, stored, plan)
    except _Unresolved as error:
        plan.outcome.refused += error.refuse(line, record)
        return
    job = stored.jobs[key]
    step = stored.steps.get((key, record.step_instance_id))
    said = {column: getattr(record, column) for column in _STEP_COLUMNS}
    if step is None:
        given = {"create_time": job.create_time, **_given(said)}
        step = StepInstance(
            job=job,
            step_instance_id=record.step_instance_id,
            step_type=record.step_type,
            day=job.day,
            **given,
        )
        stored.steps[key, record.step_instance_id] = step
        plan.change(step)
        plan.outcome.count(changed=True)
    elif merge.contradiction(step, {"step_type": record.step_type}):
        message = f"step {record.step_instance_id} has another step_type"
        plan.outcome.refused.append(Refused(line, "step", Reason.CONFLICT, message))
    else:
        changed = merge.changes(step, said, rank=run_rank, counts_runs=True)
        if merge.apply(step, changed):
            plan.change(step)
        plan.outcome.count(changed=bool(changed))


def _find_job(record: _InJob, stored: _Stored, plan: Plan) -> JobKey:
    """The job that a record means (RECORDS, Which job). Raises _Unresolved."""
    number = record.job_instance_id
    pair = plan.named.get(number)
    if record.bk_scope_type is not None and record.bk_scope_id is not None:
        pair = (record.bk_scope_type, record.bk_scope_id)
    if pair is not None:
        keys = [key] if (key := (*pair, number)) in stored.jobs else []
    else:
        keys = stored.keys_of_number.get(number, [])
    if not keys:
        raise _Unresolved(Reason.UNKNOWN_PARENT, f"job {number} is not known")
    if len(keys) > 1:
        raise _Unresolved(
            Reason.AMBIGUOUS,
            f"job {number} is in several scopes; "
            "a job record before it, or bk_scope_type and bk_scope_id in it, say which",
        )
    return keys[0]


def _find_step(record: _InJob, stored: _Stored, plan: Plan) -> StepWork:
    place = (_find_job(record, stored, plan), record.step_instance_id)
    step = stored.steps.get(place)
    if step is None:
        raise _Unresolved(
            Reason.UNKNOWN_PARENT,
            f"step {record.step_instance_id} of job {record.job_instance_id} is not known",
        )
    return plan.works.setdefault(place, StepWork(step))


def _given(said: dict[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in said.items() if value is not None}


def day_of(create_time: int) -> datetime.date:
    """The UTC date of a job's create time in milliseconds, which a record may state."""
    return datetime.date(1970, 1, 1) + datetime.timedelta(milliseconds=create_time)
