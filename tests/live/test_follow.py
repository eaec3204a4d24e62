"""A follower of a whole step, while producers write, retry, and the server's workers are killed."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from tests.builders import job, lines, result, step
from tests.live.printing import pieces, printed
from tests.serving import Body, Server

HOSTS, PRODUCERS, CUT = range(1, 501), 8, 700
NEVER_SECONDS = 120
Key = tuple[int, int]
_BROKEN = (OSError, http.client.HTTPException, json.JSONDecodeError)


def _post(server: Server, body: Body, path: str = "/api/v1/records", **headers: str) -> Any:
    """What is answered in the end, however often the server goes away in between."""
    for _ in range(100):
        try:
            return server.post(body, path, **headers)
        except _BROKEN:
            continue
    raise AssertionError("the server has not come back")


class Producer(threading.Thread):
    """Sends two attempts of some hosts, each in pieces that take turns."""

    def __init__(self, server: Server, number: int, hosts: Sequence[int]) -> None:
        super().__init__()
        self.server, self.number, self.hosts = server, number, hosts
        self.refused = 0

    def run(self) -> None:
        for attempt in range(2):
            for records in self._rounds(attempt):
                answer = _post(self.server, lines(*records))
                self.refused += answer["data"]["refused_total"]

    def _rounds(self, attempt: int) -> Iterator[list[Any]]:
        ids = {"job": self.number, "execute_count": attempt}
        yield [result(host, status=7, **ids) for host in self.hosts]
        logs = [
            list(pieces(_text(host, attempt), cut=CUT, host=host, **ids)) for host in self.hosts
        ]
        for turn in range(max(map(len, logs))):
            yield [log[turn] for log in logs if turn < len(log)]
        yield [result(host, status=9 if attempt else 11, **ids) for host in self.hosts]


def _text(host: int, attempt: int) -> bytes:
    return printed(host, size=1000 + host % 5 * 600 + attempt * 300)


def test_every_byte_of_500_hosts_comes_once_across_retries_and_killed_workers(
    server: Server, number: int
) -> None:
    running = {"job": number, "status": 2}
    assert _post(server, lines(job(number, status=2), step(**running)))["result"]
    producers = [Producer(server, number, HOSTS[index::PRODUCERS]) for index in range(PRODUCERS)]
    for producer in producers:
        producer.start()
    got: dict[Key, bytes] = defaultdict(bytes)
    statuses: dict[Key, int] = {}
    cursor, finished, answers = None, False, 0
    while not finished:
        body = json.dumps({"cursor": cursor, "max_bytes": 200_000}).encode()
        path = f"/api/v1/biz/2/jobs/{number}/steps/200/follow"
        data = _post(server, body, path, **{"Content-Type": "application/json"})["data"]
        for host in data["hosts"]:
            key = host["bk_host_id"], host["execute_count"]
            assert host["offset"] == len(got[key])
            text = host.get("content", "").encode()
            got[key] += text or base64.b64decode(host.get("content_base64", ""))
            statuses[key] = host["status"]
        cursor, finished, answers = data["cursor"], data["finished"], answers + 1
        if answers in (3, 6):
            for worker in server.workers():
                os.kill(worker, signal.SIGKILL)
        if not any(producer.is_alive() for producer in producers):
            ended = {"job": number, "status": 3}
            assert _post(server, lines(job(number, status=3), step(**ended)))["result"]
    for producer in producers:
        producer.join(NEVER_SECONDS)
    assert [producer.refused for producer in producers] == [0] * PRODUCERS
    assert got == {(host, attempt): _text(host, attempt) for host in HOSTS for attempt in (0, 1)}
    assert statuses == {(host, attempt): (11, 9)[attempt] for host in HOSTS for attempt in (0, 1)}
