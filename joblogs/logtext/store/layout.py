"""Packs of one long log, prepared in a file without a lock before they are stored.

Compressing a gigabyte takes a minute, during which nobody else could write (SQLite) or append to
that log (PostgreSQL). Storing the prepared packs only takes as long as copying them.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from typing import IO

import xxhash

from .. import codec
from ..pieces import CHUNK_MAX_BYTES, Hole
from .chunks import Chunk, chunks_of
from .packs import ROWS_AT_ONCE, PackRow


class Layout:
    """Packs of a log that is in chunks, prepared in a file of the caller."""

    def __init__(self, day: datetime.date, log: int, *, size: int, file: IO[bytes]) -> None:
        """Raises Unreadable, also if the log no longer has this size."""
        self.size, self._file = size, file
        self._entries: list[tuple[int, int, int, int]] = []
        self._made_of = xxhash.xxh3_128()
        self._fill(day, log)

    def is_current(self, day: datetime.date, log: int) -> bool:
        """Return whether the chunks of the log have not changed since."""
        now = xxhash.xxh3_128()
        for chunk in chunks_of(day, log):
            _add(now, chunk)
        return now.digest() == self._made_of.digest()

    def rows(self, first: int) -> Iterator[list[PackRow]]:
        """Yield the packs, numbered from `first`, a few at a time."""
        self._file.seek(0)
        numbered = enumerate(self._entries, first)
        while some := list(itertools.islice(numbered, ROWS_AT_ONCE)):
            yield [
                PackRow(number, size, newlines, kind, self._file.read(stored), None)
                for number, (size, newlines, kind, stored) in some
            ]

    def _fill(self, day: datetime.date, log: int) -> None:
        text, stop = bytearray(), 0
        for chunk in chunks_of(day, log):
            if chunk.offset != stop:
                raise Hole(stop, None)
            _add(self._made_of, chunk)
            text += codec.decode(chunk.codec, chunk.data)
            stop += chunk.size
            while len(text) >= CHUNK_MAX_BYTES:
                self._add_pack(bytes(text[:CHUNK_MAX_BYTES]))
                del text[:CHUNK_MAX_BYTES]
        if text:
            self._add_pack(bytes(text))
        if stop != self.size or sum(size for size, *_ in self._entries) != stop:
            raise Hole(stop, None)

    def _add_pack(self, text: bytes) -> None:
        kind, stored = codec.encode(text, level=codec.PACKED_LEVEL)
        self._file.write(stored)
        self._entries.append((len(text), text.count(b"\n"), kind, len(stored)))


def _add(made_of: xxhash.xxh3_128, chunk: Chunk) -> None:
    made_of.update(b"%d %d %d %d " % (chunk.offset, chunk.size, chunk.codec, len(chunk.data)))
    made_of.update(chunk.data)
