"""The cases on one database, in the order that they need each other's data."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from django.db import connection, connections

from joblogs import maintenance
from joblogs.maintenance import packing
from tests.serving import manage

from . import filling, keeping, notices, pages, reading, servers, writing
from .databases import copy_of
from .filling import Filled
from .measuring import Finding
from .reading import Question


@dataclass(frozen=True)
class Scale:
    """How large things are, and how often they are run."""

    rounds: int
    hosts: int
    times_more: int
    wide: int
    large_bytes: int
    chunks: int
    import_bytes: int


FULL = Scale(15, 500, 100, 20_000, 2_000_000, 1_000_000, 1_000_000_000)
TINY = Scale(1, 10, 1, 40, 20_000, 5_000, 1_000_000)
QUICK = Scale(5, 500, 5, 2_000, 256_000, 50_000, 64_000_000)
LOG_BYTES = 20 * 1024


@dataclass
class Bench:
    """A database that fills as cases ask for what they need."""

    database: str
    scale: Scale
    environment: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)
    naive_headers: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        manage(self.environment, "migrate", "--verbosity", "0")
        manage(self.environment, "maintain_logs")
        naive = self.environment | {"DJANGO_SETTINGS_MODULE": "benchmarks.naive.settings"}
        manage(naive, "migrate", "--run-syncdb", "--verbosity", "0")
        self.headers = servers.make_app()
        self.naive_headers = servers.make_naive_user(naive)

    @cached_property
    def merged(self) -> Filled:
        made = filling.merged(1, range(1, self.scale.hosts + 1), LOG_BYTES)
        filling.naive(made, whole=True)
        filling.naive(made, whole=False)
        return made

    @cached_property
    def live(self) -> Filled:
        merged = self.merged
        made = filling.live(2, merged.hosts, LOG_BYTES)
        filling.naive(made, whole=False)
        return made

    def question(self, filled: Filled, hosts: int | None = None) -> Question:
        return Question(filled, filled.hosts[:hosts], self.headers, self.naive_headers)


def merged(bench: Bench) -> Iterator[Finding]:
    question = bench.question(bench.merged)
    filling.tidy()
    with reading.all_three() as servers:
        yield from reading.merged(bench.database, servers, question, bench.scale.rounds)


def live(bench: Bench) -> Iterator[Finding]:
    question, after = bench.question(bench.live), bench.question(bench.merged)
    filling.tidy()
    with reading.all_three() as servers:
        yield from reading.live(bench.database, servers, question, after, bench.scale.rounds)


def small(bench: Bench) -> Iterator[Finding]:
    question = bench.question(bench.merged, 2)
    filling.tidy()
    with reading.all_three() as servers:
        yield from reading.small(bench.database, servers, question, bench.scale.rounds)


def ingest(bench: Bench) -> Iterator[Finding]:
    for at, (size, goal) in enumerate(((5000, 25_000), (500, 12_000))):
        yield from writing.ingest(
            bench.database,
            bench.headers,
            first_job=40_000 + 100 * at,
            size=size,
            goal=goal,
            rounds=bench.scale.rounds,
        )


def searches(bench: Bench) -> Iterator[Finding]:
    yield from notices.ingest_with_searches(
        bench.database, first_job=50_000, rounds=4 * bench.scale.rounds
    )


def wide(bench: Bench) -> Iterator[Finding]:
    few = bench.question(bench.merged)
    hosts = bench.scale.wide
    made = filling.wide(bench.merged, 3, hosts)
    # Spread over the step, as a search by anything but the id would have them.
    spread = made.hosts[:: hosts // len(few.hosts)]
    many = Question(made, spread, bench.headers, bench.naive_headers)
    filling.tidy()
    with servers.serving(servers.OURS) as ours:
        runs = [reading.asking(ours, question.ours()) for question in (many, few)]
        case = f"batch read, {len(many.hosts)} of a {hosts:,}-host step"
        yield reading.beside(
            bench.database, case, "the 500-host step", 1.15, *runs, rounds=bench.scale.rounds
        )


def rows(bench: Bench) -> Iterator[Finding]:
    questions = {
        "500 hosts, merged": (bench.question(bench.merged), 1),
        "500 hosts, live": (bench.question(bench.live), 1),
        "2 hosts": (bench.question(bench.merged, 2), reading.SMALL_AT_ONCE),
    }
    connections.close_all()
    if bench.database == "postgresql":
        connection.close_pool()
    few = copy_of(os.environ["DATABASE_URL"])
    for at, filled in enumerate((bench.merged, bench.live)):
        filling.copies(filled, 10_000 * (at + 1), bench.scale.times_more)
    filling.tidy()
    with servers.serving(servers.OURS) as more, servers.serving(servers.OURS, url=few) as less:
        for name, (question, times) in questions.items():
            runs = [reading.asking(server, question.ours(), times=times) for server in (more, less)]
            case = f"batch read, {name}, {bench.scale.times_more} × more rows in the store"
            yield reading.beside(
                bench.database, case, "without them", 1.15, *runs, rounds=bench.scale.rounds
            )


def large(bench: Bench) -> Iterator[Finding]:
    few = filling.merged(4, range(1, 9), bench.scale.large_bytes)
    question = bench.question(filling.wide(few, 5, bench.scale.hosts))
    filling.tidy()
    with servers.serving(servers.OURS) as server:
        yield from reading.large(bench.database, server, question)


def importing(bench: Bench) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        yield from writing.importing(
            bench.database, job=6, size=bench.scale.import_bytes, folder=Path(folder)
        )


def disk(bench: Bench) -> Iterator[Finding]:
    for at, (hosts, size, goal) in enumerate(((500, 20 * 1024, 0.36), (100, 256 * 1024, 0.30))):
        yield from keeping.disk(
            bench.database,
            first_job=2000 + 100 * at,
            hosts=hosts,
            size=size,
            goal=goal,
            days_ago=10 + at,
        )
    yield keeping.demo(bench.database)


def expiring(bench: Bench) -> Iterator[Finding]:
    if bench.database == "postgresql":
        yield from keeping.expiring(bench.scale.chunks)


def page(bench: Bench) -> Iterator[Finding]:
    steps = {
        "a deployment of 1 KB": filling.ordinary(8, 2_000),
        "20 KB without two equal lines": filling.wide(bench.merged, 7, 2_000),
    }
    maintenance.maintain(every_day=True)  # features too: a page computes what is missing
    filling.tidy()
    for output, made in steps.items():
        yield from pages.step_page(bench.database, made, bench.scale.rounds, output=output)


def search(bench: Bench) -> Iterator[Finding]:
    question = bench.question(bench.merged)
    filling.tidy()
    yield from pages.search(bench.database, bench.merged, question, bench.scale.rounds)


def packed(bench: Bench) -> Iterator[Finding]:
    filled = filling.wide(bench.merged, 8, bench.scale.hosts)
    packing.pack_step(filled.row)
    filling.tidy()
    pairs = [(filled, None, 0.9, 1), (filled, 2, 1.15, reading.SMALL_AT_ONCE)]
    with servers.serving(servers.OURS) as ours:
        for made, hosts, goal, times in pairs:
            question, base = bench.question(made, hosts), bench.question(bench.merged, hosts)
            runs = [reading.asking(ours, each.ours(), times=times) for each in (question, base)]
            case = f"batch read of {len(question.hosts)} × {LOG_BYTES // 1024} KB from packs"
            yield reading.beside(
                bench.database, case, "from chunks", goal, *runs, rounds=bench.scale.rounds
            )
        yield pages.log_page(bench.database, ours, filled, bench.merged, bench.scale.rounds)
    yield from keeping.packed(bench.database, bench.merged)


CASES: dict[str, Callable[[Bench], Iterator[Finding]]] = {
    "merged": merged,
    "live": live,
    "small": small,
    "wide": wide,
    "rows": rows,
    "large": large,
    "page": page,
    "search": search,
    "packed": packed,
    "ingest": ingest,
    "searches": searches,
    "import": importing,
    "disk": disk,
    "expire": expiring,
}
