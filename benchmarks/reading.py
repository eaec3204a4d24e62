"""The batch read: against the floor, against the textbook, in a wide step, among many rows."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from . import client
from .client import Client
from .filling import WHOLE_ROWS, Filled
from .measuring import Finding, Run, interleaved, ratio
from .servers import FLOOR, NAIVE, OURS, Server, cpu_seconds, forget_peak, memory, serving

BATCH = "/api/v3/batch_get_job_instance_ip_log"
SMALL_AT_ONCE = 100
"""Requests of one run of a read that takes a few milliseconds."""

BY_CPU = "BENCHMARK_BY_CPU" in os.environ
"""Count what the worker computes, not what the clock says: for a busy machine, while working."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Question:
    """A batch read, as each of the three is asked for it."""

    filled: Filled
    hosts: Sequence[int]
    headers: dict[str, str]
    token: dict[str, str]

    def ours(self, **more: object) -> bytes:
        fields = {"bk_scope_type": "biz", "bk_scope_id": "2", "host_id_list": list(self.hosts)}
        fields |= {"job_instance_id": self.filled.job, "step_instance_id": self.filled.step, **more}
        return client.post(BATCH, _encode(fields), self.headers)

    def floor(self) -> bytes:
        row = self.filled.row
        fields = {"day": row.day.isoformat(), "step": row.pk, "hosts": list(self.hosts)}
        return client.post("/", _encode(fields))

    def naive(self, *, bare: bool = True, whole: bool = False) -> bytes:
        """`bare`: it asks for no credentials. `whole`: over rows that are whole logs."""
        step = self.filled.step + (WHOLE_ROWS if whole else 0)
        fields = {"job_instance_id": self.filled.job, "step_instance_id": step, "bk_scope_id": "2"}
        path = "/bare" if bare else "/batch"
        return client.post(path, _encode(fields | {"host_id_list": list(self.hosts)}), self.token)


@dataclass(frozen=True)
class Servers:
    """One worker of each."""

    ours: Server
    floor: Server
    naive: Server


@contextlib.contextmanager
def all_three() -> Iterator[Servers]:
    with serving(OURS) as ours, serving(FLOOR) as floor, serving(NAIVE) as naive:
        yield Servers(ours, floor, naive)


def asking(server: Server, request: bytes, *, times: int = 1) -> Run:
    """A run that sends a request so often over one connection."""
    connection = Client(server.port)

    def run() -> float:
        if BY_CPU:
            before = cpu_seconds(server.worker)
            for _ in range(times):
                _ask(connection, request)
            return (cpu_seconds(server.worker) - before) / times
        return sum(_ask(connection, request) for _ in range(times)) / times

    return run


def _ask(connection: Client, request: bytes) -> float:
    answer = connection.ask(request)
    if answer.status != 200:
        raise SystemExit(f"a server answered {answer.status}")
    return answer.seconds


def same_logs(servers: Servers, question: Question) -> None:
    """Whether the three give the same text: else there is nothing to compare."""
    logs = []
    for server, request in (
        (servers.ours, question.ours()),
        (servers.floor, question.floor()),
        (servers.naive, question.naive()),
        (servers.naive, question.naive(bare=False)),
    ):
        answer = Client(server.port).ask(request, keep=True)
        data = msgspec.json.decode(answer.body)["data"]
        logs.append({e["bk_host_id"]: e["log_content"] for e in data["script_task_logs"]})
    if any(one != logs[0] for one in logs) or set(logs[0]) != set(question.hosts):
        raise SystemExit("the three do not give the same answer")


def merged(database: str, servers: Servers, question: Question, rounds: int) -> list[Finding]:
    same_logs(servers, question)
    runs = _three(servers, question)
    runs["whole"] = asking(servers.naive, question.naive(whole=True))
    taken = interleaved(runs, rounds=rounds)
    case = f"batch read, {len(question.hosts)} hosts × {_kb(question)}, merged"
    return [
        _at_most(database, case, "floor", 1.2, taken["ours"], taken["floor"]),
        _at_most(database, case, "naive", 0.5, taken["ours"], taken["naive"]),
        _at_most(database, case, "naive, a row a log", None, taken["ours"], taken["whole"]),
    ]


def live(
    database: str, servers: Servers, question: Question, after: Question, rounds: int
) -> list[Finding]:
    """`question` as it came in, `after` the same text merged."""
    same_logs(servers, question)
    runs = _three(servers, question) | {"merged": asking(servers.ours, after.ours())}
    taken = interleaved(runs, rounds=rounds)
    case = f"batch read, {len(question.hosts)} hosts × {_kb(question)}, live in 1 KB pieces"
    return [
        _at_most(database, case, "floor", 1.3, taken["ours"], taken["floor"]),
        _at_most(database, case, "merged read", 1.5, taken["ours"], taken["merged"]),
        _at_most(database, case, "naive", None, taken["ours"], taken["naive"]),
    ]


def small(database: str, servers: Servers, question: Question, rounds: int) -> list[Finding]:
    same_logs(servers, question)
    runs = _three(servers, question, times=SMALL_AT_ONCE)
    with_checks = question.naive(bare=False)
    runs["checks"] = asking(servers.naive, with_checks, times=SMALL_AT_ONCE)
    taken = interleaved(runs, rounds=rounds)
    case = f"batch read, {len(question.hosts)} hosts × {_kb(question)}, requests/s"
    return [
        _at_least(database, case, "floor", 0.25, taken["floor"], taken["ours"]),
        _at_least(database, case, "naive", 2, taken["checks"], taken["ours"]),
        _at_least(database, case, "naive, no checks", None, taken["naive"], taken["ours"]),
    ]


def beside(
    database: str, case: str, base: str, goal: float, one: Run, other: Run, *, rounds: int
) -> Finding:
    """One read of ours against another of ours."""
    taken = interleaved({"run": one, "base": other}, rounds=rounds)
    return _at_most(database, case, base, goal, taken["run"], taken["base"])


def large(database: str, server: Server, question: Question) -> list[Finding]:
    """An answer that memory could not hold many of."""
    first = Question(question.filled, question.hosts[:1], question.headers, question.token)
    asking(server, first.ours())()
    before = memory(server.worker, "VmRSS")
    forget_peak(server.worker)
    answer = Client(server.port).ask(question.ours())
    grown = (memory(server.worker, "VmHWM") - before) / 1e6
    share = answer.first_byte / answer.seconds
    whole = answer.size >= len(question.hosts) * question.filled.size and answer.status == 200
    case = f"batch read of {len(question.hosts)} × {_kb(question)}"
    fields = f"{answer.size / 1e6:,.0f} MB in {answer.seconds:.1f} s"
    return [
        Finding(database, f"{case}: completes", "yes", fields, whole),
        Finding(database, f"{case}: memory grows by", "≤ 150 MB", f"{grown:.0f} MB", grown <= 150),
        Finding(
            database,
            f"{case}: first byte within",
            "≤ 1/10 of the time",
            f"{share:.3f} ({answer.first_byte * 1000:.0f} ms)",
            share <= 0.1,
        ),
    ]


def _three(servers: Servers, question: Question, *, times: int = 1) -> dict[str, Run]:
    return {
        "ours": asking(servers.ours, question.ours(), times=times),
        "floor": asking(servers.floor, question.floor(), times=times),
        "naive": asking(servers.naive, question.naive(), times=times),
    }


def _at_most(
    database: str,
    case: str,
    base: str,
    goal: float | None,
    numbers: Sequence[float],
    to: Sequence[float],
) -> Finding:
    found = ratio(numbers, to)
    middle = sorted(numbers)[len(numbers) // 2] * 1000
    reached = None if goal is None else found.median <= goal
    aim = "" if goal is None else f"≤ {goal:g} × {base}"
    note = f"{middle:.1f} ms" + (f", against {base}" if goal is None else "")
    return Finding(database, case, aim, found.shown(), reached, note)


def _at_least(
    database: str,
    case: str,
    base: str,
    goal: float | None,
    to: Sequence[float],
    numbers: Sequence[float],
) -> Finding:
    found = ratio(to, numbers)
    middle = sorted(numbers)[len(numbers) // 2] * 1000
    reached = None if goal is None else found.median >= goal
    aim = "" if goal is None else f"≥ {goal:g} × {base}"
    note = f"{middle:.2f} ms" + (f", against {base}" if goal is None else "")
    return Finding(database, case, aim, found.shown(), reached, note)


def _kb(question: Question) -> str:
    size = question.filled.size
    return f"{size / 1e6:g} MB" if size >= 1_000_000 else f"{size / 1024:g} KB"
