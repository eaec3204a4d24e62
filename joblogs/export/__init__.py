"""The way out for people and other stores: a selection as records, an archive, text or a table.

Streams: memory does not grow with what is selected, statements grow with bytes and pages of hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from .archive import archive
from .ndjson import lines
from .selection import Outcome, Selection
from .table import table
from .text import text
from .walk import Passed, Read, Tally, Walk

__all__ = [
    "Format",
    "Outcome",
    "Passed",
    "Read",
    "Selection",
    "Tally",
    "Walk",
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
    Format.ZIP: archive,
    Format.CSV: table,
}


def parts(walk: Walk, format: Format, *, prefix: bool = True) -> Iterator[bytes]:
    """The export in blocks; none if nothing is selected. `prefix` leads each line of text."""
    made = text(walk, prefix=prefix) if format is Format.TXT else _WRITERS[format](walk)
    try:
        yield from _blocks(made)
    finally:
        walk.settle()


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
