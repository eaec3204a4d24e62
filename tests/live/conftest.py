"""One server for all tests of this folder; each takes job numbers of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.serving import Server, manage, serving


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """The server; nothing that a test does to it may surprise it."""
    before = running.log.stat().st_size
    yield running
    said = running.log.read_bytes()[before:].decode()
    assert "was not answered" not in said, said
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Job numbers that no other test uses."""
    return itertools.count(1000)


@pytest.fixture
def number(numbers: Iterator[int]) -> int:
    return next(numbers)


_LET_GO = (
    "from joblogs.models import JobInstance; "
    "print(JobInstance.objects.filter(job_instance_id={}).update(expired_at=1_700_000_000_000))"
)


@pytest.fixture
def doomed(running: Server, number: int) -> Iterator[int]:
    """The number of a job of which a test loses text: who reads all there is must not meet it."""
    yield number
    said = manage(running.environment, "shell", "--command", _LET_GO.format(number))
    assert said.splitlines()[-1] == "1"
