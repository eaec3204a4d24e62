"""Scopes, jobs and steps of a batch: which job a record means, and what it changes there.

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

from joblogs import database, records
from joblogs.access import Writer
from joblogs.models import JobInstance, Scope, StepInstance

from . import masking, precedence, step_tasks
from .batching import Entry, Numbered, OfHost, Pieces
from .finishes import Finishes, Span
from .held_finishes import JOB, STEP, PendingRows
from .report import NAMED, JobKey, Outcome, Reason, Refused
from .stored_parents import ScopeKey, StoredParents, load

_InJob = records.Step | OfHost

_JOB_COLUMNS = precedence.shared_columns(
    records.Job, JobInstance, apart_from=("job_instance_id", "create_time")
)
_STEP_COLUMNS = precedence.shared_columns(
    records.Step, StepInstance, apart_from=("step_instance_id", "step_type", *step_tasks.COLUMNS)
)


@dataclass(slots=True)
class StepWork:
    """A stored step and the records of a batch that are about its hosts, in their order."""

    step: StepInstance
    entries: list[tuple[int, OfHost]] = field(default_factory=list)
    blind_app: int | None = None
    """The app that writes them, if it may not read the step's scope."""


@dataclass(slots=True)
class Plan:
    """Plan of a batch: rows to write, work per step, and refusals."""

    outcome: Outcome
    jobs: PendingRows
    steps: PendingRows
    works: dict[tuple[JobKey, int], StepWork] = field(default_factory=dict)
    scope_by_job: ChainMap[int, ScopeKey] = field(default_factory=ChainMap)
    changed: dict[int, Scope | JobInstance | StepInstance] = field(default_factory=dict)
    lines: dict[int, tuple[JobInstance, list[int]]] = field(default_factory=dict)
    """Jobs, and the lines of their own records and of their steps'."""

    def name(self, job: JobInstance, line: int) -> None:
        self.lines.setdefault(id(job), (job, []))[1].append(line)

    def spans(self) -> list[Span]:
        """Which lines each job has in the batch, once all jobs are stored."""
        lines = {job.pk: list(own) for job, own in self.lines.values()}
        for work in self.works.values():
            own = lines.setdefault(work.step.job_id, [])
            for line, entry in work.entries:
                own += (line, entry.lines[-1] if isinstance(entry, Pieces) else line)
        return [(job, min(own), max(own)) for job, own in lines.items()]

    def change(self, row: Scope | JobInstance | StepInstance) -> None:
        self.changed[id(row)] = row

    def rows(self, model: type[Any], *, new: bool) -> list[Any]:
        """Changed rows of a model, those that are not stored yet or those that are."""
        return [
            row
            for row in self.changed.values()
            if isinstance(row, model) and row._state.adding is new
        ]


def settle(
    entries: Sequence[Numbered],
    *,
    writer: Writer,
    scope_by_job: dict[int, ScopeKey],
    finishes: Finishes,
) -> Plan:
    """Write what the batch changes in scopes, jobs and steps, but not that they ended.

    `scope_by_job` maps a job's number to the scope that the stream named last; it is updated, and
    `finishes` takes over the finishes that are held back.
    """
    plan = _walk(entries, load(entries, writer, scope_by_job), writer, scope_by_job, finishes)
    if plan.changed:
        plan = database.retrying(
            lambda: _settle_locked(entries, writer, scope_by_job, finishes, plan)
        )
        finishes.hold(JOB, plan.jobs.held_back())
        finishes.hold(STEP, plan.steps.held_back())
    scope_by_job.update(plan.scope_by_job.maps[0])
    return plan


def _settle_locked(
    entries: Sequence[Numbered],
    writer: Writer,
    scope_by_job: dict[int, ScopeKey],
    finishes: Finishes,
    first_plan: Plan,
) -> Plan:
    with transaction.atomic():
        Scope.objects.bulk_create(
            [
                Scope(scope_type=scope.scope_type, scope_id=scope.scope_id)
                for scope in sorted(first_plan.rows(Scope, new=True), key=str)
            ],
            ignore_conflicts=True,
        )
        plan = _walk(
            entries, load(entries, writer, scope_by_job, lock=True), writer, scope_by_job, finishes
        )
        plan.jobs.hide_finishes()
        plan.steps.hide_finishes()
        columns = ("name", "named_at")
        database.save_columns(Scope, columns, plan.rows(Scope, new=False))
        # What is made counts as stored from then on, so those that were stored come first.
        database.save_columns(JobInstance, _JOB_COLUMNS, plan.rows(JobInstance, new=False))
        JobInstance.objects.bulk_create(plan.rows(JobInstance, new=True))
        step_columns = (*_STEP_COLUMNS, *step_tasks.COLUMNS)
        database.save_columns(StepInstance, step_columns, plan.rows(StepInstance, new=False))
        StepInstance.objects.bulk_create(plan.rows(StepInstance, new=True))
    return plan


def _walk(
    entries: Iterable[Numbered],
    stored: StoredParents,
    writer: Writer,
    scope_by_job: dict[int, ScopeKey],
    finishes: Finishes,
) -> Plan:
    outcome = Outcome()
    jobs = finishes.pending_rows(JOB, outcome, job=lambda job: job.pk)
    steps = finishes.pending_rows(STEP, outcome, job=lambda step: step.job_id)
    jobs.apply_pending(stored.jobs.values())
    steps.apply_pending(stored.steps.values())
    # Not a copy: a stream may name a million jobs.
    plan = Plan(outcome, jobs, steps, scope_by_job=ChainMap({}, scope_by_job))
    # What the children of a step resolve to, until a job or a step says otherwise.
    resolved: dict[tuple[Any, ...], StepWork | _Unresolved] = {}
    for line, record in entries:
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
    """Error of a record whose job or step is missing or ambiguous."""

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason, self.message = reason, message
        super().__init__(message)

    def refuse(self, line: int, entry: Entry) -> list[Refused]:
        """The records of an entry, refused."""
        if isinstance(entry, Pieces):
            return entry.refused(self.reason, self.message)
        return [Refused(line, records.type_name(entry), self.reason, self.message)]


def _walk_job(
    line: int, record: records.Job, stored: StoredParents, writer: Writer, plan: Plan
) -> None:
    pair = (record.bk_scope_type, record.bk_scope_id)
    key = (*pair, record.job_instance_id)
    plan.scope_by_job[record.job_instance_id] = pair
    scope = stored.scopes.get(pair)
    if not writer.covers(scope):
        message = f"scope {pair[0]}:{pair[1]} is not granted for writing"
        plan.outcome.refused.append(Refused(line, "job", Reason.FORBIDDEN, message))
        return
    job = stored.jobs.get(key)
    if job is not None and (column := precedence.contradiction(job, _never_changing(record))):
        message = f"job {record.job_instance_id} has another {column}"
        plan.outcome.refused.append(Refused(line, "job", Reason.CONFLICT, message))
        return
    if scope is None:
        scope = stored.scopes[pair] = Scope(scope_type=pair[0], scope_id=pair[1])
        plan.change(scope)
    news = _name_scope(scope, record, plan)
    values = {column: getattr(record, column) for column in _JOB_COLUMNS}
    values["name"] = masking.mask_name(record.name, job.name if job else None)
    if job is None:
        job = _new_job(record, scope, values)
        stored.jobs[key] = job
        stored.keys_of_number.setdefault(key[2], []).append(key)
        plan.change(job)
        plan.jobs.add(line, job)
    elif plan.jobs.take(line, job, values, news=news):
        plan.change(job)
    plan.name(job, line)
    # Enough for a report, whatever a batch names.
    if len(plan.outcome.jobs) < NAMED and key not in plan.outcome.jobs:
        plan.outcome.jobs.append(key)


def _never_changing(record: records.Job) -> dict[str, Any]:
    return {"create_time": record.create_time}


def _new_job(record: records.Job, scope: Scope, values: dict[str, Any]) -> JobInstance:
    return JobInstance(
        scope=scope,
        job_instance_id=record.job_instance_id,
        create_time=record.create_time,
        day=day_of(record.create_time),
        # Only who makes the job knows that its logs are gone: later they may be here.
        expired_at=record.expired.at if record.expired else None,
        expired_policy=record.expired.policy if record.expired else "",
        **_stated_values(values),
    )


def _name_scope(scope: Scope, record: records.Job, plan: Plan) -> bool:
    name = record.scope_name
    name_time = record.create_time if record.update_time is None else record.update_time
    # Of two names for the same moment the greater one, so that the order does not matter.
    stored_time = precedence.credible(scope.named_at) or 0
    if not name or (scope.name and (name_time, name) <= (stored_time, scope.name)):
        return False
    # The same name stated later is remembered, but it is no news: a store takes nothing in from an
    # export of its own, where every job names the scope.
    news = name != scope.name
    scope.name, scope.named_at = name, name_time
    plan.change(scope)
    return news


def _walk_step(line: int, record: records.Step, stored: StoredParents, plan: Plan) -> None:
    try:
        key = _find_job(record, stored, plan)
    except _Unresolved as error:
        plan.outcome.refused += error.refuse(line, record)
        return
    job = stored.jobs[key]
    plan.name(job, line)
    step = stored.steps.get((key, record.step_instance_id))
    if step is not None and precedence.contradiction(step, {"step_type": record.step_type}):
        message = f"step {record.step_instance_id} has another step_type"
        plan.outcome.refused.append(Refused(line, "step", Reason.CONFLICT, message))
        return
    hidden = step is not None and step_tasks.hide_param(record, step)
    values = {column: getattr(record, column) for column in _STEP_COLUMNS}
    values["name"] = masking.mask_name(record.name, step.name if step else None)
    values |= step_tasks.values(record, step)
    if step is None:
        columns = {"create_time": job.create_time, **_stated_values(values)}
        step = StepInstance(
            job=job,
            step_instance_id=record.step_instance_id,
            step_type=record.step_type,
            day=job.day,
            **columns,
        )
        stored.steps[key, record.step_instance_id] = step
        plan.change(step)
        plan.steps.add(line, step)
    elif plan.steps.take(line, step, values, news=hidden) or hidden:
        plan.change(step)


def _find_job(record: _InJob, stored: StoredParents, plan: Plan) -> JobKey:
    """The job that a record means (docs/records.md, Which job is meant). Raises _Unresolved."""
    number = record.job_instance_id
    pair = plan.scope_by_job.get(number)
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


def _find_step(record: _InJob, stored: StoredParents, plan: Plan) -> StepWork:
    place = (_find_job(record, stored, plan), record.step_instance_id)
    step = stored.steps.get(place)
    if step is None:
        raise _Unresolved(
            Reason.UNKNOWN_PARENT,
            f"step {record.step_instance_id} of job {record.job_instance_id} is not known",
        )
    return plan.works.setdefault(place, StepWork(step))


def _stated_values(values: dict[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in values.items() if value is not None}


def day_of(create_time: int) -> datetime.date:
    """The UTC date of a job's create time in milliseconds, which a record may state."""
    return datetime.date(1970, 1, 1) + datetime.timedelta(milliseconds=create_time)
