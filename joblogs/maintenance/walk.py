"""Iteration over the logs of selected jobs, job by job: the cost of one does not depend on others.

No statement stays open while its rows are used, and none queries the whole selection again.
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
    """Selection of logs by jobs and, optionally, by their steps and hosts."""

    jobs: QuerySet[JobInstance]
    steps: QuerySet[StepInstance] | None = None
    hosts: frozenset[int] | None = None

    @classmethod
    def every(cls) -> LogSelection:
        """Return the selection of all logs of the store."""
        return cls(jobs=JobInstance.objects.all())

    def steps_by_jobs(self) -> Iterator[list[StepInstance]]:
        """Yield the selected steps, with their jobs set, in lists for JOBS_AT_ONCE jobs."""
        every = StepInstance.objects.all() if self.steps is None else self.steps
        jobs = by_key(self.jobs.order_by())
        while page := {job.pk: job for job in itertools.islice(jobs, JOBS_AT_ONCE)}:
            steps = list(every.order_by().select_related(None).filter(job__in=page))
            for step in steps:
                step.job = page[step.job_id]
            yield steps

    def results(self, steps: list[StepInstance], condition: Q = EVERY) -> Iterator[HostResult]:
        """Yield the host results of these steps that match the condition, with their steps set."""
        of_number = {step.pk: step for step in steps}
        rows = HostResult.objects.filter(condition)
        if self.hosts is not None:
            rows = rows.filter(host_id__in=self.hosts)
        for row in rows_of_steps(rows, of_number):
            row.step = of_number[row.step_id]
            yield row

    def files(self, steps: list[StepInstance], condition: Q = EVERY) -> Iterator[FileLog]:
        """Yield the file logs of these steps that match the condition, without their content."""
        rows = FileLog.objects.filter(condition)
        if self.hosts is not None:
            rows = rows.filter(host_result__host_id__in=self.hosts)
        return rows_of_steps(rows, [step.pk for step in steps], "content")


def rows_of_steps(rows: QuerySet[Row], steps: Collection[int], *deferred: str) -> Iterator[Row]:
    """Yield the rows that belong to the steps with these keys.

    All keys of the rows are fetched first, by the index of steps: with an order and a limit,
    PostgreSQL might scan the whole table in that order instead.
    """
    keys = rows.filter(step__in=steps).order_by().values_list("pk", flat=True)
    return rows_of_keys(rows.model._default_manager.all(), list(keys), *deferred)


def rows_of_keys(rows: QuerySet[Row], keys: Collection[int], *deferred: str) -> Iterator[Row]:
    """Yield the rows with these keys, in the order of the keys."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), ROWS_AT_ONCE):
        page = rows.filter(id__in=ordered[start : start + ROWS_AT_ONCE])
        yield from list(page.order_by("pk").defer(*deferred))
