"""Fill stores of several sizes, enter everything in each, and print what it costs.

    python -m benchmarks.scale                 # 1/100 and full: 15 minutes, 15 GB of disk
    python -m benchmarks.scale 0.01 0.1        # these: 1 is 400,000 jobs and some 8 M host results

Each store is a PostgreSQL server of its own, made for the run and gone afterwards. Beside the time
stands how many pages of 8 KB the database looked at: that is the same on a busy machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time

import django
from django.core.management import call_command

from tests.postgres import find_binaries, running_server

SIZES = (0.01, 1.0)
SETTINGS = {
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    # What is read is what VACUUM ANALYZE left, not what it makes of it meanwhile.
    "autovacuum": "off",
    "max_locks_per_transaction": "256",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sizes", nargs="*", type=float, default=SIZES, metavar="SIZE")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        measure(arguments.sizes[0])
        return
    costs = [_in_a_process(size) for size in arguments.sizes]
    sizes = " | ".join(f"ms, {size:g} | pages, {size:g}" for size in arguments.sizes)
    sys.stdout.write(f"| entry point | {sizes} |\n|---|{'---|---|' * len(costs)}\n")
    for name in costs[0]:
        cells = [_cells(each.get(name)) for each in costs]
        sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")


def _cells(cost: list[float] | None) -> str:
    return "– | –" if cost is None else f"{cost[0]:.0f} | {cost[1]:,}"


def _in_a_process(size: float) -> dict[str, list[float]]:
    # A process for each store: Django knows one database.
    binaries = find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed here.")
    with (
        tempfile.TemporaryDirectory(prefix="joblogs-scale-") as home,
        running_server(binaries, SETTINGS) as database,
    ):
        environment = os.environ | {
            "DATABASE_URL": database.url,
            "DJANGO_SETTINGS_MODULE": "jobplatform.settings",
            "SECRET_KEY": "of a benchmark",
            "ALLOWED_HOSTS": "testserver",
            "JOBLOGS_HOME": home,
            "METRICS_TOKEN_SHA256": hashlib.sha256(b"of a benchmark").hexdigest(),
        }
        command = [sys.executable, "-m", "benchmarks.scale", "--inside", str(size)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(done.returncode)
    costs: dict[str, list[float]] = json.loads(done.stdout)
    return costs


def measure(size: float) -> None:
    """Fill the database in use and write the cost of each entry point to standard output."""
    django.setup()
    from .entry_points import cost, entry_points  # Django must be set up before
    from .filling import JOBS, fill

    call_command("migrate", verbosity=0)
    started = time.monotonic()
    fill(size)
    sys.stderr.write(f"size {size:g}: filled in {time.monotonic() - started:.0f} s\n")
    logging.disable(logging.ERROR)
    costs = {}
    for name, enter in entry_points(int(JOBS * size)):
        costs[name] = cost(enter)
        sys.stderr.write(f"{costs[name].milliseconds:9.1f} ms {costs[name].pages:9,} {name}\n")
    sys.stdout.write(json.dumps(costs))


if __name__ == "__main__":
    main()
