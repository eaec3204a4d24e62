"""A log in blocks of whole lines, so that nothing is missed at the border of two chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONG_LINE_BYTES = 1024 * 1024
"""A longer line is searched in parts that overlap by OVERLAP_BYTES: no match up to that is lost."""
OVERLAP_BYTES = 16 * 1024


class Block(NamedTuple):
    """Whole lines, or a part of a long one; the last one as the log ends. `overlap` bytes were in
    the block before."""

    data: bytes
    overlap: int


def blocks(parts: Iterable[bytes], long_line_bytes: int = LONG_LINE_BYTES) -> Iterator[Block]:
    """The blocks of a log that comes in parts."""
    data, overlap = b"", 0
    for part in parts:
        # Cut only when more has come: most logs are one part, and need neither a copy of it nor a
        # second look at a last line that has no end.
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
