"""A small S3 in memory that fails as object stores do, on demand."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


class Mode(Enum):
    """How it answers."""

    WELL = auto()
    BUSY = auto()
    """503"""
    SLOW = auto()
    """Not within the time that the client has."""
    CUT = auto()
    """Half of a body, then the end of the connection."""
    CHANGED = auto()
    """Other bytes, as many of them."""
    CLOSED = auto()
    """The connection ends without an answer."""
    LOST_ANSWER = auto()
    """What is written is written; that it is nobody hears."""


class FaultyServer(ThreadingHTTPServer):
    """Objects by path, how it answers, and what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.mode = Mode.WELL
        self.spared = "joblogs-store.json"
        """Objects of this name are always answered well."""
        self.requests: list[tuple[str, str]] = []
        self.hurry = threading.Event()
        """Set when the test is over: nobody waits any longer."""

        self._strike: tuple[int, Callable[[], None], bool] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """In which obstore finds it."""
        return {
            "AWS_ENDPOINT": self.address,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": "us-east-1",
        }

    def strike_at(
        self, number: int, strike: Callable[[], None] = lambda: None, *, answered: bool = False
    ) -> None:
        """Call `strike` when so many more requests have come, before the next one is done or,
        `answered`, once it is done and before its answer; below 0 never."""
        self._strike = (len(self.requests) + number, strike, answered) if number >= 0 else None

    def struck(self, *, answered: bool) -> None:
        """Called before and after a request is done."""
        if self._strike is not None:
            number, strike, when = self._strike
            if when is answered and len(self.requests) == number + 1:
                self._strike = None
                strike()

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asked is gone: nobody needs to know."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.hurry.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def do_GET(self) -> None:
        body = self._begin()
        if body is None:
            return None
        data = self.server.objects.get(self._name)
        if data is None:
            return self._answer(404)
        status, headers = 200, {"ETag": _tag(data)}
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, stop = int(found[1]), int(found[2] or len(data) - 1) + 1
            if start >= len(data):
                return self._answer(416)
            whole, data = len(data), data[start:stop]
            status = 206
            headers["Content-Range"] = f"bytes {start}-{start + len(data) - 1}/{whole}"
        if self._mode is Mode.CHANGED:
            data = bytes([data[0] ^ 1]) + data[1:]
        return self._answer(status, data, **headers)

    def do_HEAD(self) -> None:
        if self._begin() is not None:
            data = self.server.objects.get(self._name)
            self._answer(404 if data is None else 200, data or b"")

    def do_PUT(self) -> None:
        body = self._begin()
        if body is None:
            return None
        held = self.server.objects.get(self._name)
        if self.headers.get("If-None-Match") == "*" and held is not None:
            return self._answer(412)
        if self.headers.get("If-Match", _tag(held or b"")) != _tag(held or b""):
            return self._answer(412)
        self.server.objects[self._name] = body
        if self._mode is Mode.LOST_ANSWER:
            self.server.mode = Mode.WELL
            self.close_connection = True
            return None
        return self._answer(200, ETag=_tag(body))

    def do_DELETE(self) -> None:
        if self._begin() is not None:
            self.server.objects.pop(self._name, None)
            self._answer(204)

    def do_POST(self) -> None:
        """Several objects are deleted at once."""
        body = self._begin()
        if body is not None:
            bucket = self._name.rstrip("/")
            keys = re.findall(r"<Key>(.*?)</Key>", body.decode())
            for key in keys:
                self.server.objects.pop(f"{bucket}/{key}", None)
            deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    @property
    def _name(self) -> str:
        return unquote(urlsplit(self.path).path)

    @property
    def _mode(self) -> Mode:
        return Mode.WELL if self._name.endswith(self.server.spared) else self.server.mode

    def _begin(self) -> bytes | None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, self._name))
        self.server.struck(answered=False)
        mode = self._mode
        if mode is Mode.BUSY:
            self._answer(503)
            return None
        if mode in (Mode.SLOW, Mode.CLOSED):
            self.server.hurry.wait(30 if mode is Mode.SLOW else 0)
            self.close_connection = True
            return None
        return body

    def _answer(self, status: int, data: bytes = b"", **headers: str) -> None:
        self.server.struck(answered=True)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Last-Modified", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self._mode is Mode.CUT:
            data = data[: len(data) // 2]
            self.close_connection = True
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


def _tag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()}"'
