"""Pieces of a log for an export: their borders do not depend on how the log is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .pieces import Piece

PIECE_BYTES = 256 * 1024


def pieces(parts: Iterable[bytes], size: int = PIECE_BYTES) -> Iterator[Piece]:
    """Yield the joined `parts`, cut at multiples of `size`, which is at least 4.

    A border within a UTF-8 character moves back to the start of the character.
    """
    start, border, pending = 0, size, bytearray()
    for part in parts:
        pending += part
        while start + len(pending) > border:
            stop = border - start
            stop -= begun_character(pending[max(0, stop - 3) : stop])
            yield Piece(start, bytes(pending[:stop]))
            del pending[:stop]
            start += stop
            border += size
    if pending:
        yield Piece(start, bytes(pending))


def begun_character(before: bytes | bytearray) -> int:
    """Return how many bytes at the end, at most 3, belong to an incomplete UTF-8 character."""
    for length, byte in enumerate(reversed(before), 1):
        if 0x80 <= byte < 0xC0:
            continue
        whole = 2 if 0xC2 <= byte < 0xE0 else 3 if 0xE0 <= byte < 0xF0 else 4
        return length if 0xC2 <= byte <= 0xF4 and length < whole else 0
    return 0
