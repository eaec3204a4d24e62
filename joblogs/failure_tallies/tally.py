"""Tallies of failures: rows of FailureSeen, computed from rows of FailureRun."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from joblogs.models import FailureRun, FailureSeen

from . import host_sets

LOCK = "failures"
"""Name of the lock that every transaction holds that writes recorded failures."""
_COLUMNS = (
    *("first_at", "runs", "hosts", "last_at", "last_step_id", "last_job_instance_id"),
    *("last_runs", "last_hosts"),
)


def add(seen: FailureSeen | None, run: FailureRun) -> FailureSeen:
    """Return the tally of a failure with one more run, whose step was loaded with its job."""
    hosts = bytes(run.hosts)
    if seen is None:
        return FailureSeen(
            scope_id=run.scope_id,
            series=bytes(run.series),
            key=bytes(run.key),
            first_at=run.at,
            runs=0,
            hosts=host_sets.EMPTY,
            last_at=run.at,
            last_step_id=run.step_id,
            last_job_instance_id=run.step.job.job_instance_id,
            last_runs=1,
            last_hosts=hosts,
        )
    seen.first_at = min(seen.first_at, run.at)
    if seen.last_step_id == run.step_id:
        seen.last_runs += 1
        seen.last_hosts = host_sets.union(bytes(seen.last_hosts), hosts)
    elif (run.at, run.step_id) < (seen.last_at, seen.last_step_id):
        seen.runs += 1
        seen.hosts = host_sets.union(bytes(seen.hosts), hosts)
    else:
        seen.runs += seen.last_runs
        seen.hosts = host_sets.union(bytes(seen.hosts), bytes(seen.last_hosts))
        seen.last_at, seen.last_step_id, seen.last_runs, seen.last_hosts = (
            *(run.at, run.step_id, 1),
            hosts,
        )
        seen.last_job_instance_id = run.step.job.job_instance_id
    return seen


def add_runs(scope_id: int, series: bytes, runs: Iterable[FailureRun]) -> None:
    """Add new runs of one series to the tallies, in the caller's transaction, which holds LOCK."""
    runs = [run for run in runs if run.key]
    held = FailureSeen.objects.select_for_update(no_key=True).filter(
        scope=scope_id, series=series, key__in={bytes(run.key) for run in runs}
    )
    tallies: dict[bytes, FailureSeen] = {bytes(seen.key): seen for seen in held}
    for run in runs:
        key = bytes(run.key)
        tallies[key] = add(tallies.get(key), run)
    _save(tallies.values())


def count_again(scope_id: int, series: bytes, keys: Collection[bytes]) -> None:
    """Recompute the tallies of these failures from the remaining runs; without runs, delete them.

    Part of the caller's transaction, which holds LOCK.
    """
    for key in keys:
        of_key = {"scope": scope_id, "series": series, "key": key}
        FailureSeen.objects.filter(**of_key).delete()
        left = FailureRun.objects.filter(**of_key).select_related("step__job").order_by("at")
        seen = None
        for run in left.iterator(1000):
            seen = add(seen, run)
        if seen is not None:
            _save([seen])


def _save(tallies: Collection[FailureSeen]) -> None:
    old = [seen for seen in tallies if seen.pk is not None]
    FailureSeen.objects.bulk_create([seen for seen in tallies if seen.pk is None])
    if old:
        FailureSeen.objects.bulk_update(old, _COLUMNS, batch_size=200)
