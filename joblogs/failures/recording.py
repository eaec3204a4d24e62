"""Recording of the failures with which a step ended, once for each attempt."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum

from joblogs import database
from joblogs.choices import FINISHED, HOST_SUCCEEDED, HOST_UNFINISHED, RUN_UNFINISHED, run_rank
from joblogs.failure_tallies import LOCK, add_runs, host_sets
from joblogs.models import FailureRun, HostResult, JobInstance, StepInstance
from joblogs.query import Attempts
from joblogs.query.overview import Overview, overview
from joblogs.step_groups import StepGroups, step_groups

from .series import series_of, time_of

JOBS_AT_ONCE = 1000
STEPS_AT_ONCE = 500


@dataclass
class Ended:
    """A failure with which an attempt ended, and its hosts."""

    status: int
    exit_code: int | None
    hosts: set[int]


def has_ended(overview: Overview) -> bool:
    """Return whether a step has ended on all of its hosts."""
    step = overview.step
    ended = FINISHED in (run_rank(step.status), run_rank(step.job.status))
    return ended and bool(overview.hosts) and overview.all_finished


def attempt_of(overview: Overview) -> int:
    """Return the latest attempt of a step."""
    return max([overview.step.execute_count, *overview.execute_counts])


def record_step(step: StepInstance, *, seconds: float | None = None) -> None:
    """Record the failures of all attempts of a step, loaded with its job and scope.

    Nothing is recorded of a step that has not ended or whose text has expired. With `seconds`,
    missing features are computed for at most that long, and an attempt is not recorded while one
    is missing. Without `seconds`, a log without features is one that cannot be read.
    """
    if step.job.expired_at is not None:
        return
    newest = overview(step, Attempts(None, None))
    if not has_ended(newest):
        return
    done = FailureRun.objects.filter(step=step).values_list("attempt", flat=True)
    recorded, latest = set(done), attempt_of(newest)
    for attempt in sorted({*newest.execute_counts, latest} - recorded):
        of_attempt = newest if attempt == latest else overview(step, Attempts(attempt, None))
        groups = step_groups(of_attempt, seconds=seconds or 0)
        if of_attempt.hosts and (seconds is None or groups.compared == groups.to_compare):
            record(of_attempt, groups, attempt=attempt)


def record(overview: Overview, step_groups: StepGroups, *, attempt: int) -> None:
    """Record the failures with which an attempt ended.

    Do nothing if it is recorded already, or if a log has changed since its features were read.
    """
    failures = _failures(step_groups)
    database.retrying(lambda: _write(overview, failures, attempt))


def _failures(step_groups: StepGroups) -> dict[bytes, Ended]:
    failures: dict[bytes, Ended] = {}
    for group in step_groups.groups:
        if (key := step_groups.failure_keys.get(group.key)) is not None:
            ended = failures.setdefault(key, Ended(group.status, group.exit_code, set()))
            ended.hosts.update(host.bk_host_id for host in group.hosts)
    return failures


def _write(overview: Overview, failures: Mapping[bytes, Ended], attempt: int) -> None:
    step = overview.step
    with transaction.atomic():
        database.take_lock(LOCK)
        # Locked, so that the primary is queried, not a replica.
        done = FailureRun.objects.select_for_update(no_key=True).filter(step=step, attempt=attempt)
        if list(done.values_list("pk", flat=True)[:1]) or not _is_unchanged(overview):
            return
        runs = [_run(step, attempt, key, ended) for key, ended in failures.items()]
        FailureRun.objects.bulk_create(runs or [_run(step, attempt, b"", None)])
        add_runs(step.job.scope_id, series_of(step), runs)


def _run(step: StepInstance, attempt: int, key: bytes, ended: Ended | None) -> FailureRun:
    hosts = ended.hosts if ended else ()
    return FailureRun(
        scope_id=step.job.scope_id,
        series=series_of(step),
        key=key,
        at=time_of(step),
        step=step,
        attempt=attempt,
        status=ended.status if ended else None,
        exit_code=ended.exit_code if ended else None,
        host_count=len(hosts),
        hosts=host_sets.host_set(hosts),
    )


def _is_unchanged(overview: Overview) -> bool:
    """Return whether the logs are still as they were compared. Redactions hold LOCK too."""
    results = {result.pk: result for host in overview.hosts for result in host.results}
    rows = HostResult.objects.select_for_update(no_key=True).filter(database.InArray("pk", results))
    now = rows.aggregate(masked=Sum("masked"), size=Sum("held_size"))
    return now == {
        "masked": sum(result.masked for result in results.values()),
        "size": sum(result.held_size for result in results.values()),
    }


def due(days: Iterable[datetime.date]) -> Iterator[list[StepInstance]]:
    """Yield the steps of these days that have ended and are not recorded, in batches.

    They are loaded with their jobs and scopes.
    """
    for day in days:
        jobs = JobInstance.objects.filter(day=day, expired_at=None)
        keys = list(jobs.order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(keys), JOBS_AT_ONCE):
            yield from _due(_ended().filter(job__in=keys[start : start + JOBS_AT_ONCE]))


def due_of_steps(steps: Collection[int]) -> Iterator[list[StepInstance]]:
    """Yield the steps among these that have ended and are not recorded, in batches."""
    return _due(_ended().filter(database.InArray("pk", steps), job__expired_at=None))


def _due(steps: QuerySet[StepInstance]) -> Iterator[list[StepInstance]]:
    keys = list(steps.values_list("pk", flat=True))
    for start in range(0, len(keys), STEPS_AT_ONCE):
        yield list(steps.filter(pk__in=keys[start : start + STEPS_AT_ONCE]))


def _ended() -> QuerySet[StepInstance]:
    """Return steps that have ended on all hosts and whose latest attempt is not recorded."""
    ended = ~Q(status__in=RUN_UNFINISHED) | ~Q(job__status__in=RUN_UNFINISHED)
    last = FailureRun.objects.filter(step=OuterRef("pk")).order_by().values("step")
    results = HostResult.objects.filter(step=OuterRef("pk"))
    steps = StepInstance.objects.filter(ended).annotate(
        recorded=Subquery(last.annotate(last=Max("attempt")).values("last"))
    )
    steps = steps.filter(Q(recorded=None) | Q(recorded__lt=F("execute_count")))
    steps = steps.filter(Exists(results), ~Exists(results.filter(status__in=HOST_UNFINISHED)))
    return steps.select_related("job__scope").order_by("pk")


def record_steps(steps: Sequence[StepInstance]) -> None:
    """Record steps that are due; steps without failures in one transaction, reading no logs."""
    results = HostResult.objects.exclude(status__in=HOST_SUCCEEDED)
    bad = results.filter(step__in=[step.pk for step in steps]).order_by()
    failing = set(bad.values_list("step", flat=True).distinct())
    succeeded = [step for step in steps if step.pk not in failing]
    database.retrying(lambda: _write_successes(succeeded))
    for step in steps:
        if step.pk in failing:
            record_step(step)


def _write_successes(steps: Sequence[StepInstance]) -> None:
    runs = [_run(step, step.execute_count, b"", None) for step in steps]
    with transaction.atomic():
        database.take_lock(LOCK)
        FailureRun.objects.bulk_create(runs, ignore_conflicts=True)
