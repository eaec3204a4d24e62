"""Several writers of the same logs at once: nobody is refused, and every byte is there once."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.builders import CREATED, Said, file_log, job, lines, result, script_log, step
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
        said: list[Said] = [job(number, update_time=at), step(job=number, update_time=at)]
        said += [result(host, job=number) for host in hosts]
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


def refused(answers: Sequence[Answer]) -> list[Any]:
    return [a for a in answers if not a["result"] or a["data"]["refused_total"]]


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
    server: Server, numbers: Iterator[int]
) -> None:
    for _ in range(25):
        number = next(numbers)
        data = printed(7, size=60_000)
        said = list(pieces(data, cut=500, host=7, job=number))
        body = lines(job(number), step(job=number), result(7, job=number), *said)
        answers = post_at_once(server, body, body)
        assert refused(answers) == []
        assert sum(answer["data"]["accepted"] for answer in answers) == len(said) + 3
        assert sum(answer["data"]["duplicates"] for answer in answers) == len(said) + 3
        assert server.logs(job=number, step=200) == {7: data.decode()}


def test_two_writers_make_the_same_jobs_steps_and_host_results_once(
    server: Server, numbers: Iterator[int]
) -> None:
    for _ in range(12):
        jobs = [next(numbers) for _ in range(8)]
        hosts = range(jobs[0] * 100, jobs[0] * 100 + 6)
        one = lines(*_tree(jobs, hosts))
        other = lines(*_tree(jobs[::-1], hosts[::-1]))
        answers = post_at_once(server, one, other)
        assert refused(answers) == []
        count = len(one.splitlines())
        assert sum(answer["data"]["accepted"] for answer in answers) == count
        assert sum(answer["data"]["duplicates"] for answer in answers) == count
        logs = {host: f"host {host}\n" for host in hosts}
        assert [server.logs(job=number, step=200) for number in jobs] == [logs] * len(jobs)


def _tree(jobs: Sequence[int], hosts: Sequence[int]) -> Iterator[Said]:
    """Jobs of a script and of a file step on these hosts, in this order."""
    for number in jobs:
        yield job(number)
        yield step(200, job=number)
        yield step(201, job=number, step_type=2)
        for host in hosts:
            ids = {"host": host, "job": number}
            yield result(**ids)
            yield script_log(f"host {host}\n", **ids)
            yield result(**ids, step=201)
            yield file_log(**ids, step=201, offset=0, content=f"{host} done\n")
