"""Earlier occurrences of the failures of a step, and comparison with the run before it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Q, Subquery

from joblogs import database
from joblogs.choices import RUN_UNFINISHED
from joblogs.errors import Unavailable
from joblogs.failure_tallies import host_sets
from joblogs.failure_tallies.host_sets import HostCount
from joblogs.models import FailureRun, FailureSeen, JobInstance, StepInstance
from joblogs.query.overview import Overview
from joblogs.step_groups import StepGroup, StepGroups

from .recording import attempt_of, has_ended, record, record_step
from .series import series_of, time_of

WRITE_SECONDS = 1.0
"""Longest wait of a page to record failures, while another transaction is writing."""
EARLIER_JOBS, EARLIER_STEPS, EARLIER_SECONDS = 100, 5, 0.5
"""Limits of recording earlier runs when a page shows a later one: the jobs to search, the steps to
record, and the seconds to spend."""


class Seen(NamedTuple):
    """NamedTuple of earlier occurrences of a failure: time of the first one (milliseconds since the
    epoch), runs and hosts."""

    first_at: int
    runs: int
    hosts: HostCount


class Recovered(NamedTuple):
    """NamedTuple of a failure of the last run that did not recur: status, exit code, hosts."""

    status: int
    exit_code: int | None
    host_count: int


@dataclass(frozen=True)
class LastRun:
    """Changes since the last run of a series: new failures, and failures that did not recur."""

    job_instance_id: int
    step_instance_id: int
    at: int
    new: frozenset[bytes]
    recovered: list[Recovered]
    """Ordered by hosts, most first; empty while the step runs."""


@dataclass(frozen=True)
class Failures:
    """Earlier occurrences of the failing groups of a step."""

    keys: dict[str, bytes] = field(default_factory=dict)
    """Keys of failures by key of the group."""
    seen: dict[bytes, Seen] = field(default_factory=dict)
    last_run: LastRun | None = None
    is_recorded_now: bool = False
    """Whether the failures of the step were recorded just now."""

    def of(self, group: StepGroup) -> Seen | None:
        """Return earlier occurrences of the failure of a group, None if there are none."""
        return self.seen.get(self.keys.get(group.key, b""))


class _Runs(NamedTuple):
    own: list[FailureRun]
    last: list[FailureRun]


def known_failures(overview: Overview, step_groups: StepGroups) -> Failures:
    """Return earlier occurrences of the failing groups of a step.

    A step that has ended is recorded unless the database is busy, and so are a few earlier runs
    that are not recorded yet.
    """
    step, keys = overview.step, step_groups.failure_keys
    attempts = overview.attempts
    is_latest = attempts.execute_count is None and attempts.batch is None
    if not overview.hosts or step.job.expired_at is not None and not keys:
        return Failures(keys)
    runs = _runs(step)
    ended = has_ended(overview) and is_latest and step_groups.compared == step_groups.to_compare
    recorded = attempt_of(overview) in {run.attempt for run in runs.own}
    is_new = ended and not recorded and step.job.expired_at is None
    if is_new:
        if keys and _record_earlier(step):
            runs = _runs(step)
        _record(overview, step_groups)
    seen = _seen(step, set(keys.values()), runs.own)
    return Failures(keys, seen, _last(runs, keys, ended=ended), is_new)


def _runs(step: StepInstance) -> _Runs:
    """Return the recorded runs of a step, and of the previous step of its series."""
    of_series = FailureRun.objects.filter(scope=step.job.scope_id, series=series_of(step))
    earlier = of_series.filter(at__lte=time_of(step)).exclude(step=step)
    before = earlier.order_by("-at", "-step_id").values("step_id")[:1]
    # Filtered by step, since a series may have any number of rows.
    rows = FailureRun.objects.filter(Q(step=step) | Q(step_id=Subquery(before))).defer("hosts")
    every = list(rows.select_related("step__job").order_by("-attempt", "pk"))
    last = [run for run in every if run.step_id != step.pk]
    return _Runs(
        [run for run in every if run.step_id == step.pk],
        [run for run in last if run.attempt == last[0].attempt],
    )


def _record(overview: Overview, step_groups: StepGroups) -> None:
    try:
        with database.waiting_at_most(WRITE_SECONDS):
            record(overview, step_groups, attempt=attempt_of(overview))
    except (DatabaseError, Unavailable):
        return  # another transaction is writing: the next page, or `maintain_logs`, records it


def _record_earlier(step: StepInstance) -> bool:
    """Record a few earlier runs of a step's series; return whether there were any to record."""
    jobs = JobInstance.objects.filter(scope=step.job.scope_id)
    jobs = jobs.filter(create_time__lte=step.job.create_time).exclude(pk=step.job_id)
    keys = jobs.order_by("-create_time", "-pk").values_list("pk", flat=True)[:EARLIER_JOBS]
    recorded = FailureRun.objects.filter(step=OuterRef("pk"))
    steps = StepInstance.objects.filter(
        ~Exists(recorded), job__in=list(keys), job__name=step.job.name, name=step.name
    ).exclude(status__in=RUN_UNFINISHED, job__status__in=RUN_UNFINISHED)
    newest = steps.select_related("job__scope").order_by("-job__create_time", "-pk")
    until = time.monotonic() + EARLIER_SECONDS
    some = list(newest[:EARLIER_STEPS])
    for earlier in some:
        try:
            with database.waiting_at_most(WRITE_SECONDS):
                record_step(earlier, seconds=EARLIER_SECONDS)
        except (DatabaseError, Unavailable):
            return True
        if time.monotonic() > until:
            break
    return bool(some)


def _seen(step: StepInstance, keys: set[bytes], own: list[FailureRun]) -> dict[bytes, Seen]:
    if not keys:
        return {}
    rows = FailureSeen.objects.filter(scope=step.job.scope_id, series=series_of(step), key__in=keys)
    seen = {}
    for row in rows:
        key = bytes(row.key)
        if row.last_step_id == step.pk:
            runs, hosts = row.runs, bytes(row.hosts)
        else:
            own_runs = sum(bytes(run.key) == key for run in own)
            runs = row.runs + row.last_runs - own_runs
            hosts = host_sets.union(bytes(row.hosts), bytes(row.last_hosts))
            if own_runs and row.first_at >= time_of(step):
                runs = 0  # it occurred first in this step, and then only in later ones
        if runs > 0 and row.first_at <= time_of(step):
            seen[key] = Seen(row.first_at, runs, host_sets.count(hosts))
    return seen


def _last(runs: _Runs, keys: dict[str, bytes], *, ended: bool) -> LastRun | None:
    if not runs.last:
        return None
    before, now = {bytes(run.key) for run in runs.last}, set(keys.values())
    step = runs.last[0].step
    gone = [run for run in runs.last if run.key and bytes(run.key) not in now]
    recovered = [Recovered(run.status or 0, run.exit_code, run.host_count) for run in gone]
    return LastRun(
        step.job.job_instance_id,
        step.step_instance_id,
        runs.last[0].at,
        frozenset(now - before),
        sorted(recovered, key=lambda one: -one.host_count) if ended else [],
    )
