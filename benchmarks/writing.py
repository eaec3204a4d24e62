"""Records in: over HTTP, against a COPY of the same rows, and by import_logs."""

from __future__ import annotations

import contextlib
import datetime
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import psycopg

from joblogs.ingest.batching import BATCH_RECORDS
from joblogs.logtext import codec
from tests.serving import ROOT

from . import client, corpus, filling
from .client import Client
from .measuring import Finding, figure, interleaved, ratio
from .servers import OURS, memory, serving

RECORDS = "/api/v1/records"
HOSTS = 500
RECORDS_OF_A_RUN = 20_000
LOG_BYTES, FEW = 2_000_000, 16
"""Of an import: so many bytes a host, of which a few print all that there is to be printed."""


def ingest(
    database: str, headers: dict[str, str], *, first_job: int, size: int, goal: int, rounds: int
) -> list[Finding]:
    """Bodies of `size` records of 1 KB, as 500 hosts print them, to one worker."""
    with serving(OURS) as server:
        connection = Client(server.port)
        jobs = iter(range(first_job, first_job + rounds + 1))
        logs = _logs(RECORDS_OF_A_RUN)

        def ours() -> float:
            # Everything is made before the clock starts; every run is a job of its own.
            job = next(jobs)
            _send(connection, headers, b"\n".join(filling.parents(job, logs, status=7)))
            requests = [
                client.post(RECORDS, body, headers)
                for body in filling.bodies(filling.pieces(job, corpus.in_turn(logs)), size)
            ]
            started = time.perf_counter()
            for request in requests:
                _check(connection.ask(request, keep=True))
            return time.perf_counter() - started

        runs = {"ours": ours}
        if database == "postgresql":
            runs["copy"] = lambda: _copy(logs)
        taken = interleaved(runs, rounds=rounds)
    rate = figure([RECORDS_OF_A_RUN / seconds for seconds in taken["ours"]])
    case = f"ingest over HTTP, 1 KB pieces, bodies of {size:,}"
    if database != "postgresql":
        return [Finding(database, case, "", f"{rate.shown(0)} records/s", None)]
    found = [
        Finding(
            database,
            case,
            f"≥ {goal:,} records/s",
            f"{rate.shown(0)} records/s",
            rate.median >= goal,
        )
    ]
    if size == filling.BODY_RECORDS:
        against = ratio(taken["copy"], taken["ours"])
        finding = Finding(
            database, case, "≥ 0.5 × text COPY", against.shown(), against.median >= 0.5
        )
        found.append(finding)
    return found


def _logs(records: int) -> dict[int, bytes]:
    size = records // HOSTS * corpus.PIECE
    return {host: corpus.log(host, size) for host in range(1, HOSTS + 1)}


def _send(connection: Client, headers: dict[str, str], body: bytes) -> None:
    _check(connection.ask(client.post(RECORDS, body, headers), keep=True))


def _check(answer: client.Answer) -> None:
    envelope = msgspec.json.decode(answer.body)
    if not envelope["result"] or envelope["data"]["duplicates"]:
        raise SystemExit(f"records were not taken: {answer.body[:500]!r}")


def _copy(logs: dict[int, bytes]) -> float:
    """The same pieces, one row each, compressed, by text COPY in the same batches."""
    day = datetime.date(2001, 1, 1)
    url = os.environ["DATABASE_URL"]
    pieces = list(corpus.in_turn(logs))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS copied")
        connection.execute("CREATE TABLE copied (LIKE joblogs_logchunk INCLUDING ALL)")
        started = time.perf_counter()
        for batch in _batches(pieces):
            with connection.cursor() as cursor, cursor.copy("COPY copied FROM STDIN") as copy:
                for host, offset, data in batch:
                    kind, packed = codec.encode(data)
                    size, newlines = len(data), data.count(b"\n")
                    copy.write_row((day, host, offset, size, newlines, kind, packed))
        seconds = time.perf_counter() - started
        connection.execute("DROP TABLE copied")
    return seconds


def _batches(
    pieces: Sequence[tuple[int, int, bytes]],
) -> Iterator[Sequence[tuple[int, int, bytes]]]:
    for start in range(0, len(pieces), BATCH_RECORDS):
        yield pieces[start : start + BATCH_RECORDS]


def importing(database: str, *, job: int, size: int, folder: Path) -> list[Finding]:
    """A file of pieces of 1 KB, log by log as an export writes them, by `import_logs`."""
    count = max(1, size // LOG_BYTES)
    few = {at: corpus.log(at, LOG_BYTES) for at in range(FEW)}
    file = folder / "import.ndjson"
    with file.open("wb") as output:
        output.write(b"\n".join(filling.parents(job, range(1, count + 1))) + b"\n")
        for host in range(1, count + 1):
            of = corpus.log_by_log({host: few[host % FEW]})
            output.write(b"\n".join(filling.pieces(job, of)) + b"\n")
    started, peak = time.perf_counter(), 0
    command = [sys.executable, "manage.py", "import_logs", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            with contextlib.suppress(OSError, KeyError):  # it may end while it is looked at
                peak = max(peak, memory(process.pid, "VmHWM"))
            time.sleep(0.02)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit("import_logs failed")
    rate, megabytes = count * LOG_BYTES / 1e6 / seconds, peak / 1e6
    case = f"import_logs of {count * LOG_BYTES / 1e6:,.0f} MB in 1 KB pieces"
    note = f"{seconds:.1f} s"
    return [
        Finding(database, case, "≥ 50 MB/s", f"{rate:.0f} MB/s", rate >= 50, note),
        Finding(database, case, "≤ 200 MB of memory", f"{megabytes:.0f} MB", megabytes <= 200),
    ]
