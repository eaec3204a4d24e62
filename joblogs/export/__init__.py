"""The way out for people and other stores: a selection as records, an archive, text or a table.

Streams: memory does not grow with what is selected, statements grow with bytes and pages of hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from enum import StrEnum

from .archive import archived
from .names import download_name
from .ndjson import lines
from .selection import Outcome, Selection
from .table import rows
from .text import stream
from .walk import Passed, Reading, Tally, Walk

__all__ = [
    "Download",
    "Format",
    "Outcome",
    "Passed",
    "Reading",
    "Selection",
    "Tally",
    "Walk",
    "download_name",
    "parts",
]

BLOCK_BYTES = 256 * 1024


class Format(StrEnum):
    """What an export looks like."""

    NDJSON = "ndjson"
    ZIP = "zip"
    TXT = "txt"
    CSV = "csv"

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self]


_CONTENT_TYPES = {
    Format.NDJSON: "application/x-ndjson",
    Format.ZIP: "application/zip",
    Format.TXT: "text/plain; charset=utf-8",
    Format.CSV: "text/csv; charset=utf-8",
}
_WRITERS: dict[Format, Callable[[Walk], Iterator[bytes]]] = {
    Format.NDJSON: lines,
    Format.ZIP: archived,
    Format.CSV: rows,
}


def parts(walk: Walk, format: Format, *, prefix: bool = True) -> Generator[bytes, None, None]:
    """The export in blocks; none if nothing is selected. `prefix` leads each line of text."""
    made = stream(walk, prefix=prefix) if format is Format.TXT else _WRITERS[format](walk)
    try:
        yield from _blocks(made)
    finally:
        walk.settle()


class Download:
    """An export of which the first block is made, so that it is known whether there is any.

    Whoever sends it closes it, also when it was not sent to the end: then what was read is told.
    """

    def __init__(self, walk: Walk, format: Format, *, prefix: bool = True) -> None:
        self._rest = parts(walk, format, prefix=prefix)
        self._first = next(self._rest, b"")
        self.is_empty = walk.is_empty(rows_count=format is Format.NDJSON)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        first, self._first = self._first, b""
        return first or next(self._rest)

    def close(self) -> None:
        self._rest.close()


def _blocks(made: Iterable[bytes]) -> Iterator[bytes]:
    block, size = [], 0
    for part in made:
        block.append(part)
        size += len(part)
        if size >= BLOCK_BYTES:
            yield b"".join(block)
            block, size = [], 0
    if size:
        yield b"".join(block)
