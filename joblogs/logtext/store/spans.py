"""Spans of logs: bytes that are requested, and where they lie."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..pieces import CHUNK_MAX_BYTES

PACK_MAX_BYTES = 256 * 1024
"""As much text as logs have together that share a pack. A longer log has packs of its own, each of
CHUNK_MAX_BYTES but the last."""


class PackKey(NamedTuple):
    """Key of a pack within its day."""

    step: int
    number: int


class PackPlace(NamedTuple):
    """Where a packed log lies: from a byte of a pack of its step on, and in the packs of the next
    numbers as far as it is longer."""

    step: int
    number: int
    start: int


class StoredRow(Protocol):
    """Columns of a host result that locate its log."""

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
    """Bytes [start, stop) of a host result's log, which ends at `size`, by default at `stop`.

    `place`: where the log is packed by its row, None for chunks. It may lie elsewhere by
    now: who reads it finds out.
    """

    log: int
    start: int
    stop: int
    size: int | None = None
    place: PackPlace | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its log."""
        return self.start == 0 and self.size in (None, self.stop)

    @property
    def weight(self) -> int:
        """As many bytes as the chunks that hold it may have: a byte brings all of its chunk."""
        first = max(0, self.start - CHUNK_MAX_BYTES + 1)
        return min(self.size or self.stop, self.stop + CHUNK_MAX_BYTES - 1) - first

    @property
    def is_packed_with_others(self) -> bool:
        """Whether its log is one of several in a pack, by its row."""
        return self.place is not None and (self.size or self.stop) <= PACK_MAX_BYTES

    @property
    def pack_bytes(self) -> int:
        """As many bytes as each of its packs may have."""
        return PACK_MAX_BYTES if self.is_packed_with_others else CHUNK_MAX_BYTES


def span_of(row: StoredRow, start: int = 0, stop: int | None = None) -> Span:
    """Bytes of the log of a host result, as its row has it; all of them without `stop`."""
    size, place = row.held_size, None
    if row.pack is not None:
        place = PackPlace(row.step_id, row.pack, row.pack_start or 0)
    return Span(row.pk, start, size if stop is None else stop, size, place)
