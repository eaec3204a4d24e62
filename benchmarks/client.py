"""A client that costs next to nothing, so that what is measured is the server."""

from __future__ import annotations

import socket
import time
from typing import NamedTuple

_END = b"0\r\n\r\n"
_BUFFER = 1024 * 1024


class Answer(NamedTuple):
    """What came back, and when: seconds since the first byte of the request left."""

    status: int
    body: bytes
    size: int
    first_byte: float
    seconds: float


class Client:
    """One connection that is kept, and made again where the server closed it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: socket.socket | None = None
        self._buffer = bytearray(_BUFFER)

    def ask(self, request: bytes, *, keep: bool = False) -> Answer:
        """The answer to a whole request. `keep`: with its body, chunks joined."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=600)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = time.perf_counter()
        self._socket.sendall(request)
        head = b""
        while (end := head.find(b"\r\n\r\n")) < 0:
            data = self._socket.recv(65536)
            if not data:
                self.close()
                return self.ask(request, keep=keep)  # it had been closed for being idle
            if not head:
                first = time.perf_counter()
            head += data
        body, fields = head[end + 4 :], head[:end].lower()
        parts, size = [body], len(body)
        chunked = b"transfer-encoding: chunked" in fields
        length = -1 if chunked else int(fields.split(b"content-length: ")[1].split(b"\r\n")[0])
        tail = body[-5:]
        while tail != _END if chunked else size < length:
            count = self._socket.recv_into(self._buffer)
            if not count:
                raise ConnectionError("the answer was cut")
            size += count
            tail = (tail + self._buffer[max(0, count - 5) : count])[-5:]
            if keep:
                parts.append(bytes(self._buffer[:count]))
        seconds = time.perf_counter() - started
        if b"connection: close" in fields:
            self.close()
        whole = b"".join(parts) if keep else b""
        whole = _joined(whole) if keep and chunked else whole
        return Answer(int(head[9:12]), whole, size, first - started, seconds)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def post(path: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """A whole request, made once and sent often."""
    merged = {"Host": "localhost", "Content-Type": "application/json", **(headers or {})}
    merged["Content-Length"] = str(len(body))
    return _request("POST", path, merged) + body


def get(path: str, headers: dict[str, str] | None = None) -> bytes:
    return _request("GET", path, {"Host": "localhost", **(headers or {})})


def _request(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def _joined(chunks: bytes) -> bytes:
    parts, position = [], 0
    while True:
        end = chunks.index(b"\r\n", position)
        length = int(chunks[position:end], 16)
        if not length:
            return b"".join(parts)
        parts.append(chunks[end + 2 : end + 2 + length])
        position = end + 2 + length + 2
