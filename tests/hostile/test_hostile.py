"""Some inputs for each door; `python -m tests.hostile` tries as many as you like."""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from joblogs import record_json
from tests.hostile.targets import IN_PROCESS, Door, answers, most_memory, over_http
from tests.serving import Server, serving

PACKED = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
DOORS_OVER_HTTP = ("records, HTTP", "batch, HTTP", "headers, HTTP")
TRIES, SLOW_TRIES = 100, 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("hostile"), workers=1) as server:
        yield server


def _random() -> Random:
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201 - to try the same again
    return Random(seed)  # noqa: S311 - as said


@pytest.mark.parametrize("name", DOORS_OVER_HTTP)
def test_whatever_comes_over_http_is_answered_in_the_envelope(server: Server, name: str) -> None:
    came = answers(over_http(server)[name], _random(), tries=TRIES)
    assert sum(came.values()) == TRIES
    assert "was not answered" not in server.log.read_text()


@pytest.mark.parametrize(("name", "door"), IN_PROCESS, ids=[name for name, _ in IN_PROCESS])
def test_whatever_comes_is_taken_or_refused(name: str, door: Door) -> None:
    tries = SLOW_TRIES if name == "bk-job dump" else TRIES
    assert sum(answers(door, _random(), tries=tries).values()) == tries


HEAD = (
    b'{"type":"job","job_instance_id":100,"bk_scope_type":"biz","bk_scope_id":"2","name":"n"'
    b',"create_time":1700000000000'
)
ROOM = record_json.LINE_MAX_BYTES - 1000
REFUSED = {
    "own keys": b"".join(b',"x_%07d":1' % n for n in range(ROOM // 15)),
    "nested keys": b',"x_a":{' + b",".join(b'"%07d":1' % n for n in range(ROOM // 12)) + b"}",
    "a number": b',"status":' + b"9" * ROOM,
    "a number as text": b',"status":"' + b"9" * ROOM + b'"',
}
BODIES, WORKER_MAX_MB = 16, 250


def test_refused_lines_of_16_mb_cost_a_worker_next_to_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, workers=1, threads=8) as server:
        for said in REFUSED.values():
            body = gzip.compress(HEAD + said + b"}\n", 1)
            with ThreadPoolExecutor(BODIES) as pool:
                sent = [pool.submit(server.post, body, **PACKED) for _ in range(BODIES)]
            for answer in sent:
                (refused,) = answer.result()["data"]["refused"]
                assert (refused["reason"], refused["type"]) == ("invalid", "job")
        assert most_memory(server) < WORKER_MAX_MB
