"""Export of a selection of logs as records, an archive, text or a table.

Streamed: memory does not grow with the selection; the number of queries grows with the bytes of
text and the pages of hosts.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from joblogs.choices import Outcome

from .formats import Format
from .host_logs import ProgressCallback
from .names import download_name
from .object_check import check_objects
from .selection import Selection
from .walk import Reading, Tally, Walk

__all__ = [
    "Download",
    "Format",
    "Outcome",
    "ProgressCallback",
    "Reading",
    "Selection",
    "Tally",
    "Walk",
    "download_name",
    "parts",
]

BLOCK_BYTES = 256 * 1024


def parts(walk: Walk, format: Format, *, prefix: bool = True) -> Generator[bytes, None, None]:
    """Yield an export in blocks; nothing if nothing is selected.

    `prefix`: begin each line of text with its host.
    """
    traits = format.traits
    write = traits.write if prefix else traits.write_bare or traits.write
    try:
        yield from _blocks(write(walk))
    finally:
        walk.settle()


class Download:
    """Iterator over an export whose first block is produced at once, to learn if it is empty.

    Raise ObjectUnreachable if an object that it needs is known to be out of reach. Close it even if
    it was not sent completely, so that the read is recorded.
    """

    def __init__(self, walk: Walk, format: Format, *, prefix: bool = True) -> None:
        check_objects(walk.selection)
        self._rest = parts(walk, format, prefix=prefix)
        self._first = next(self._rest, b"")
        self.is_empty = walk.is_empty(rows_count=format.traits.holds_records)

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
