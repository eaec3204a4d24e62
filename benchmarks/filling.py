"""What the store holds while it is measured. Django is set up before this is imported."""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import psycopg
from django.db import connection, transaction

from joblogs import maintenance
from joblogs.access import OPERATOR
from joblogs.ingest import host_identities, ingest
from joblogs.ingest.stream import numbered_lines
from joblogs.models import HostResult, JobInstance, Scope, StepInstance

from . import corpus
from .group_kinds import KINDS

CREATED = 1_794_799_463_118
"""Jobs are of 2026-11-16 unless said otherwise, whenever this runs."""
DAY_MS = 86_400_000
BODY_RECORDS = 5000
WHOLE_ROWS = 5
"""What a step's number in the textbook's tables is more where a row is a whole log."""
SUCCEEDED, RUNNING, EXIT_CODE_NOT_ZERO = 9, 7, 104

_encode = msgspec.json.Encoder().encode


class Filled(NamedTuple):
    """A step and what its hosts printed."""

    job: int
    step: int
    hosts: list[int]
    size: int
    """Of each host's log."""

    @property
    def row(self) -> StepInstance:
        return StepInstance.objects.select_related("job").get(step_instance_id=self.step)


def parents(
    job: int, hosts: Iterable[int], *, status: int = SUCCEEDED, days_ago: int = 0
) -> list[bytes]:
    """The records of a job, its step and their hosts."""
    named = {"job_instance_id": job, "step_instance_id": job * 10}
    job_fields = {"bk_scope_type": "biz", "bk_scope_id": "2", "name": f"roll out {job}"}
    job_fields |= {"job_instance_id": job, "create_time": CREATED - days_ago * DAY_MS}
    fields: list[dict[str, Any]] = [
        {"type": "job", **job_fields},
        {"type": "step", **named, "name": "run", "step_type": 1},
    ]
    fields += [{"type": "host_result", **named, **_host(host), "status": status} for host in hosts]
    return [_encode(record) for record in fields]


def _host(host: int) -> dict[str, Any]:
    address = f"10.{host >> 16 & 255}.{host >> 8 & 255}.{host & 255}"
    return {"bk_host_id": host, "bk_cloud_id": 0, "ip": address, "host_name": f"web-{host:05d}"}


def pieces(job: int, of: Iterable[tuple[int, int, bytes]]) -> Iterator[bytes]:
    """The records of pieces."""
    named = {"type": "script_log", "job_instance_id": job, "step_instance_id": job * 10}
    for host, offset, data in of:
        yield _encode(named | {"bk_host_id": host, "offset": offset, "content": data.decode()})


def bodies(lines: Iterable[bytes], size: int = BODY_RECORDS) -> Iterator[bytes]:
    """Lines as a producer sends them: so many records in a body."""
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) == size:
            yield b"\n".join(batch)
            batch = []
    if batch:
        yield b"\n".join(batch)


def load(body: bytes) -> None:
    report = ingest(numbered_lines(io.BytesIO(body).read), writer=OPERATOR)
    assert not report.refused_total, report.refused[:3]  # noqa: S101 - a benchmark of nothing


def live(job: int, hosts: Sequence[int], size: int, *, days_ago: int = 0) -> Filled:
    """A step as it arrives: pieces of 1 KB from all hosts in turn, 5,000 in a body."""
    load(b"\n".join(parents(job, hosts, status=RUNNING, days_ago=days_ago)))
    logs = {host: corpus.log(host, size) for host in hosts}
    for body in bodies(pieces(job, corpus.in_turn(logs))):
        load(body)
    load(b"\n".join(parents(job, hosts, days_ago=days_ago)))
    return Filled(job, job * 10, list(hosts), size)


def merged(job: int, hosts: Sequence[int], size: int) -> Filled:
    """The same after `maintain_logs`."""
    filled = live(job, hosts, size)
    maintenance.maintain(every_day=True)
    return filled


def copies(source: Filled, job: int, count: int) -> None:
    """So many more jobs that printed what `source` did; written by the database itself."""
    scope, day = Scope.objects.get(), source.row.day
    fields = {"name": "more", "create_time": CREATED, "day": day, "status": 3}
    jobs = JobInstance.objects.bulk_create(
        JobInstance(scope=scope, job_instance_id=job + at, **fields) for at in range(count)
    )
    steps = StepInstance.objects.bulk_create(
        StepInstance(job=made, step_instance_id=made.job_instance_id * 10, step_type=1, **fields)
        for made in jobs
    )
    for step in steps:
        _clone(source, step)


def wide(source: Filled, job: int, hosts: int) -> Filled:
    """A step of many hosts, each of which printed what one of `source` did."""
    load(b"\n".join(parents(job, [])))
    filled = Filled(job, job * 10, list(range(1_000_000, 1_000_000 + hosts)), source.size)
    step = filled.row
    results = [
        HostResult(
            step=step,
            host_id=host,
            ip=_host(host)["ip"],
            host_name=f"web-{host}",
            status=SUCCEEDED,
            day=step.day,
            received_size=source.size,
            held_size=source.size,
            start_time=CREATED,
            end_time=CREATED + 1000 + host % 977,
            exit_code=0,
        )
        for host in filled.hosts
    ]
    with transaction.atomic():
        host_identities.settle(step.job.scope_id, results)
        HostResult.objects.bulk_create(results, batch_size=1000)
    _clone_chunks(source, step)
    return filled


def ordinary(job: int, hosts: int) -> Filled:
    """A step of many hosts that print what a deployment does, 1 KB; some fail, some deviate."""
    kind = next(kind for kind in KINDS if kind.name == "deployment")
    lines, logs = parents(job, []), {}
    for host in range(1, hosts + 1):
        failed = kind.failed(host)
        outcome = {"status": EXIT_CODE_NOT_ZERO if failed else SUCCEEDED, "exit_code": int(failed)}
        times = {"start_time": CREATED, "end_time": CREATED + 1000 + host % 977}
        named = {"job_instance_id": job, "step_instance_id": job * 10}
        lines.append(_encode({"type": "host_result", **named, **_host(host), **outcome, **times}))
        logs[host] = kind.text(host).encode()
    for body in bodies(lines):
        load(body)
    for body in bodies(pieces(job, ((host, 0, log) for host, log in logs.items()))):
        load(body)
    return Filled(job, job * 10, list(logs), sum(map(len, logs.values())) // hosts)


def columns(*, but: Sequence[str]) -> str:
    """The columns of host results, whichever they have by now."""
    named = [field.column for field in HostResult._meta.concrete_fields]
    return ", ".join(name for name in named if name not in but)


def _clone(source: Filled, step: StepInstance) -> None:
    fields = columns(but=("id", "step_id"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO joblogs_hostresult (step_id, {fields}) "  # noqa: S608 - our names
            f"SELECT %s, {fields} FROM joblogs_hostresult WHERE step_id = %s",
            [step.pk, source.row.pk],
        )
    _clone_chunks(source, step)


def _clone_chunks(source: Filled, step: StepInstance) -> None:
    modulo = len(source.hosts)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO joblogs_logchunk "
            '(day, host_result_id, "offset", size, newlines, codec, data) '
            'SELECT c.day, n.id, c."offset", c.size, c.newlines, c.codec, c.data '
            "FROM joblogs_hostresult n JOIN joblogs_hostresult o "
            "ON o.step_id = %s AND o.bk_host_id %% %s = n.bk_host_id %% %s "
            "JOIN joblogs_logchunk c ON c.day = %s AND c.host_result_id = o.id "
            'WHERE n.step_id = %s ORDER BY n.id, c."offset"',
            [source.row.pk, modulo, modulo, step.day, step.pk],
        )


def naive(filled: Filled, *, whole: bool) -> None:
    """The same text in the textbook's tables: a row for each log, or for each piece of 1 KB."""
    number = filled.step + (WHOLE_ROWS if whole else 0)
    rows = (
        (number, host, 0, _host(host)["ip"], offset, data.decode())
        for host in filled.hosts
        for log in [corpus.log(host, filled.size)]
        for offset, data in ([(0, log)] if whole else corpus.pieces(log))
    )
    step = [number, filled.job, number]
    url = os.environ["DATABASE_URL"]
    into = "INTO naive_step (id, job_instance_id, step_instance_id) VALUES"
    columns = '(step_id, bk_host_id, bk_cloud_id, ip, "offset", content)'
    if url.startswith("postgres"):
        with psycopg.connect(url) as plain, plain.cursor() as cursor:
            cursor.execute(f"INSERT {into} (%s, %s, %s)", step)
            with cursor.copy(f"COPY naive_scriptlog {columns} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        return
    file = contextlib.closing(sqlite3.connect(urlsplit(url).path, timeout=60))
    with file as plain_file, plain_file:
        plain_file.execute(f"INSERT {into} (?, ?, ?)", step)
        plain_file.executemany(
            f"INSERT INTO naive_scriptlog {columns} VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
            rows,
        )


def tidy() -> None:
    """What autovacuum does sooner or later, done now, so that it does not come in between."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
        else:
            cursor.execute("ANALYZE")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
