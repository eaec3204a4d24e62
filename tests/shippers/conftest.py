"""A running store for the senders, and what stands between them and it."""

from __future__ import annotations

import base64
import contextlib
import http.client
import http.server
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.builders import lines, script_log
from tests.serving import TIMEOUT_SECONDS, Server, serving

FILES = Path(__file__).resolve().parents[2] / "joblogs" / "shippers"
ANSWER = -1
"""A limit of a connection: the request passes, the answer does not."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("senders")) as running:
        yield running


@pytest.fixture(scope="session")
def public_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that says where jobs can be seen."""
    folder = tmp_path_factory.mktemp("public")
    with serving(folder, workers=1, PUBLIC_URL="https://logs.example.com") as running:
        yield running


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that refuses: it is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def variables(server: Server, spool: Path, port: int | None = None) -> dict[str, str]:
    """What tells a sender where to send: to another port than the server's, if one is given."""
    keys = json.loads(server.headers["X-Bkapi-Authorization"])
    return {
        "JOBLOGS_URL": f"http://127.0.0.1:{port or server.port}",
        "JOBLOGS_APP_CODE": keys["bk_app_code"],
        "JOBLOGS_APP_SECRET": keys["bk_app_secret"],
        "JOBLOGS_SCOPE": "biz:2",
        "JOBLOGS_SPOOL": str(spool),
    }


def rows(server: Server, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What the server's database holds; `?` stands for a value."""
    url = server.environment["DATABASE_URL"]
    if url.startswith("sqlite:///"):
        file = url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(file)) as connection:
            return connection.execute(statement, values).fetchall()
    with psycopg.connect(url) as session:
        return session.execute(statement.replace("?", "%s").encode(), values).fetchall()


def holds(server: Server, data: bytes, *, job: int, step: int, host: int) -> bool:
    """Whether the store has exactly these bytes: sending them again changes nothing."""
    cut = 1 << 20
    pieces = [
        script_log(
            None,
            job=job,
            step=step,
            host=host,
            offset=start,
            content_base64=base64.b64encode(data[start : start + cut]).decode(),
        )
        for start in range(0, len(data), cut)
    ]
    report = server.post(lines(*pieces))["data"]
    whole = server.expected_offsets(job=job, step=step)[host] == len(data)
    return whole and report["duplicates"] == len(pieces)


class Proxy:
    """Stands before the server. `cuts`: after how many bytes of a request a connection breaks."""

    def __init__(self, port: int, cuts: Sequence[int] = ()) -> None:
        self.connections = 0
        self._behind, self._cuts = port, list(cuts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        # On Linux a shutdown wakes the thread that accepts; closing alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    @property
    def left(self) -> int:
        """Cuts that have not been made."""
        return len(self._cuts)

    def _serve(self) -> None:
        """One connection after the other: senders have no more."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            limit = self._cuts.pop(0) if self._cuts else None
            with client, socket.create_connection(("127.0.0.1", self._behind)) as behind:
                answering = threading.Thread(target=_pass, args=(behind, client, limit))
                answering.start()
                _pass(client, behind, None if limit == ANSWER else limit)
                if limit is not None and limit != ANSWER:
                    _break(client, behind)
                answering.join()


class Limiter(http.server.ThreadingHTTPServer):
    """Stands before the server and answers the first requests with 429 and a Retry-After.

    `early` counts the requests that came before the time that the one before was told.
    """

    daemon_threads = True

    def __init__(self, port: int, *, refusals: int, seconds: int = 1) -> None:
        super().__init__(("127.0.0.1", 0), _Limited)
        self.behind, self.refusals, self.seconds = port, refusals, seconds
        self.requests = self.early = 0
        self.not_before = 0.0
        self.port: int = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever)

    def __enter__(self) -> Limiter:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Limited(http.server.BaseHTTPRequestHandler):
    server: Limiter

    def do_POST(self) -> None:
        limiter = self.server
        limiter.early += time.monotonic() < limiter.not_before
        limiter.requests += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if limiter.requests <= limiter.refusals:
            limiter.not_before = time.monotonic() + limiter.seconds
            self.send_response(429)
            self.send_header("Retry-After", str(limiter.seconds))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        behind = http.client.HTTPConnection("127.0.0.1", limiter.behind, timeout=TIMEOUT_SECONDS)
        with contextlib.closing(behind):
            behind.request("POST", self.path, body, dict(self.headers))
            answer = behind.getresponse()
            content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: what is counted says it."""


def _pass(source: socket.socket, target: socket.socket, limit: int | None) -> None:
    """Hand bytes on until there are no more or the limit is reached."""
    passed = 0
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if limit == ANSWER:
                _break(source, target)
                return
            part = data if limit is None else data[: limit - passed]
            target.sendall(part)
            passed += len(part)
            if limit is not None and passed >= limit:
                return
        target.shutdown(socket.SHUT_WR)


def _break(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
