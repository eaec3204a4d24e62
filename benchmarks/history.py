"""Search over history: size and speed of signatures, and what they spare a search.

    python -m benchmarks.history                       # both databases, some minutes
    python -m benchmarks.history --database sqlite
    python -m benchmarks.history --checks 0 --steps 33400    # a million small steps

Steps of made-up output of ordinary tools (`group_kinds`), whose hosts print other numbers,
addresses and ids each. Needles are planted in one log; others are cut from the texts, asked of
every step and compared with its own search. In the database: 30 days of 1,000 signed steps each.
"""

from __future__ import annotations

import argparse
import datetime
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import django
import re2

from .databases import DATABASES, own_database

STEPS_OF_KIND, HOSTS = 2, 250
CHECKS = 100_000
DAYS, STEPS_A_DAY = 30, 1_000
STEPS_OF_SMALL = 10
PARTS_AT_ONCE = 4_096
UNTIL = datetime.date(2026, 11, 29)


class Needle(NamedTuple):
    """What is searched for: planted in one log, or printed by some of the tools."""

    name: str
    text: str
    regex: bool = False
    planted: bool = True


def needles(dice: random.Random) -> list[Needle]:
    """One of each sort, the same every time."""
    made = uuid.UUID(int=dice.getrandbits(128), version=4)
    return [
        Needle("uuid", str(made)),
        Needle("id of 12 hex digits", f"{dice.getrandbits(48):012x}"),
        Needle("id of 8 hex digits", f"{dice.getrandbits(32):08x}"),
        Needle("address", f"172.{dice.randrange(16, 32)}.{dice.randrange(256)}.17"),
        Needle("message", "quota of project falcon is exhausted"),
        Needle("expression with ids", r"falcon-\d{4}: denied", regex=True),
        Needle("common word", "error", planted=False),
        Needle("expression", r"(timeout|timed out) after \d+ ?m?s", regex=True, planted=False),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    parser.add_argument("--database", choices=DATABASES, help="only this one")
    parser.add_argument("--checks", type=int, default=CHECKS, help="needle × step")
    parser.add_argument("--steps", type=int, default=STEPS_A_DAY, help="signed steps a day")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        django.setup()
        in_a_database(arguments.database, arguments.steps)
        return
    if arguments.checks:
        sys.stdout.writelines(of_texts(arguments.checks))
    for kind in [arguments.database] if arguments.database else DATABASES:
        with tempfile.TemporaryDirectory(prefix="joblogs-benchmarks-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            with own_database(kind, folder) as url:
                environment = os.environ | {
                    "DATABASE_URL": url,
                    "DJANGO_SETTINGS_MODULE": "jobplatform.settings",
                    "SECRET_KEY": "of a benchmark",
                }
                command = [sys.executable, "-m", "benchmarks.history", "--inside"]
                command += ["--database", kind, "--steps", str(arguments.steps)]
                subprocess.run(command, env=environment, check=True)


def of_texts(wanted_checks: int) -> Iterator[str]:
    """Figures of signatures alone, without a database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from joblogs.search import Pattern, occurs  # Django must be set up before
    from joblogs.search.signed_texts import SignedTexts
    from joblogs.signatures import Bitmap, PatternPlaces

    from .group_kinds import KINDS

    dice = random.Random(19)  # noqa: S311 - the same every time is what is wanted
    wanted = needles(dice)
    steps = [
        [kind.text(1_000 * number + host).encode() for host in range(HOSTS)]
        for kind in KINDS
        for number in range(STEPS_OF_KIND)
    ]
    for needle in wanted:
        if needle.planted:
            text = "falcon-4711: denied" if needle.regex else needle.text
            dice.choice(steps)[dice.randrange(HOSTS)] += f"\nplanted: {text}\n".encode()
    raw = sum(len(log) for logs in steps for log in logs)
    began = time.process_time()
    signatures = []
    for logs in steps:
        bitmap, texts = Bitmap(), SignedTexts()
        for log in logs:
            for text in texts.of([log]):
                bitmap.mark(text)
        signatures.append(bitmap.signature())
    seconds = time.process_time() - began
    size = sum(len(signature.data) for signature in signatures)
    yield f"{len(steps)} steps of {HOSTS} hosts, {raw / 1e6:.1f} MB\n"
    yield f"size {size / raw:.2%} of the text, built at {raw / 1e6 / seconds:.0f} MB per CPU s\n"
    for needle in wanted:
        pattern = Pattern.of(needle.text, regex=needle.regex, ignore_case=True)
        places = PatternPlaces.of(needle.text, regex=needle.regex, ignore_case=True)
        possible = [bool(places.columns(one.row, 1)) for one in signatures]
        holds = [any(occurs(pattern, [log]) for log in logs) for logs in steps]
        read = sum(sum(map(len, logs)) for logs, may in zip(steps, possible, strict=True) if may)
        yield f"{needle.name}: {sum(holds)} steps hold it, {sum(possible)} are read, "
        yield f"{1 - read / raw:.1%} of the bytes skipped\n"
    checks = missed = needless = 0
    whole = [b"".join(logs) for logs in steps]
    while checks < wanted_checks:
        text = dice.choice(whole)
        start = dice.randrange(len(text))
        cut = text[start : start + dice.randrange(4, 20)].decode(errors="ignore")
        needle = cut.partition("\n")[0]
        if len(needle) < 3:
            continue
        regex, ignore_case = dice.random() < 0.3, dice.random() < 0.5
        if regex:
            needle = re2.escape(needle) + dice.choice(("", ".", "+", "?", "|zzzzzz", r"\b"))
        pattern = Pattern.of(needle, regex=regex, ignore_case=ignore_case)
        places = PatternPlaces.of(needle, regex=regex, ignore_case=ignore_case)
        for text, signature in zip(whole, signatures, strict=True):
            may = bool(places.columns(signature.row, 1))
            does = occurs(pattern, [text])
            missed += does and not may
            needless += may and not does
            checks += 1
    yield f"{checks:,} checks: {missed} missed, {needless / max(1, checks):.2%} read in vain\n"


def in_a_database(kind: str, steps_a_day: int) -> None:
    """Figures of the question, of parts that share some hundred signatures: asked by a reader of
    one scope that had ten steps a day, and by one of all."""
    from django.core.management import call_command  # Django must be set up before
    from django.db import connection

    from joblogs.models import JobInstance, Scope, SignatureRow

    call_command("migrate", verbosity=0)
    dice = random.Random(19)  # noqa: S311 - as above
    small, large = (Scope.objects.create(scope_type="biz", scope_id=n) for n in ("2", "3"))
    signatures = _signatures(1 if steps_a_day > STEPS_A_DAY else HOSTS)
    for back in range(DAYS):
        day = UNTIL - datetime.timedelta(days=back)
        first = back * (steps_a_day + STEPS_OF_SMALL) + 1
        _fill_day(day, small.pk, range(first, first + STEPS_OF_SMALL), signatures, dice)
        others = range(first + STEPS_OF_SMALL, first + STEPS_OF_SMALL + steps_a_day)
        _fill_day(day, large.pk, others, signatures, dice)
    if kind == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    rows = SignatureRow.objects.count()
    every = {"one small scope": [small], "all scopes": [small, large]}
    for text in (str(uuid.UUID(int=dice.getrandbits(128), version=4)), "quota", "f" * 200):
        for who, scopes in every.items():
            jobs = JobInstance.objects.filter(scope__in=scopes)
            sys.stdout.write(
                f"{kind}: {len(text)} bytes that nobody printed, {DAYS} days, of {rows:,} rows, "
                f"{who}: {_figures_of(jobs, scopes, text)}\n"
            )
            sys.stdout.flush()


def _signatures(hosts: int) -> list[Any]:
    from joblogs.signatures import Bitmap  # Django must be set up before

    from .group_kinds import KINDS

    made = []
    for each in KINDS:
        bitmap = Bitmap()
        for host in range(hosts):
            bitmap.mark(each.text(host).encode())
        made.append(bitmap.signature())
    return made


def _fill_day(
    day: datetime.date,
    scope: int,
    numbers: range,
    signatures: Sequence[Any],
    dice: random.Random,
) -> None:
    from joblogs import database, signed_parts  # Django must be set up before
    from joblogs.filters import first_moment
    from joblogs.models import JobInstance, StepInstance

    job = {"scope_id": scope, "day": day, "status": 3, "name": "nightly"}
    job |= {"execute_count": 0, "operator": "", "source": "", "launch_mode": 2, "task_type": 1}
    job |= {"held_by": "", "expired_policy": ""}
    created = first_moment(day) or 0
    database.insert_rows(
        JobInstance,
        ("id", "job_instance_id", "create_time", *job),
        ((number, number, created + number % 86_400_000, *job.values()) for number in numbers),
    )
    step = {"day": day, "status": 3, "name": "run", "execute_count": 0, "step_type": 1}
    step |= {"create_time": created}
    database.insert_rows(
        StepInstance,
        ("id", "job_id", "step_instance_id", *step),
        ((number, number, number, *step.values()) for number in numbers),
    )
    first, last = signed_parts.FIRST_HOST, signed_parts.LAST_HOST
    for start in range(0, len(numbers), PARTS_AT_ONCE):
        some = numbers[start : start + PARTS_AT_ONCE]
        parts = (
            signed_parts.NewPart(number, first, last, 500, dice.choice(signatures))
            for number in some
        )
        signed_parts.write(day, list(parts), [])


def _figures_of(jobs: Any, scopes: Any, text: str) -> str:
    from django.db import connection  # Django must be set up before
    from django.test.utils import CaptureQueriesContext

    from joblogs.search import HistorySearch, Question

    since = UNTIL - datetime.timedelta(days=DAYS - 1)
    for _ in range(2):
        search = HistorySearch(jobs, scopes, Question(text=text, since=since, until=UNTIL))
        began, cpu = time.monotonic(), time.process_time()
        with CaptureQueriesContext(connection) as queries:
            found = list(search)
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
    in_database = sum(float(query["time"]) for query in queries)
    return (
        f"{len(search.steps):,} steps, {len(found)} found, {search.read_steps} read, "
        f"{len(queries)} statements, {in_database:.2f} s in the database, {cpu:.2f} CPU s here, "
        f"{wall:.2f} s in all"
    )


if __name__ == "__main__":
    main()
