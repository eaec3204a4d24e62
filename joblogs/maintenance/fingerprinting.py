"""Digests and features of finished logs that are missing or outdated: of large logs, of logs that
arrived late, and of those computed by another version of this program."""

from __future__ import annotations

import datetime
import hashlib
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import attrgetter

from django.db.models import F, Q

from joblogs import log_features
from joblogs.ingest import digests
from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable
from joblogs.models import HostResult, JobInstance, StepInstance

from .runs import CurrentRun
from .unreadable import skipping
from .walk import rows_of_keys

JOBS_AT_ONCE = 200
SIZES_AT_ONCE = 10_000
LOGS_AT_ONCE = 200
"""Logs processed together: starting costs more than one small log does."""
_EVER = 3600.0


def compute_due(run: CurrentRun, due: Iterable[HostResult]) -> None:
    """Compute the digests and features that are due."""
    report = run.report
    some = itertools.islice(due, run.remaining(report.fingerprints))
    if run.dry_run:
        report.fingerprints += sum(1 for _ in some)
        return
    for rows in batches(some):
        try:
            take(rows)
            report.fingerprints += len(rows)
        except Unreadable:
            for row in rows:
                with skipping(row.pk):
                    take([row])
                    report.fingerprints += 1


def due(days: Iterable[datetime.date]) -> Iterator[HostResult]:
    """Yield the finished host results of these days whose digest or features are missing or out of
    date."""
    for day in days:
        jobs = JobInstance.objects.filter(day=day, expired_at=None)
        keys = list(jobs.order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(keys), JOBS_AT_ONCE):
            steps = StepInstance.objects.filter(job__in=keys[start : start + JOBS_AT_ONCE])
            yield from due_of_steps(day, list(steps.order_by().values_list("pk", flat=True)))


def due_of_steps(day: datetime.date, steps: Collection[int]) -> Iterator[HostResult]:
    """Return the host results of steps of one day whose digest or features are due."""
    finished = HostResult.objects.finished().filter(step__in=steps).order_by()
    stale = finished.filter(~Q(fingerprint_size=F("held_size")) | Q(fingerprint_size=None))
    due = set(stale.values_list("pk", flat=True))
    # Not joined in one statement: the features may be on other servers.
    printing = list(finished.exclude(held_size=0).values_list("pk", "held_size"))
    for start in range(0, len(printing), SIZES_AT_ONCE):
        sizes = dict(printing[start : start + SIZES_AT_ONCE])
        due |= sizes.keys() - log_features.up_to_date(day, sizes)
    return rows_of_keys(HostResult.objects.all(), due)


def batches(rows: Iterable[HostResult]) -> Iterator[list[HostResult]]:
    """Yield the rows in batches of one day."""
    for _, own in itertools.groupby(rows, key=attrgetter("day")):
        while some := list(itertools.islice(own, LOGS_AT_ONCE)):
            yield some


def take(rows: Sequence[HostResult]) -> None:
    """Compute the digests and features of logs of one day; store them for logs that did not change
    meanwhile."""
    day = rows[0].day
    late = [row for row in rows if row.fingerprint_size != row.held_size]
    digests.write({row.pk: _digest(row) for row in late}, late)
    printing = [row for row in rows if row.held_size]
    log_features.keep(day, printing, log_features.compute(day, printing, seconds=_EVER))


def _digest(row: HostResult) -> bytes:
    """Return the SHA-256 of a log, in bounded memory."""
    digest = hashlib.sha256()
    if row.held_size:
        for _, parts in store.read(row.day, [store.span_of(row)]):
            for part in parts:
                digest.update(part)
    return digest.digest()
