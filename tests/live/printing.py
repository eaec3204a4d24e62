"""What hosts print in these tests, and the records that carry it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from tests.builders import Fields, script_log

LINE = 'host-{host} [{number:06d}] 部署 "ok" \\ déjà vu\t{noise}\r\n'


def printed(host: int, *, size: int) -> bytes:
    """At least `size` bytes that no other host prints, in characters of one to three bytes."""
    parts: list[bytes] = []
    length = 0
    while length < size:
        number = len(parts)
        line = LINE.format(host=host, number=number, noise="x" * ((host * 7 + number * 13) % 41))
        parts.append(line.encode())
        length += len(parts[-1])
    return b"".join(parts)


def pieces(data: bytes, *, cut: int, **ids: Any) -> Iterator[Fields]:
    """`data` as records of `cut` bytes each: text where a piece is UTF-8 by itself, else base64."""
    for start in range(0, len(data), cut):
        part = data[start : start + cut]
        try:
            yield script_log(part.decode(), offset=start, **ids)
        except UnicodeDecodeError:
            packed = base64.b64encode(part).decode()
            yield script_log(None, content_base64=packed, offset=start, **ids)
