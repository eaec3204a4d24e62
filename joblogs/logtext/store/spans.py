"""Spans of logs: the requested bytes, and the place of the log."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..pieces import CHUNK_MAX_BYTES

PACK_MAX_BYTES = 256 * 1024
"""Maximum text of a shared pack. A longer log has its own packs of CHUNK_MAX_BYTES each, except for
the last one."""


class PackKey(NamedTuple):
    """Key of a pack within its day."""

    step: int
    number: int


class PackPlace(NamedTuple):
    """Place of a packed log: it starts at a byte of a pack of its step, and continues in the packs
    with the next numbers."""

    step: int
    number: int
    start: int


class StoredRow(Protocol):
    """Protocol of a row with the columns of a host result that locate its log."""

    @property
    def pk(self) -> int: ...
    @property
    def step_id(self) -> int: ...
    @property
    def held_size(self) -> int: ...
    @property
    def pack(self) -> int | None: ...
    @property
    def pack_start(self) -> int | None: ...


class Span(NamedTuple):
    """Span: bytes [start, stop) of a host result's log, whose size is `size`, by default `stop`.

    `place` is the place of a packed log according to its row, None for chunks. It may be outdated,
    which is detected on reading.
    """

    log: int
    start: int
    stop: int
    size: int | None = None
    place: PackPlace | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole log."""
        return self.start == 0 and self.size in (None, self.stop)

    @property
    def weight(self) -> int:
        """Maximum bytes of its chunks, which are always read completely."""
        first = max(0, self.start - CHUNK_MAX_BYTES + 1)
        return min(self.size or self.stop, self.stop + CHUNK_MAX_BYTES - 1) - first

    @property
    def is_packed_with_others(self) -> bool:
        """Whether its log shares a pack with others, according to its row."""
        return self.place is not None and (self.size or self.stop) <= PACK_MAX_BYTES

    @property
    def pack_bytes(self) -> int:
        """Maximum bytes of each of its packs."""
        return PACK_MAX_BYTES if self.is_packed_with_others else CHUNK_MAX_BYTES


def span_of(row: StoredRow, start: int = 0, stop: int | None = None) -> Span:
    """Return a span of a host result's log according to its row; up to its end without `stop`."""
    size, place = row.held_size, None
    if row.pack is not None:
        place = PackPlace(row.step_id, row.pack, row.pack_start or 0)
    return Span(row.pk, start, size if stop is None else stop, size, place)
