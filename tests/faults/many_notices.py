"""`python -m tests.faults.many_notices 10000`: so many notices through restarts, and what came.

Jobs that fail are sent to a store while `send_notices --loop` is killed again and again and the
receiver answers 500. On SQLite, or on PostgreSQL with `--postgresql`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests import postgres  # noqa: E402 - models can only be imported now
from tests.faults.notices import deliver  # noqa: E402 - as above
from tests.serving import serving  # noqa: E402 - as above


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.many_notices", description=__doc__
    )
    parser.add_argument("events", type=int)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--failures", type=int, default=5)
    parser.add_argument("--postgresql", action="store_true")
    arguments = parser.parse_args()
    every = max(1, arguments.events // (arguments.failures + 1))
    failures = tuple(range(every, arguments.events, every))[: arguments.failures]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'notices.sqlite3'}"
        if arguments.postgresql:
            binaries = postgres.find_binaries()
            assert binaries, "PostgreSQL is not installed"
            url = stack.enter_context(postgres.running_server(binaries)).url
        server = stack.enter_context(serving(folder, url=url, workers=1))
        started = time.monotonic()
        found = deliver(server, events=arguments.events, kills=arguments.kills, failures=failures)
    in_order = found.jobs == sorted(found.jobs)
    sys.stdout.write(
        f"{len(found.jobs):,} of {arguments.events:,} came, {found.ids:,} ids, "
        f"{found.repeated} more than once, {'in order' if in_order else 'OUT OF ORDER'}; "
        f"{found.kills} kills, {len(failures)} times 500; {time.monotonic() - started:.0f} s\n"
    )
    sys.exit(not in_order or len(found.jobs) < arguments.events)


if __name__ == "__main__":
    main()
