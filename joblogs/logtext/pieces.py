"""Arithmetic of pieces: what a piece at an offset means for a log, and how a log is cut.

Pure: a log here is a few numbers; ingest reads the bytes to compare and writes the resulting
chunks.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from .codec import Unreadable

CHUNK_MAX_BYTES = 1024 * 1024

Range = tuple[int, int]
"""Bytes [start, end) of the log."""


class Verdict(Enum):
    """Outcome of a piece."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    GAP = "gap"
    CONFLICT = "conflict"


class Piece(NamedTuple):
    """Bytes of a log and their offset."""

    offset: int
    data: bytes

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


@dataclass(slots=True)
class GrowingLog:
    """State of a log, and the bytes added to it.

    `received` is the next expected offset, `held` the number of bytes kept (from offset 0 on), and
    `limit` the number of bytes that may be kept. `added` are the bytes to store from `held_before`
    on.
    """

    received: int
    held: int
    limit: int
    truncated: bool = False
    masked: Sequence[Range] = ()
    held_before: int = field(init=False)
    added: bytearray = field(init=False, default_factory=bytearray)

    def __post_init__(self) -> None:
        self.held_before = self.held

    @property
    def expected(self) -> int:
        """Offset at which the next piece should start."""
        return self.received

    @property
    def is_full(self) -> bool:
        """Whether more bytes have arrived than may be kept."""
        return self.limit <= self.held < self.received

    def take_next(self, pieces: Iterable[tuple[int, bytes]]) -> int:
        """Accept pieces (offset and bytes) up to the first that does not exactly continue the log.

        Return how many were accepted: nearly always all. `take` would accept them one by one.
        """
        if self.held != self.received:
            return 0
        position, taken = self.held, []
        for offset, data in pieces:
            if offset != position or not data or offset + len(data) > self.limit:
                break
            taken.append(data)
            position += len(data)
        # All at once: copied piece by piece, the text would no longer be in the processor's cache.
        self.added = bytearray().join([self.added, *taken])
        self.held = self.received = position
        return len(taken)

    def to_compare(self, piece: Piece) -> Range | None:
        """Return the range of stored bytes needed to decide about this piece; None if none is."""
        end = min(piece.end, self.held_before)
        return (piece.offset, end) if piece.offset < end else None

    def take(self, piece: Piece, stored: Callable[[int, int], bytes]) -> Verdict:
        """Decide about a piece, add what is new in it, and return the verdict.

        `stored(start, end)` returns bytes that were held before this run of pieces; it is only
        called within the range of `to_compare`.
        """
        if piece.offset > self.received:
            return Verdict.GAP
        # New bytes are added after the held ones, if there is room or nothing was dropped.
        grows = self.held == self.received or (self.held < self.limit and piece.offset <= self.held)
        if not self._agrees(piece, stored):
            return Verdict.CONFLICT
        behind = self.held < self.received
        kept = self._keep(piece) if grows else 0
        if behind and self.held == self.received and piece.end <= self.received:
            # Dropped bytes were sent again, and there was room for them.
            self.truncated = False
        if piece.end > self.received:
            self.received = piece.end
            self.truncated = self.truncated or self.held < self.received
            return Verdict.ACCEPTED
        return Verdict.ACCEPTED if kept else Verdict.DUPLICATE

    def _keep(self, piece: Piece) -> int:
        fresh = piece.data[self.held - piece.offset :][: max(0, self.limit - self.held)]
        self.added += fresh
        self.held += len(fresh)
        return len(fresh)

    def _agrees(self, piece: Piece, stored: Callable[[int, int], bytes]) -> bool:
        # Dropped and masked ranges are accepted by their length: there is nothing to compare with.
        end = min(piece.end, self.held)
        for start, stop in _without(piece.offset, end, self.masked):
            if piece.data[start - piece.offset : stop - piece.offset] != self._held_bytes(
                start, stop, stored
            ):
                return False
        return True

    def _held_bytes(self, start: int, stop: int, stored: Callable[[int, int], bytes]) -> bytes:
        border = self.held_before
        old = stored(start, min(stop, border)) if start < border else b""
        new = self.added[max(0, start - border) : stop - border] if stop > border else b""
        return bytes(old) + bytes(new)


def _without(start: int, end: int, holes: Sequence[Range]) -> Iterator[Range]:
    """Yield the parts of [start, end) outside the ascending ranges in `holes`."""
    # A log may have a million of them, and a batch thousands of pieces.
    first = bisect.bisect_right(holes, start, key=lambda hole: hole[1])
    for index in range(first, len(holes)):
        hole_start, hole_end = holes[index]
        if hole_start >= end:
            break
        if start < hole_start:
            yield start, hole_start
        start = hole_end
    if start < end:
        yield start, end


def union(ranges: Iterable[Range]) -> list[Range]:
    """Return the same bytes as ascending ranges that do not touch."""
    result: list[Range] = []
    for start, end in sorted(ranges):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        elif start < end:
            result.append((start, end))
    return result


def chunks(offset: int, data: bytes | bytearray) -> Iterator[Piece]:
    """Yield consecutive bytes as chunks of at most CHUNK_MAX_BYTES."""
    view = memoryview(data)
    for start in range(0, len(view), CHUNK_MAX_BYTES):
        yield Piece(offset + start, bytes(view[start : start + CHUNK_MAX_BYTES]))


class Hole(Unreadable):
    """Stored chunks do not touch: bytes of a log are missing."""

    def __init__(self, expected: int, found: int | None) -> None:
        self.expected, self.found = expected, found
        super().__init__(f"bytes from {expected} on are missing (next chunk: {found})")


def join(span: Range, pieces: Sequence[Piece]) -> list[bytes]:
    """Return the bytes of a range from the ordered chunks that cover it. Raises Hole.

    The chunks may begin before the range and end after it; they must touch.
    """
    position, end = span
    if len(pieces) == 1 and pieces[0].offset == position and len(pieces[0].data) == end - position:
        return [pieces[0].data]
    parts: list[bytes] = []
    for piece in pieces:
        if position >= end:
            break
        if piece.offset > position:
            raise Hole(position, piece.offset)
        if piece.end <= position:
            continue
        part = piece.data
        if piece.offset < position or piece.end > end:
            part = part[position - piece.offset : end - piece.offset]
        parts.append(part)
        position += len(part)
    if position < end:
        raise Hole(position, None)
    return parts
