"""Packing: stores script logs of steps that finished long ago together, in a third to a half of the
disk space and fewer rows.

Logs are packed in parts, each in its own transaction: a run may be killed at any moment, and the
next one continues.
"""

from __future__ import annotations

import datetime
import itertools
import logging
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from joblogs import database
from joblogs.choices import FINISHED, run_rank
from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.store import packing, packs
from joblogs.logtext.store.layout import Layout
from joblogs.models import HostResult, StepInstance

from .runs import CurrentRun, alone, last_run
from .unreadable import skipping

logger = logging.getLogger(__name__)

LOGS_AT_ONCE = 2000
PACKING_SECONDS = 1800.0
"""Time limit of packing, so that other hourly maintenance does not wait; the next run continues."""
DAY_MS = 24 * 60 * 60 * 1000


class Packed(NamedTuple):
    """Counts of packed logs, and of the packs made of them."""

    logs: int
    packs: int


class LogsToPack(NamedTuple):
    """Logs of one day that one transaction packs, and their steps."""

    day: datetime.date
    steps: list[int]
    logs: list[int]


def pack_due(run: CurrentRun) -> None:
    """Pack the logs that are due, if PACK_AFTER_DAYS is set: once a day, and in every run after one
    that reached its time limit."""
    report, days = run.report, settings.PACK_AFTER_DAYS
    if days is None or not (run.sweep or _are_left()):
        return
    ends = time.monotonic() + PACKING_SECONDS
    for part in due(timezone.now(), days):
        remaining = run.remaining(report.logs_packed)
        if remaining == 0:
            return
        some = part._replace(logs=part.logs[:remaining])
        if run.dry_run:
            report.logs_packed += len(some.logs)
            continue
        try:
            packed = pack(some)
        except Unreadable:
            # One of them cannot be read: it stays in chunks.
            readable = []
            for log in some.logs:
                with skipping(log):
                    check_readable(some.day, log)
                    readable.append(log)
            packed = pack(some._replace(logs=readable))
        report.logs_packed += packed.logs
        report.packs_made += packed.packs
        if time.monotonic() > ends:
            report.logs_to_pack = _old_logs_in_chunks(days)
            return


def _are_left() -> bool:
    run = last_run()
    return run is not None and bool(run.did.get("logs_to_pack"))


def _old_logs_in_chunks(after_days: int) -> int:
    """Return the number of logs that may be due, including those of running steps."""
    until = timezone.now().date() - datetime.timedelta(days=after_days)
    rows = HostResult.objects.filter(day__lte=until, pack=None, step__job__expired_at=None)
    return rows.exclude(held_size=0).count()


def due(now: datetime.datetime, after_days: int) -> Iterator[LogsToPack]:
    """Yield the logs in chunks of steps that finished at least `after_days` days ago."""
    before = int(now.timestamp() * 1000) - after_days * DAY_MS
    for day in store.days(None, now.date() - datetime.timedelta(days=after_days)):
        longer = set[int]()
        for logs in store.logs_of_day(day):
            rows = HostResult.objects.filter(database.InArray("pk", logs), day=day).order_by()
            steps = set(rows.values_list("step_id", flat=True).distinct()) - longer
            sizes = _sizes(_finished(steps, before))
            yield from _parts(day, sizes)
            # All logs of these steps were taken, including those on later pages.
            longer.update(step for step, log, _ in sizes if log > logs[-1])


def _finished(steps: Collection[int], before: int) -> list[int]:
    """Return the steps that had ended, with all of their hosts, before a time in milliseconds."""
    living = StepInstance.objects.filter(database.InArray("pk", steps), job__expired_at=None)
    times = ("pk", "status", "create_time", "update_time", "end_time")
    ended = {
        pk
        for pk, status, *moments in living.values_list(*times)
        if run_rank(status) >= FINISHED and max(time or 0 for time in moments) < before
    }
    at_work = HostResult.objects.unfinished().filter(database.InArray("step_id", ended))
    return sorted(ended.difference(at_work.order_by().values_list("step_id", flat=True)))


def _sizes(steps: Collection[int]) -> list[tuple[int, int, int]]:
    """Return step, key and size of the logs of these steps that are in chunks."""
    rows = HostResult.objects.filter(database.InArray("step_id", steps), pack=None)
    rows = rows.exclude(held_size=0).order_by("step_id", "pk")
    return list(rows.values_list("step_id", "pk", "held_size"))


def _parts(day: datetime.date, sizes: Iterable[tuple[int, int, int]]) -> Iterator[LogsToPack]:
    """Yield the logs in parts that one transaction packs."""
    part, total = LogsToPack(day, [], []), 0
    for step, log, size in sizes:
        if part.logs and (total + size > packing.PART_BYTES or len(part.logs) == LOGS_AT_ONCE):
            yield part
            part, total = LogsToPack(day, [], []), 0
        part.logs.append(log)
        if part.steps[-1:] != [step]:
            part.steps.append(step)
        total += size
    if part.logs:
        yield part


def pack_step(step: StepInstance) -> int:
    """Pack the logs of a step that are in chunks; return how many. Raises Unreadable."""
    return sum(pack(part).logs for part in _parts(step.day, _sizes([step.pk])))


def pack(part: LogsToPack) -> Packed:
    """Move those of these logs that still exist into packs.

    Raises Unreadable if one cannot be read; then none is moved.
    """
    if packs.PARTITIONS.missing([part.day]):
        # If the lock cannot be taken, packs of the day wait in the default partition.
        packs.PARTITIONS.make(part.day)

    if len(part.logs) == 1:
        (log,) = part.logs
        long = HostResult.objects.filter(pk=log, held_size__gt=packing.PART_BYTES, pack=None)
        for size in long.values_list("held_size", flat=True):
            with tempfile.TemporaryFile() as file:  # readable only by its owner, and unnamed
                layout = Layout(part.day, log, size=size, file=file)
                return database.retrying(partial(_pack, part, layout))
    return database.retrying(partial(_pack, part, None))


def _pack(part: LogsToPack, layout: Layout | None) -> Packed:
    with transaction.atomic():
        # Steps, then host results: locked in the same order as in ingest.
        steps = _locked(part.steps)
        rows = HostResult.objects.filter(
            database.InArray("pk", part.logs), step__in=steps, pack=None
        )
        found = list(rows.exclude(held_size=0).select_for_update().order_by("pk"))
        if layout is None or not found:
            return Packed(len(found), packing.pack(part.day, steps, found))
        (row,) = found
        made = packing.pack_laid_out(part.day, steps[row.step_id], row, layout)
        return Packed(int(made > 0), made)


def _locked(steps: Collection[int]) -> dict[int, StepInstance]:
    """Lock the steps whose logs have not expired, and return them by key."""
    rows = StepInstance.objects.filter(id__in=list(steps), job__expired_at=None).order_by("pk")
    return {row.pk: row for row in rows.select_for_update(no_key=True, of=("self",))}


def check_readable(day: datetime.date, log: int) -> None:
    """Read a log. Raises Unreadable if it cannot be read."""
    for size in HostResult.objects.filter(pk=log).values_list("held_size", flat=True):
        for _ in store.read(day, [store.Span(log, 0, size)]):
            pass


def unpack(*, dry_run: bool = False, limit: int | None = None) -> int:
    """Move packed logs back into chunks, for a program of an earlier release; return how many.

    With `limit` it ends once it has moved that many. Packs that cannot be read stay. Raises
    AlreadyRunning.
    """
    moved = 0
    with alone():
        for logs in _unpack_all(dry_run=dry_run):
            moved += logs
            if limit is not None and moved >= limit:
                break
    return moved


def packed_logs() -> int:
    """Return the number of logs in packs."""
    return HostResult.objects.filter(step__job__expired_at=None).exclude(pack=None).count()


def _unpack_all(*, dry_run: bool) -> Iterator[int]:
    for day in packs.days():
        for step in packs.steps_of_day(day):
            rows = HostResult.objects.filter(step=step).exclude(pack=None).order_by("pack", "pk")
            keys = rows.values_list("pack", "pk", "held_size")
            for logs in _whole_packs(list(keys)):
                if dry_run:
                    yield len(logs)
                    continue
                try:
                    yield _unpack(day, step, logs)
                except Unreadable as error:
                    fault, message = type(error).__name__, "step %s: %s in its packs, which stay"
                    logger.warning(message + "; verify_logs tells more", step, fault)


def _whole_packs(sizes: Iterable[tuple[int | None, int, int]]) -> Iterator[list[int]]:
    """Yield the logs of as many packs as one transaction unpacks."""
    some: list[int] = []
    total = 0
    for _, own in itertools.groupby(sizes, key=itemgetter(0)):
        for _, log, size in own:
            some.append(log)
            total += size
        if total >= packing.PART_BYTES:
            yield some
            some, total = [], 0
    if some:
        yield some


def _unpack(day: datetime.date, step: int, logs: Collection[int]) -> int:
    def work() -> int:
        with transaction.atomic():
            owner = _locked([step]).get(step)
            if owner is None:
                return 0
            rows = HostResult.objects.for_step(owner).exclude(pack=None)
            # According to their packs by now, each with all of its logs.
            numbers = rows.filter(database.InArray("pk", logs)).values_list("pack", flat=True)
            found = list(rows.filter(pack__in=set(numbers)).select_for_update().order_by("pk"))
            sizes = {row.pk: row.held_size for row in found}
            packing.unpack(day, owner, found, [], sizes=sizes)
            return len(found)

    return database.retrying(work)
