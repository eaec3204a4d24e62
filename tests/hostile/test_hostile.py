"""Some inputs for each door; `python -m tests.hostile` tries as many as you like."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from random import Random

import pytest

from tests.hostile.doors import IN_PROCESS, Door, answers, over_http
from tests.serving import Server, serving

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
