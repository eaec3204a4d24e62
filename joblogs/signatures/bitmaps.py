"""Bitmaps of grams: folded to the size that a text needs, and tables of many of them.

A table has a column for each part and a row for each place, so that the bits of thousands of parts
for one gram are adjacent. All parts of a table have bitmaps of the same size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .grams import AT_ONCE, TOP_BITS, Bits, Places, places_of

FILL_MAX = 0.35
"""A bitmap is folded in half as long as at most this share of it would be marked."""
BITS_MIN = 10
SPARSE = 4
"""A bitmap with this many places per gram is sparse enough to be folded further."""
PAGE_BYTES = 1900
"""Bytes of a table in one database row, which is small enough not to be moved out of line."""
TABLE_BYTES = 4 * 1024 * 1024
COLUMNS_MAX = 4096
WIDE = 1000
"""A table with more columns is padded, so that each of its rows is a whole number of bytes."""


class Signature(NamedTuple):
    """Folded bitmap of 2**bits places, eight in a byte."""

    bits: int
    data: bytes

    def row(self, place: int) -> int:
        """Return 1 if a place of the unfolded bitmap is marked, otherwise 0."""
        at = place >> (TOP_BITS - self.bits)
        return self.data[at >> 3] >> (7 - (at & 7)) & 1


class Bitmap:
    """Bitmap in which texts are marked. For little text, only the places are collected: folding a
    full-size bitmap would take longer than processing the text."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._places: list[Places] = []
        self._count = 0
        self._bits: Bits | None = None

    def mark(self, text: bytes) -> None:
        """Mark the grams of a text."""
        self._text += text
        self._text += b"\n"
        if len(self._text) >= AT_ONCE:
            self._mark_all()

    def _mark_all(self) -> None:
        text = bytes(self._text)
        self._text.clear()
        for places in places_of(text):
            if self._bits is None:
                self._places.append(places)
                self._count += len(places)
            else:
                self._bits[_indices(places)] = True
        if self._bits is None and self._count * SPARSE > 1 << TOP_BITS:
            self._bits = self._collected(TOP_BITS)

    def _collected(self, bits: int) -> Bits:
        marked = np.zeros(1 << bits, np.bool_)
        for places in self._places:
            marked[_indices(places >> np.uint32(TOP_BITS - bits))] = True
        self._places.clear()
        self._count = 0
        return marked

    def signature(self) -> Signature:
        """Return the folded bitmap, and empty it."""
        self._mark_all()
        bits = TOP_BITS
        if self._bits is None:
            bits = max(BITS_MIN, (self._count * SPARSE).bit_length())
        folded = self._collected(bits) if self._bits is None else self._bits
        self._bits = None
        while bits > BITS_MIN:
            half = folded.view(np.uint16) != 0  # two adjacent places as one number
            if np.count_nonzero(half) > FILL_MAX * len(half):
                break
            folded, bits = half, bits - 1
        return Signature(bits, np.packbits(folded).tobytes())


def _indices(places: Places) -> npt.NDArray[np.intp]:
    # numpy's type of indexes: any other type takes twice as long.
    return places.astype(np.intp)


class Table(NamedTuple):
    """Table of signatures of one size: `width` bits for each of 2**bits places."""

    bits: int
    width: int

    @classmethod
    def capacity(cls, bits: int) -> int:
        """Return the maximum number of signatures of this size in one table."""
        return max(8, min(COLUMNS_MAX, TABLE_BYTES * 8 >> bits))

    @property
    def places_of_page(self) -> int:
        places = PAGE_BYTES * 8 // self.width
        # A page has whole bytes: either its rows have, or it has a multiple of eight rows.
        return max(1, places if self.width % 8 == 0 else places // 8 * 8)

    def where(self, place: int) -> tuple[int, int]:
        """Return the page, and the bit in it, at which the row of a place begins."""
        page, number = divmod(place >> (TOP_BITS - self.bits), self.places_of_page)
        return page, number * self.width

    def row(self, page: bytes, at: int) -> int:
        """Return the row at a bit of a page; the first column is its highest bit."""
        first, last = at >> 3, at + self.width + 7 >> 3
        number = int.from_bytes(page[first:last], "big")
        return number >> ((last << 3) - at - self.width) & self.every

    @property
    def every(self) -> int:
        """Row with all columns set."""
        return (1 << self.width) - 1

    def pages(self, rows: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the pages of a table's rows with their numbers."""
        size = self.places_of_page * self.width // 8
        for number, start in enumerate(range(0, len(rows), size)):
            yield number, rows[start : start + size]

    @classmethod
    def of(cls, signatures: Sequence[Signature]) -> tuple[Table, bytes]:
        """Return a table of signatures of one size, in the same order, and its rows."""
        bits, width = signatures[0].bits, len(signatures)
        if width > WIDE:
            width = (width + 7) // 8 * 8
        columns = np.zeros((width, 1 << bits), np.bool_)
        for number, signature in enumerate(signatures):
            columns[number] = np.unpackbits(np.frombuffer(signature.data, np.uint8))
        return cls(bits, width), np.packbits(columns.T).tobytes()

    def signatures(self, rows: bytes, columns: Iterable[int]) -> Iterator[Signature]:
        """Yield the signatures in some columns of a table with these rows."""
        marked = np.unpackbits(np.frombuffer(rows, np.uint8)).reshape(-1, self.width)
        for column in columns:
            yield Signature(self.bits, np.packbits(marked[:, column]).tobytes())
