"""Logs of some jobs, gone through job by job: what one costs does not depend on the others.

No statement stays open while its rows are used, and none asks again for all that is selected.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from joblogs.models import FileLog, HostResult, JobInstance, StepInstance

from .paging import ROWS_AT_ONCE, Row, by_key

JOBS_AT_ONCE = 200
EVERY = Q()


@dataclass(frozen=True, kw_only=True)
class LogSelection:
    """Which logs a run goes through: those of these jobs, of some steps and hosts of them only."""

    jobs: QuerySet[JobInstance]
    steps: QuerySet[StepInstance] | None = None
    hosts: frozenset[int] | None = None

    @classmethod
    def every(cls) -> LogSelection:
        """All logs of the store."""
        return cls(jobs=JobInstance.objects.all())

    def steps_by_jobs(self) -> Iterator[list[StepInstance]]:
        """The steps, with their jobs, of some jobs at a time."""
        every = StepInstance.objects.all() if self.steps is None else self.steps
        jobs = by_key(self.jobs.order_by())
        while page := {job.pk: job for job in itertools.islice(jobs, JOBS_AT_ONCE)}:
            steps = list(every.order_by().select_related(None).filter(job__in=page))
            for step in steps:
                step.job = page[step.job_id]
            yield steps

    def results(self, steps: list[StepInstance], condition: Q = EVERY) -> Iterator[HostResult]:
        """The host results of these steps that are so, with their steps and jobs."""
        of_number = {step.pk: step for step in steps}
        rows = HostResult.objects.filter(condition)
        if self.hosts is not None:
            rows = rows.filter(host_id__in=self.hosts)
        for row in rows_of_steps(rows, of_number):
            row.step = of_number[row.step_id]
            yield row

    def files(self, steps: list[StepInstance], condition: Q = EVERY) -> Iterator[FileLog]:
        """The file logs of these steps that are so, without their content."""
        rows = FileLog.objects.filter(condition)
        if self.hosts is not None:
            rows = rows.filter(host_result__host_id__in=self.hosts)
        return rows_of_steps(rows, [step.pk for step in steps], "content")


def rows_of_steps(rows: QuerySet[Row], steps: Collection[int], *deferred: str) -> Iterator[Row]:
    """Those of these rows that are of steps with these keys.

    All of their keys first, by the index of steps: with an order and a limit PostgreSQL may walk
    the whole table in that order instead.
    """
    keys = rows.filter(step__in=steps).order_by().values_list("pk", flat=True)
    return rows_of_keys(rows.model._default_manager.all(), list(keys), *deferred)


def rows_of_keys(rows: QuerySet[Row], keys: Collection[int], *deferred: str) -> Iterator[Row]:
    """Those of these rows that have one of these keys, in the order of the keys."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), ROWS_AT_ONCE):
        page = rows.filter(id__in=ordered[start : start + ROWS_AT_ONCE])
        yield from list(page.order_by("pk").defer(*deferred))
