"""A log as pieces of an export: cut where any store would cut it, whatever its chunks are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .pieces import Piece

PIECE_BYTES = 256 * 1024


def pieces(parts: Iterable[bytes], size: int = PIECE_BYTES) -> Iterator[Piece]:
    """The joined `parts` cut at multiples of `size`, which is at least 4.

    A border within a character of UTF-8 moves back to where the character starts.
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
    """How many bytes at the end, at most 3, begin a character that is not whole yet."""
    for length, byte in enumerate(reversed(before), 1):
        if 0x80 <= byte < 0xC0:
            continue
        whole = 2 if 0xC2 <= byte < 0xE0 else 3 if 0xE0 <= byte < 0xF0 else 4
        return length if 0xC2 <= byte <= 0xF4 and length < whole else 0
    return 0
