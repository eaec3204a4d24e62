"""Bitmaps of grams: folded to what a text needs, and many of them side by side in rows.

A table has a column for each part and a row for each place, so that what one gram asks of thousands
of parts lies together. Parts of one table have bitmaps of one size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .grams import TOP_BITS, mark

FILL_MAX = 0.35
"""A bitmap is folded in half while no more of it than this would be marked."""
BITS_MIN = 10
PAGE_BYTES = 1900
"""As much of a table as one row in the database holds: it stays in line there."""
TABLE_BYTES = 4 * 1024 * 1024
COLUMNS_MAX = 4096


class Signature(NamedTuple):
    """A folded bitmap of 2**bits places, eight of them in a byte."""

    bits: int
    data: bytes

    def row(self, place: int) -> int:
        """1 if a place of the whole bitmap is marked, else 0."""
        at = place >> (TOP_BITS - self.bits)
        return self.data[at >> 3] >> (7 - (at & 7)) & 1


class Bitmap:
    """Bitmap that texts are marked in."""

    def __init__(self) -> None:
        self._bits = np.zeros(1 << TOP_BITS, np.bool_)

    def mark(self, text: bytes) -> None:
        """Mark the grams of a text."""
        mark(self._bits, text)

    def signature(self) -> Signature:
        """What was marked, folded; the bitmap is empty again."""
        folded, bits = self._bits.copy(), TOP_BITS
        self._bits[:] = False
        while bits > BITS_MIN:
            half = folded[::2] | folded[1::2]
            if half.mean() > FILL_MAX:
                break
            folded, bits = half, bits - 1
        return Signature(bits, np.packbits(folded).tobytes())


class Table(NamedTuple):
    """Signatures of one size side by side: `width` bytes for each of 2**bits places."""

    bits: int
    width: int

    @classmethod
    def capacity(cls, bits: int) -> int:
        """Signatures of this size that one table takes."""
        return max(8, min(COLUMNS_MAX, TABLE_BYTES * 8 >> bits))

    @property
    def places_of_page(self) -> int:
        return max(1, PAGE_BYTES // self.width)

    def where(self, place: int) -> tuple[int, int]:
        """Page, and byte in it, where the row of a place begins."""
        page, number = divmod(place >> (TOP_BITS - self.bits), self.places_of_page)
        return page, number * self.width

    def pages(self, rows: bytes) -> Iterator[tuple[int, bytes]]:
        """The pages of the rows of a table, one after the other, with their numbers."""
        size = self.places_of_page * self.width
        for number, start in enumerate(range(0, len(rows), size)):
            yield number, rows[start : start + size]

    @classmethod
    def of(cls, signatures: Sequence[Signature]) -> tuple[Table, bytes]:
        """A table of signatures of one size, in their order, and its rows."""
        bits, width = signatures[0].bits, (len(signatures) + 7) // 8
        columns = np.zeros((width * 8, 1 << bits), np.bool_)
        for number, signature in enumerate(signatures):
            columns[number] = np.unpackbits(np.frombuffer(signature.data, np.uint8))
        return cls(bits, width), np.packbits(columns.T, axis=1).tobytes()

    def signatures(self, rows: bytes, columns: Iterable[int]) -> Iterator[Signature]:
        """Those in some columns of a table with these rows."""
        packed: npt.NDArray[np.uint8] = np.frombuffer(rows, np.uint8).reshape(-1, self.width)
        for column in columns:
            marked = packed[:, column >> 3] >> np.uint8(7 - (column & 7)) & np.uint8(1)
            yield Signature(self.bits, np.packbits(marked).tobytes())
