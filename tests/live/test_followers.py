"""Followers of running logs beside everything else: nobody queues behind those who wait."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.builders import job, lines, result, script_log, step
from tests.serving import ROOT, Server, serving

FOLLOWERS = 64
WORKERS, THREADS = 2, 8
MAY_WAIT = WORKERS * THREADS // 4
PATH = "/api/v1/biz/2/jobs/100/steps/200/hosts/{}/log"
NEVER_SECONDS = 120


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("followers")
    with serving(folder, workers=WORKERS, threads=THREADS) as server:
        hosts = range(1, FOLLOWERS + 1)
        told = [result(host, status=7) for host in hosts] + [
            script_log(host=host) for host in hosts
        ]
        assert server.post(lines(job(), step(), *told))["result"]
        yield server


class Follower(threading.Thread):
    """Waits for more of one host's log, asking at once again as often as it is told to come back;
    `answers` counts (status, whether it was told when to come back, whether text came)."""

    def __init__(self, server: Server, host: int, stop: threading.Event) -> None:
        super().__init__()
        self.server, self.path, self.stop = server, PATH.format(host), stop
        self.answers: Counter[tuple[int, bool, bool]] = Counter()
        self.refused = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            with self.server.answer("GET", self.path + "?offset=6&wait=10") as response:
                later = response.headers["Retry-After"] is not None
                text = response.status == 200 and bool(response.read())
            self.answers[response.status, later, text] += 1
            if response.status == 429:
                self.refused.set()
            if text:
                return


def test_probes_producers_and_readers_are_answered_while_all_followers_wait(
    served: Server,
) -> None:
    stop = threading.Event()
    followers = [Follower(served, host, stop) for host in range(1, FOLLOWERS + 1)]
    for follower in followers:
        follower.start()
    refused = [follower for follower in followers if follower.refused.wait(1)]
    assert len(refused) >= FOLLOWERS - MAY_WAIT
    with served.answer("GET", "/healthz") as response:
        assert response.status == 200
    assert served.logs(job=100, step=200)[1] == "hello\n"
    more = [script_log("more\n", host=host, offset=6) for host in range(1, FOLLOWERS + 1)]
    assert served.post(lines(*more))["result"]
    for follower in followers:
        follower.join(NEVER_SECONDS)
    stop.set()
    for follower in followers:
        assert set(follower.answers) <= {
            (200, False, True),
            (200, True, False),
            (429, True, False),
            (200, False, False),
        }
        assert follower.answers[200, False, True] == 1, "each got the text in the end"


def _documented() -> Callable[..., Any]:
    page = (ROOT / "docs/api.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/api.md", "exec"), names)  # noqa: S102 - the page's own example
    follow: Callable[..., Any] = names["follow"]
    return follow


def _follow(server: Server, number: int) -> tuple[list[bytes], list[Any], threading.Thread, Any]:
    url = f"http://127.0.0.1:{server.port}" + PATH.replace("100", str(number)).format(101)
    pieces: list[bytes] = []
    ended: list[Any] = []
    first = threading.Event()

    def run() -> None:
        followed = _documented()(url, server.headers)
        while True:
            try:
                piece = next(followed)
            except StopIteration as over:
                ended.append(over.value)
                return
            pieces.append(piece)
            first.set()

    thread = threading.Thread(target=run)
    thread.start()
    return pieces, ended, thread, first


def test_the_documented_loop_reads_a_log_to_its_end(served: Server) -> None:
    served.post(lines(job(501), step(job=501), result(job=501, status=7), script_log(job=501)))
    pieces, ended, thread, first = _follow(served, 501)
    assert first.wait(NEVER_SECONDS)
    served.post(lines(script_log("end\n", job=501, offset=6), result(job=501, status=9)))
    thread.join(NEVER_SECONDS)
    assert (b"".join(pieces), ended) == (b"hello\nend\n", [None])


def test_the_documented_loop_says_that_another_attempt_has_begun_and_splices_nothing(
    served: Server,
) -> None:
    served.post(lines(job(502), step(job=502), result(job=502, status=7), script_log(job=502)))
    pieces, ended, thread, first = _follow(served, 502)
    assert first.wait(NEVER_SECONDS)
    again = {"job": 502, "execute_count": 1}
    served.post(
        lines(
            result(job=502, status=104),
            result(**again, status=7),
            script_log("a second try, which is longer\n", **again),
        )
    )
    thread.join(NEVER_SECONDS)
    assert (b"".join(pieces), ended) == (b"hello\n", ["attempt 1, batch 0 has begun"])
