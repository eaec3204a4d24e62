"""What log text takes on disk, and how fast a day of it goes."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.models import Sum
from django.db.models.functions import Length
from django.utils import timezone

from joblogs import maintenance
from joblogs.logtext import codec, store
from joblogs.logtext.store import packs
from joblogs.maintenance import expiry, packing
from joblogs.models import HostResult, JobInstance, LogPack, Scope, StepInstance

from . import corpus, filling
from .filling import Filled
from .measuring import Finding, figure

HOSTS = 500
"""Of each job of a day that expires; each host's log is one merged chunk."""
LOG_BYTES, LOGS = 20 * 1024, 100
"""Of the day that expires: so long, and so many that differ."""
BATCH_HOSTS = 10_000
"""Host results, and so chunks, of one DELETE."""
GONE_SECONDS = 300
"""At most, until a day that expires is gone."""
PAUSE_SECONDS = 0.005
"""Between two reads of another day: they are to wait for nothing, not to take the processors."""
ROUNDS = 10
"""In which a day arrives, with `maintain_logs` after each."""


def disk(
    database: str, *, first_job: int, hosts: int, size: int, goal: float, days_ago: int
) -> list[Finding]:
    """A day's chunks on disk, indexes included, after merging, as a share of the text."""
    day, raw = None, 0
    for turn in range(ROUNDS):
        own = range(turn * hosts // ROUNDS + 1, (turn + 1) * hosts // ROUNDS + 1)
        filled = filling.live(first_job + turn, own, size, days_ago=days_ago)
        day, raw = filled.row.day, raw + len(own) * size
        maintenance.maintain(every_day=True)
        filling.tidy()
    assert day is not None  # noqa: S101 - there is at least one round
    share = _bytes_of(day) / raw
    case = f"LogChunk on disk after merging, logs of {size // 1024} KB"
    note = "arrived in 10 rounds, each merged and vacuumed"
    found = [Finding(database, case, f"≤ {goal:.2f} × raw", f"{share:.3f}", share <= goal, note)]
    if database == "postgresql":
        dense = _rewritten(day) / raw
        found.append(Finding(database, case, "", f"{dense:.3f}", None, "after VACUUM FULL"))
    return found


def demo(database: str) -> Finding:
    """The same of the recorded runs: real output, of one day."""
    call_command("demo", "--no-serve", stdout=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    maintenance.maintain(every_day=True)
    filling.tidy()
    steps = StepInstance.objects.filter(job__job_instance_id__range=(1001, 1999))
    days = sorted(set(steps.values_list("day", flat=True)))
    raw = sum(HostResult.objects.filter(day__in=days).values_list("held_size", flat=True))
    share = sum(_bytes_of(day) for day in days) / raw
    return Finding(
        database, "LogChunk on disk, the demo's logs", "", f"{share:.3f}", None, f"{raw:,} bytes"
    )


def packed(database: str, filled: Filled) -> Iterator[Finding]:
    """Text on disk once it is packed, indexes included: a step of the corpus, the recorded runs."""
    packing.pack_step(filled.row)
    filling.tidy()
    step = [filled.row.pk]
    yield _packed_share(database, "logs of 20 KB", step, len(filled.hosts) * filled.size, 0.22)
    call_command("demo", "--no-serve", stdout=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    steps = StepInstance.objects.filter(job__job_instance_id__range=(1001, 1999))
    for row in steps:
        packing.pack_step(row)
    filling.tidy()
    raw = sum(HostResult.objects.filter(step__in=steps).values_list("held_size", flat=True))
    keys = [row.pk for row in steps]
    yield _packed_share(database, "the demo's logs", keys, raw, 0.07)


def _packed_share(database: str, name: str, steps: list[int], raw: int, goal: float) -> Finding:
    """Their share of the pages of the packs, by what they hold, as a share of the text."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            pages = packs.PARTITIONS.size() or 0
        else:
            cursor.execute("SELECT SUM(pgsize) FROM dbstat WHERE name LIKE %s", ["%logpack%"])
            pages = cursor.fetchone()[0]
    rows = LogPack.objects.annotate(bytes=Length("data"))
    every, own = (
        query.aggregate(sum=Sum("bytes"))["sum"] for query in (rows, rows.filter(step_id__in=steps))
    )
    share = pages * own / every / raw
    case, note = f"LogPack on disk, {name}", f"{raw:,} bytes"
    return Finding(database, case, f"≤ {goal:.2f} × raw", f"{share:.3f}", share <= goal, note)


def _bytes_of(day: datetime.date) -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size(%s)", [f"joblogs_logchunk_{day:%Y%m%d}"])
            return int(cursor.fetchone()[0])
        # All days lie in one table: the day's share of its pages, by what it holds.
        cursor.execute(
            "SELECT SUM(pgsize) FROM dbstat WHERE name LIKE %s AND aggregate = 1",
            ["%joblogs_logchunk%"],
        )
        (pages,) = cursor.fetchone()
        cursor.execute(
            "SELECT SUM(length(data)) * 1.0 / (SELECT SUM(length(data)) FROM joblogs_logchunk) "
            "FROM joblogs_logchunk WHERE day = %s",
            [day],
        )
        (share,) = cursor.fetchone()
        return int(pages * share)


def _rewritten(day: datetime.date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM FULL joblogs_logchunk_{day:%Y%m%d}")
    return _bytes_of(day)


def expiring(chunks: int) -> list[Finding]:
    """A day of chunks let go, against a DELETE in batches with a VACUUM, on PostgreSQL.

    Somebody has an open transaction on another day, and goes on reading there.
    """
    today = timezone.now().date()
    deleted, expired, read = (today - datetime.timedelta(days=back) for back in (40, 39, 38))
    settings.LOG_RETENTION_DAYS = 35
    for at, day in enumerate((deleted, expired, read)):
        _fill_day(day, chunks if day != read else HOSTS, first_job=100_000 * (at + 1))
    filling.tidy()
    held = _bytes_of(expired)
    with _Reader(read) as reader, ThreadPoolExecutor(1) as others:
        gone = others.submit(_gone, expired)
        started = time.perf_counter()
        jobs = expiry.expire_day(expired, today)
        ours = time.perf_counter() - started
        seen = gone.result() - started
    assert jobs == chunks // HOSTS  # noqa: S101 - else it went another way
    started = time.perf_counter()
    _delete(deleted)
    theirs = time.perf_counter() - started
    case = f"expiring a day of {chunks:,} chunks"
    times = theirs / ours
    note = f"{ours * 1000:.0f} ms, DELETE and VACUUM {theirs:.1f} s, {held / 1e9:.2f} GB"
    slowest = figure([max(reader.waits), *reader.waits])
    return [
        Finding("postgresql", case, "≥ 50 × faster than DELETE", f"{times:.0f}", times >= 50, note),
        Finding(
            "postgresql",
            f"{case}: until others see it",
            "",
            f"{seen * 1000:.0f} ms",
            None,
            f"{theirs / seen:.0f} × faster than DELETE",
        ),
        Finding(
            "postgresql",
            f"{case}: reads in a transaction on another day",
            "do not wait",
            f"at most {max(reader.waits) * 1000:.1f} ms",
            # Who waited would do so until the day is unlocked: until others see it.
            max(reader.waits) < max(0.05, seen / 2),
            f"{len(reader.waits)} reads, median {slowest.median * 1000:.1f} ms",
        ),
    ]


def _gone(day: datetime.date) -> float:
    """When another session finds nothing of a day any more."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        chunk = f"SELECT 1 FROM joblogs_logchunk_{day:%Y%m%d} LIMIT 1"  # noqa: S608 - our names
        started = time.perf_counter()
        while other.execute(chunk).fetchone():
            if time.perf_counter() > started + GONE_SECONDS:
                raise TimeoutError(f"{day} did not go")
        return time.perf_counter()


class _Reader:
    """Reads a day again and again in one transaction, and notes how long each read takes."""

    def __init__(self, day: datetime.date) -> None:
        self.waits: list[float] = []
        self._day, self._done, self._begun = day, threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> _Reader:
        self._thread.start()
        self._begun.wait()
        return self

    def __exit__(self, *failure: object) -> None:
        self._done.set()
        self._thread.join()

    def _read(self) -> None:
        with psycopg.connect(os.environ["DATABASE_URL"]) as reader:  # no autocommit: it stays open
            while not self._done.wait(PAUSE_SECONDS):
                started = time.perf_counter()
                reader.execute(
                    "SELECT data FROM joblogs_logchunk WHERE day = %s LIMIT 100", [self._day]
                ).fetchall()
                self.waits.append(time.perf_counter() - started)
                self._begun.set()


def _fill_day(day: datetime.date, chunks: int, *, first_job: int) -> None:
    scope, _ = Scope.objects.get_or_create(scope_type="biz", scope_id="2")
    fields = {"name": "old", "create_time": filling.CREATED, "day": day, "status": 3}
    jobs = JobInstance.objects.bulk_create(
        JobInstance(scope=scope, job_instance_id=first_job + at, **fields)
        for at in range(chunks // HOSTS)
    )
    steps = StepInstance.objects.bulk_create(
        StepInstance(job=job, step_instance_id=job.job_instance_id, step_type=1, **fields)
        for job in jobs
    )
    store.PARTITIONS.make(day)
    like = HostResult.objects.create(
        step=steps[0],
        host_id=0,
        identity_id=0,  # of no machine: only the text is measured
        status=9,
        received_size=LOG_BYTES,
        held_size=LOG_BYTES,
        day=day,
    )
    columns = filling.columns(but=("id", "step_id", "bk_host_id"))
    logs = [corpus.log(host, LOG_BYTES) for host in range(LOGS)]
    packed = [codec.encode(log, level=codec.MERGED_LEVEL) for log in logs]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(
            f"INSERT INTO joblogs_hostresult (step_id, bk_host_id, {columns}) "  # noqa: S608
            f"SELECT s.id, h, {columns} FROM joblogs_hostresult, unnest(%s) AS s(id), "
            "generate_series(1, %s) h WHERE joblogs_hostresult.id = %s",
            [[step.pk for step in steps], HOSTS, like.pk],
        )
        cursor.execute("DELETE FROM joblogs_hostresult WHERE id = %s", [like.pk])
        # What merging leaves: a chunk a log, compressed by zstd, and so out of line.
        cursor.execute(
            "INSERT INTO joblogs_logchunk "
            '(day, host_result_id, "offset", size, newlines, codec, data) '
            "SELECT %s, r.id, 0, %s, f.newlines, f.codec, f.data FROM joblogs_hostresult r "
            "JOIN unnest(%s::integer[], %s::smallint[], %s::bytea[]) WITH ORDINALITY "
            "AS f(newlines, codec, data, turn) ON f.turn = r.id %% %s + 1 WHERE r.day = %s",
            [
                day,
                LOG_BYTES,
                [log.count(b"\n") for log in logs],
                [kind for kind, _ in packed],
                [data for _, data in packed],
                LOGS,
                day,
            ],
        )


def _delete(day: datetime.date) -> None:
    logs = list(HostResult.objects.filter(day=day).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(logs), BATCH_HOSTS):
        store.delete(day, logs[start : start + BATCH_HOSTS])
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM joblogs_logchunk_{day:%Y%m%d}")
    connections.close_all()
