"""Several writers of the same logs at once: nobody is refused, and every byte is there once.

On PostgreSQL no transaction may be rolled back either: a deadlock or a key that was there already
is tried again, so the answers alone would not tell that a lock is missing.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.builders import CREATED, Fields, file_log, job, lines, result, script_log, step
from tests.live.printing import pieces, printed
from tests.live.producers import Answer, post_at_once, send_together
from tests.serving import Server

HOSTS = range(1, 501)
BODY_HOSTS = 125
# Each producer cuts the logs in its own way, so that its pieces overlap those of the others.
CUTS = (601, 1100, 1501, 2600)


def everything(number: int, *, cut: int, expected: dict[int, bytes]) -> Iterator[bytes]:
    """All of a job's logs as bodies, hosts in an order of its own, the job moving on in each."""
    order = random.sample(list(expected), len(expected))
    for start in range(0, len(order), BODY_HOSTS):
        hosts = order[start : start + BODY_HOSTS]
        at = CREATED + start
        said: list[Fields] = [job(number, update_time=at), step(job=number, update_time=at)]
        said += [result(host, job=number, status=9) for host in hosts]
        for host in hosts:
            said += pieces(expected[host], cut=cut, host=host, job=number)
        yield lines(*said)


def files_of(folder: Path, bodies: Iterator[bytes]) -> list[Path]:
    folder.mkdir()
    files = []
    for index, body in enumerate(bodies):
        files.append(folder / f"{index}.ndjson")
        files[-1].write_bytes(body)
    return files


def refused(answers: Iterable[Answer]) -> list[Any]:
    return [a for a in answers if not a["result"] or a["data"]["refused_total"]]


@pytest.fixture(autouse=True)
def nobody_is_rolled_back(server: Server) -> Iterator[None]:
    before = _rolled_back(server)
    yield
    assert _rolled_back(server) == before


def _rolled_back(server: Server) -> int:
    url = server.environment["DATABASE_URL"]
    if url.startswith("sqlite"):
        return 0
    with psycopg.connect(url, autocommit=True) as connection:
        # A session tells what it counted when it ends; the servers' pools open new ones.
        # PostgreSQL's own workers go on: to end one in the middle of a vacuum is a rollback too.
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        count = connection.execute(
            "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        )
        (rolled_back,) = count.fetchone() or (0,)
        return int(rolled_back)


@pytest.mark.parametrize("door", ["http", "ingest"])
def test_four_processes_send_all_logs_of_500_hosts_and_every_byte_is_there_once(
    server: Server, number: int, tmp_path: Path, door: str
) -> None:
    expected = {host: printed(host, size=4000 + host % 7 * 500) for host in HOSTS}
    loads = [
        files_of(tmp_path / str(cut), everything(number, cut=cut, expected=expected))
        for cut in CUTS
    ]
    answers = send_together(server, door, loads)
    assert [refused(own) for own in answers] == [[], [], [], []]
    assert {host: text.encode() for host, text in server.logs(job=number, step=200).items()} == (
        expected
    )
    assert server.expected_offsets(job=number, step=200) == {
        host: len(data) for host, data in expected.items()
    }


def test_two_writers_of_the_very_same_log_share_its_pieces_between_them(
    server: Server, number: int
) -> None:
    data = printed(7, size=600_000)
    said = list(pieces(data, cut=500, host=7, job=number))
    assert server.post(lines(job(number), step(job=number), result(7, job=number)))["result"]
    for start in range(0, len(said), 40):
        own = said[start : start + 40]
        _post_twice(server, own, own)
    assert server.logs(job=number, step=200) == {7: data.decode()}


def test_two_writers_make_the_same_jobs_steps_host_results_and_file_logs_once(
    server: Server, numbers: Iterator[int]
) -> None:
    for _ in range(10):
        jobs = [next(numbers) for _ in range(8)]
        hosts = range(jobs[0] * 100, jobs[0] * 100 + 6)
        for layer in _layers(jobs, hosts):
            _post_twice(server, layer, layer[::-1])
        logs = {host: f"host {host}\n" for host in hosts}
        assert [server.logs(job=number, step=200) for number in jobs] == [logs] * len(jobs)


def _post_twice(server: Server, one: Sequence[Fields], other: Sequence[Fields]) -> None:
    """Post the same records from two sides: each is accepted once and a duplicate once."""
    answers = post_at_once(server, lines(*one), lines(*other))
    assert refused(answers) == []
    assert sum(answer["data"]["accepted"] for answer in answers) == len(one)
    assert sum(answer["data"]["duplicates"] for answer in answers) == len(one)


def _layers(jobs: Sequence[int], hosts: Sequence[int]) -> Iterator[list[Fields]]:
    """Jobs of a script and of a file step on these hosts, and then what lies below, by itself:
    so each layer is made under the lock of the one before it, and no other."""
    yield [job(number) for number in jobs]
    yield [step(kind + 199, job=number, step_type=kind) for number in jobs for kind in (1, 2)]
    yield [
        result(host, job=number, step=place)
        for number in jobs
        for place in (200, 201)
        for host in hosts
    ]
    logs: list[Fields] = []
    for number in jobs:
        for host in hosts:
            ids: dict[str, int] = {"host": host, "job": number}
            logs.append(script_log(f"host {host}\n", **ids))
            logs.append(file_log(**ids, step=201, offset=0, content=f"{host} done\n"))
    yield logs
