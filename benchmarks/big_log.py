"""How long the log page's windows of a log of 1 GB take, and how much memory.

    python -m benchmarks.big_log [--megabytes 1000] [--piece 1048576]

Makes a store in a temporary folder, fills one host's log there, and opens it at several places,
each in a process of its own, so that each figure is a peak of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import django
from django.core.management import call_command

PLACES = ("nothing", "end", "start", "line", "byte", "before", "error")
LINE = b"[2026-11-23 03:25:10][PID:%05d] INFO  step %08d of the roll-out copied files in %d ms\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--piece", type=int, default=1024 * 1024, help="bytes of each chunk")
    parser.add_argument("--look", choices=PLACES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.look:
        look(arguments.look)
        return
    with tempfile.TemporaryDirectory() as folder:
        url = os.environ.get("DATABASE_URL") or f"sqlite:///{Path(folder) / 'big.sqlite3'}"
        environment = os.environ | {"DATABASE_URL": url, "SECRET_KEY": "of a benchmark"}
        os.environ.update(environment)
        setup()
        fill(arguments.megabytes * 1000 * 1000, arguments.piece)
        for place in PLACES:
            command = [sys.executable, "-m", "benchmarks.big_log", "--look", place]
            subprocess.run(command, env=environment, check=True)


def setup() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobplatform.settings")
    django.setup()


def lines() -> Iterator[bytes]:
    number = 0
    while True:
        yield b"".join(
            LINE % (n % 90_000, n, n * 7919 % 997) for n in range(number, number + 10_000)
        )
        number += 10_000


def fill(size: int, piece: int) -> None:
    from joblogs.logtext import store
    from joblogs.models import HostResult, JobInstance, Scope, StepInstance

    call_command("migrate", verbosity=0)
    day = date(2026, 11, 23)
    scope = Scope.objects.create(scope_type="biz", scope_id="2")
    job = JobInstance.objects.create(
        scope=scope, job_instance_id=1, name="big", create_time=1_795_404_263_118, day=day, status=3
    )
    step = StepInstance.objects.create(
        job=job, step_instance_id=2, step_type=1, create_time=job.create_time, day=day, status=3
    )
    row = HostResult.objects.create(step=step, host_id=101, ip="10.0.0.1", status=9, day=day)
    offset = newlines = 0
    text = bytearray()
    source = lines()
    started = time.monotonic()
    while offset < size:
        while len(text) < 8_000_000:
            text += next(source)
        batch = bytes(text[: 8_000_000 // piece * piece or piece])
        del text[: len(batch)]
        cuts = range(0, len(batch), piece)
        store.append(
            day, [store.Addition(row.pk, offset + at, batch[at : at + piece]) for at in cuts]
        )
        offset += len(batch)
        newlines += batch.count(b"\n")
    row.received_size = row.held_size = offset
    row.lines = newlines
    row.save(update_fields=["received_size", "held_size", "lines"])
    chunks = -(-offset // piece)
    say(f"{offset:,} bytes, {newlines:,} lines, {chunks:,} chunks", started)


def look(place: str) -> None:
    setup()
    from joblogs import query, search
    from joblogs.models import StepInstance

    started = time.monotonic()
    step = StepInstance.objects.select_related("job").get()
    (host,) = query.hosts_named(step, [101])
    text = query.script_text(step, host)
    if place == "error":
        say(f"error: {search.first_error(text, seconds=10)}", started)
        return
    where = {
        "end": query.END,
        "start": query.Place("line", 1),
        "line": query.Place("line", 5_000_000),
        "byte": query.Place("byte", text.size * 3 // 5),
        "before": query.Place("before", text.size * 3 // 5),
    }.get(place)
    if where is None:
        say("nothing opened", started)
        return
    found = query.window_at(text, where)
    first, last = found.lines[0].number, found.lines[-1].number
    say(f"{place}: lines {first:,} to {last:,}", started)


def say(what: str, started: float) -> None:
    seconds = time.monotonic() - started
    # Not getrusage: after a fork its peak is that of the parent.
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    status = dict(line.split(":", 1) for line in lines)
    sys.stdout.write(f"{what}: {seconds:.3f} s, peak {status['VmHWM'].strip()}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
