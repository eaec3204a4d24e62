"""Changes of scopes, jobs and steps by a batch.

Records are applied in order to the stored rows. If nothing changes, nothing is locked or written.
Otherwise the rows are locked (scope, job, step, each by ascending id) and the records are applied
again.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Model

from joblogs import database, records
from joblogs.models import JobInstance, Scope, StepInstance

from . import masking, precedence, step_tasks
from .batching import Numbered, OfHost, Pieces, refused
from .finishes import Span
from .held_finishes import JOB, STEP, PendingRows
from .parents import StreamState, Unresolved, load
from .report import NAMED, Outcome, Reason, Refused

_JOB_COLUMNS = precedence.shared_columns(
    records.Job, JobInstance, apart_from=("job_instance_id", "create_time")
)
_STEP_COLUMNS = precedence.shared_columns(
    records.Step, StepInstance, apart_from=("step_instance_id", "step_type", *step_tasks.COLUMNS)
)
_SAVED: tuple[tuple[type[Model], tuple[str, ...]], ...] = (
    (Scope, ("name", "named_at")),
    (JobInstance, _JOB_COLUMNS),
    (StepInstance, (*_STEP_COLUMNS, *step_tasks.COLUMNS)),
)
_FIRST_DAY = datetime.date(1970, 1, 1)


@dataclass(slots=True)
class StepWork:
    """A stored step, and the records of a batch about its hosts, in order."""

    step: StepInstance
    entries: list[tuple[int, OfHost]] = field(default_factory=list)
    blind_app: int | None = None
    """Key of the app that writes, if it may not read the step's scope."""


class Plan:
    """Changes of scopes, jobs and steps by a batch, its refusals, and its work by step."""

    def __init__(
        self, entries: Sequence[Numbered], state: StreamState, *, lock: bool = False
    ) -> None:
        """`lock`: lock the rows, in a transaction that saves those in `changed`."""
        self.parents = load(entries, state, lock=lock)
        self.outcome = Outcome()
        held, parents = state.finishes.held, self.parents
        jobs, steps = parents.jobs.values(), parents.steps.values()
        self.jobs = PendingRows(JOB, held, jobs, self.outcome, job=lambda job: job.pk)
        self.steps = PendingRows(STEP, held, steps, self.outcome, job=lambda step: step.job_id)
        self.changed: dict[int, Scope | JobInstance | StepInstance] = {}
        self.works: dict[int, StepWork] = {}
        self._writer = state.writer
        self._lines: dict[int, tuple[JobInstance, list[int]]] = {}
        """Jobs, and the lines of their own records and their steps' records."""
        # Steps of records, valid until the next job or step record.
        resolved: dict[tuple[Any, ...], StepWork | Unresolved] = {}
        for line, record in entries:
            if isinstance(record, records.Job):
                resolved.clear()
                self._take_job(line, record)
            elif isinstance(record, records.Step):
                resolved.clear()
                self._take_step(line, record)
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
                        step = parents.find_step(record)
                        work = self.works.setdefault(id(step), StepWork(step))
                    except Unresolved as error:
                        work = error
                    resolved[key] = work
                if isinstance(work, Unresolved):
                    self.outcome.refused += refused(line, record, work.reason, work.message)
                else:
                    work.entries.append((line, record))

    def spans(self) -> list[Span]:
        """Return the first and last line of each job in the batch, once all jobs are stored."""
        lines = {job.pk: list(own) for job, own in self._lines.values()}
        for work in self.works.values():
            own = lines.setdefault(work.step.job_id, [])
            for line, entry in work.entries:
                own += (line, entry.lines[-1] if isinstance(entry, Pieces) else line)
        return [(job, min(own), max(own)) for job, own in lines.items()]

    def _refuse(self, line: int, type_name: str, reason: Reason, message: str) -> None:
        self.outcome.refused.append(Refused(line, type_name, reason, message))

    def _take_job(self, line: int, record: records.Job) -> None:
        parents, number = self.parents, record.job_instance_id
        pair = (record.bk_scope_type, record.bk_scope_id)
        key = (*pair, number)
        parents.scope_of_job[number] = pair
        scope, job = parents.scopes.get(pair), parents.jobs.get(key)
        if not self._writer.covers(scope):
            message = f"scope {pair[0]}:{pair[1]} is not granted for writing"
            return self._refuse(line, "job", Reason.FORBIDDEN, message)
        if job is not None and job.create_time != record.create_time:
            message = f"job {number} has another create_time"
            return self._refuse(line, "job", Reason.CONFLICT, message)
        if scope is None:
            scope = parents.scopes[pair] = Scope(scope_type=pair[0], scope_id=pair[1])
            self.changed[id(scope)] = scope
        news = self._name_scope(scope, record)
        values = {column: getattr(record, column) for column in _JOB_COLUMNS}
        values["name"] = masking.mask_name(record.name, job.name if job else None)
        if job is None:
            job = parents.jobs[key] = JobInstance(
                scope=scope,
                job_instance_id=number,
                create_time=record.create_time,
                day=_FIRST_DAY + datetime.timedelta(milliseconds=record.create_time),
                # Only for a new job: an existing one may have logs here.
                expired_at=record.expired.at if record.expired else None,
                expired_policy=record.expired.policy if record.expired else "",
                **precedence.stated(values),
            )
            parents.keys_of_number.setdefault(number, []).append(key)
            self.changed[id(job)] = job
            self.jobs.add(line, job)
        elif self.jobs.take(line, job, values, news=news):
            self.changed[id(job)] = job
        self._lines.setdefault(id(job), (job, []))[1].append(line)
        # The report lists a limited number of jobs.
        if len(self.outcome.jobs) < NAMED and key not in self.outcome.jobs:
            self.outcome.jobs.append(key)
        return None

    def _name_scope(self, scope: Scope, record: records.Job) -> bool:
        name = record.scope_name
        name_time = record.create_time if record.update_time is None else record.update_time
        # Of two names with the same time the greater one wins, so that the order does not matter.
        stored_time = precedence.credible(scope.named_at) or 0
        if not name or (scope.name and (name_time, name) <= (stored_time, scope.name)):
            return False
        # The same name with a later time is saved but does not count as a change: importing a
        # store's own export, where every job names the scope, must accept nothing.
        news = name != scope.name
        scope.name, scope.named_at = name, name_time
        self.changed[id(scope)] = scope
        return news

    def _take_step(self, line: int, record: records.Step) -> None:
        try:
            key = self.parents.find_job(record)
        except Unresolved as error:
            self.outcome.refused += refused(line, record, error.reason, error.message)
            return
        job, place = self.parents.jobs[key], (key, record.step_instance_id)
        self._lines.setdefault(id(job), (job, []))[1].append(line)
        step = self.parents.steps.get(place)
        if step is not None and step.step_type != record.step_type:
            message = f"step {record.step_instance_id} has another step_type"
            self._refuse(line, "step", Reason.CONFLICT, message)
            return
        is_hidden = step is not None and step_tasks.hide_param(record, step)
        values = {column: getattr(record, column) for column in _STEP_COLUMNS}
        values["name"] = masking.mask_name(record.name, step.name if step else None)
        values |= step_tasks.values(record, step)
        if step is None:
            step = self.parents.steps[place] = StepInstance(
                job=job,
                step_instance_id=record.step_instance_id,
                step_type=record.step_type,
                day=job.day,
                **{"create_time": job.create_time, **precedence.stated(values)},
            )
            self.changed[id(step)] = step
            self.steps.add(line, step)
        elif self.steps.take(line, step, values, news=is_hidden) or is_hidden:
            self.changed[id(step)] = step


def settle(entries: Sequence[Numbered], state: StreamState) -> Plan:
    """Write the changes of scopes, jobs and steps by a batch, except their finishes.

    `state` gets the scopes of jobs and the finishes that are held back.
    """
    plan = Plan(entries, state)
    if plan.changed:
        scopes = [row for row in plan.changed.values() if isinstance(row, Scope)]
        plan = database.retrying(lambda: _write(entries, state, scopes))
        state.finishes.hold(JOB, plan.jobs.held_back())
        state.finishes.hold(STEP, plan.steps.held_back())
    state.scope_of_job.update(plan.parents.scope_of_job.maps[0])
    return plan


def _write(entries: Sequence[Numbered], state: StreamState, scopes: Sequence[Scope]) -> Plan:
    """Write a batch's parents; `scopes` are those that it changes or creates."""
    with transaction.atomic():
        Scope.objects.bulk_create(
            [
                Scope(scope_type=scope.scope_type, scope_id=scope.scope_id)
                for scope in sorted(scopes, key=str)
                if scope._state.adding
            ],
            ignore_conflicts=True,
        )
        plan = Plan(entries, state, lock=True)
        plan.jobs.hide_finishes()
        plan.steps.hide_finishes()
        for model, columns in _SAVED:
            rows = [row for row in plan.changed.values() if isinstance(row, model)]
            # Existing rows first, because bulk_create marks new rows as stored.
            database.save_columns(model, columns, [row for row in rows if not row._state.adding])
            model._default_manager.bulk_create([row for row in rows if row._state.adding])
    return plan
