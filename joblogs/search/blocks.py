"""Blocks of whole lines of a log, so that a search misses nothing at the border of two chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONG_LINE_BYTES = 1024 * 1024
"""A longer line is searched in parts that overlap by OVERLAP_BYTES: no match up to that is lost."""
OVERLAP_BYTES = 16 * 1024


class Block(NamedTuple):
    """Block of whole lines, or a part of a long line; the first `overlap` bytes were also in the
    previous block. The last block of a log may end without a newline."""

    data: bytes
    overlap: int


def blocks(parts: Iterable[bytes], long_line_bytes: int = LONG_LINE_BYTES) -> Iterator[Block]:
    """Yield the blocks of a log given in parts."""
    data, overlap = b"", 0
    for part in parts:
        # Cut only when more arrives: most logs are a single part, which then is not copied, and
        # whose unfinished last line is not searched twice.
        if end := data.rfind(b"\n") + 1:
            yield Block(data[:end], overlap)
            data, overlap = data[end:], 0
        elif len(data) > long_line_bytes:
            yield Block(data, overlap)
            data = data[-OVERLAP_BYTES:]
            overlap = len(data)
        data = data + part if data else part
    if len(data) > overlap:
        yield Block(data, overlap)
