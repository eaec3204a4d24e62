"""Measure the store and print a table.

    python -m benchmarks                                   # all of it, about half an hour
    python -m benchmarks --quick --database sqlite merged  # one case while working

Each database is one of its own, made for the run and gone afterwards: an SQLite file, a PostgreSQL
server as the tests start one. Every figure but the rates is a ratio of runs made in turn.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import django
import msgspec

from .databases import DATABASES, own_database
from .measuring import Finding

HEAD = (
    "| database | case | goal | measured: median (quartiles) | reached | |\n"
    "|---|---|---|---|---|---|\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="which (default: all)")
    parser.add_argument("--database", choices=DATABASES, help="only this one")
    parser.add_argument("--quick", action="store_true", help="small and few: while working")
    parser.add_argument("--tiny", action="store_true", help="smaller still: does it run at all?")
    parser.add_argument("--rounds", type=int, help="how often each is run")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        measure(arguments)
        return
    findings: list[Finding] = []
    for kind in [arguments.database] if arguments.database else DATABASES:
        findings += _in_a_process(kind)
    sys.stdout.write("\n" + HEAD + "".join(_row(finding) for finding in findings))


def _in_a_process(kind: str) -> list[Finding]:
    # A process for each database: Django knows one, and a peak of memory is a process's own.
    with tempfile.TemporaryDirectory(prefix="joblogs-benchmarks-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with own_database(kind, folder) as url:
            environment = os.environ | {
                "DATABASE_URL": url,
                "DJANGO_SETTINGS_MODULE": "jobplatform.settings",
                "SECRET_KEY": "of a benchmark",
            }
            command = [sys.executable, "-m", "benchmarks", "--inside", *sys.argv[1:]]
            command += [] if "--database" in sys.argv else ["--database", kind]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(done.returncode)
    return msgspec.json.Decoder(Finding).decode_lines(done.stdout)


def measure(arguments: argparse.Namespace) -> None:
    """Run the cases on the database in use; findings go to standard output, one a line."""
    django.setup()
    from .running import CASES, FULL, QUICK, TINY, Bench  # Django must be set up before

    unknown = set(arguments.cases) - set(CASES)
    if unknown:
        raise SystemExit(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    scale = TINY if arguments.tiny else QUICK if arguments.quick else FULL
    if arguments.rounds:
        scale = dataclasses.replace(scale, rounds=arguments.rounds)
    bench = Bench(arguments.database, scale, dict(os.environ))
    bench.prepare()
    for name in arguments.cases or CASES:
        for finding in CASES[name](bench):
            sys.stderr.write(_row(finding))
            sys.stdout.buffer.write(msgspec.json.encode(finding) + b"\n")
            sys.stdout.flush()


def _row(finding: Finding) -> str:
    reached = {True: "yes", False: "**no**", None: ""}[finding.reached]
    cells = (finding.database, finding.case, finding.goal, finding.measured, reached, finding.note)
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    main()
