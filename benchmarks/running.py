"""The cases on one database, in the order that they need each other's data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tests.serving import manage

from . import filling, reading, servers, writing
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
    frames: int
    import_bytes: int


FULL = Scale(15, 500, 100, 20_000, 2_000_000, 1_000_000, 1_000_000_000)
QUICK = Scale(5, 500, 5, 2_000, 256_000, 50_000, 64_000_000)
LOG_BYTES = 20 * 1024


@dataclass
class Bench:
    """A database that fills as cases ask for what they need."""

    database: str
    scale: Scale
    environment: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        manage(self.environment, "migrate", "--verbosity", "0")
        manage(self.environment, "maintain_logs")
        naive = self.environment | {"DJANGO_SETTINGS_MODULE": "benchmarks.naive.settings"}
        manage(naive, "migrate", "--run-syncdb", "--verbosity", "0")
        self.headers = servers.make_app()

    @cached_property
    def merged(self) -> Filled:
        made = filling.merged(1, range(1, self.scale.hosts + 1), LOG_BYTES)
        filling.naive(made, whole=True)
        return made

    @cached_property
    def live(self) -> Filled:
        merged = self.merged
        made = filling.live(2, merged.hosts, LOG_BYTES)
        filling.naive(made, whole=False)
        return made

    def question(self, filled: Filled, hosts: int | None = None) -> Question:
        return Question(filled, filled.hosts[:hosts], self.headers)


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
            first_job=1000 + 100 * at,
            size=size,
            goal=goal,
            rounds=bench.scale.rounds,
        )


CASES: dict[str, Callable[[Bench], Iterator[Finding]]] = {
    "merged": merged,
    "live": live,
    "small": small,
    "ingest": ingest,
}
