"""Bitmaps of grams: folded to what a text needs, and many of them side by side in rows.

A table has a column for each part and a row for each place, so that what one gram asks of thousands
of parts lies together. Parts of one table have bitmaps of one size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .grams import AT_ONCE, TOP_BITS, Bits, Places, places_of

FILL_MAX = 0.35
"""A bitmap is folded in half while no more of it than this would be marked."""
BITS_MIN = 10
SPARSE = 4
"""As many times as many places as grams are so many that they will be folded."""
PAGE_BYTES = 1900
"""As much of a table as one row in the database holds: it stays in line there."""
TABLE_BYTES = 4 * 1024 * 1024
COLUMNS_MAX = 4096
WIDE = 1000
"""A table with more columns has some more, so that each of its rows is whole bytes."""


class Signature(NamedTuple):
    """A folded bitmap of 2**bits places, eight of them in a byte."""

    bits: int
    data: bytes

    def row(self, place: int) -> int:
        """1 if a place of the whole bitmap is marked, else 0."""
        at = place >> (TOP_BITS - self.bits)
        return self.data[at >> 3] >> (7 - (at & 7)) & 1


class Bitmap:
    """Bitmap that texts are marked in. Of a small one places are collected: to fold all of a large
    bitmap would take longer than the text does."""

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
        """What was marked, folded; the bitmap is empty again."""
        self._mark_all()
        bits = TOP_BITS
        if self._bits is None:
            bits = max(BITS_MIN, (self._count * SPARSE).bit_length())
        folded = self._collected(bits) if self._bits is None else self._bits
        self._bits = None
        while bits > BITS_MIN:
            half = folded.view(np.uint16) != 0  # two beside each other are one number
            if np.count_nonzero(half) > FILL_MAX * len(half):
                break
            folded, bits = half, bits - 1
        return Signature(bits, np.packbits(folded).tobytes())


def _indices(places: Places) -> npt.NDArray[np.intp]:
    # What numpy indexes with: it takes twice as long over anything else.
    return places.astype(np.intp)


class Table(NamedTuple):
    """Signatures of one size side by side: `width` bits for each of 2**bits places."""

    bits: int
    width: int

    @classmethod
    def capacity(cls, bits: int) -> int:
        """Signatures of this size that one table takes."""
        return max(8, min(COLUMNS_MAX, TABLE_BYTES * 8 >> bits))

    @property
    def places_of_page(self) -> int:
        places = PAGE_BYTES * 8 // self.width
        # A page begins with a byte: either its places are so many, or each of them is whole bytes.
        return max(1, places if self.width % 8 == 0 else places // 8 * 8)

    def where(self, place: int) -> tuple[int, int]:
        """Page, and bit in it, where the row of a place begins."""
        page, number = divmod(place >> (TOP_BITS - self.bits), self.places_of_page)
        return page, number * self.width

    def row(self, page: bytes, at: int) -> int:
        """The row that begins at a bit of a page, the first column its highest bit."""
        first, last = at >> 3, at + self.width + 7 >> 3
        number = int.from_bytes(page[first:last], "big")
        return number >> ((last << 3) - at - self.width) & self.every

    @property
    def every(self) -> int:
        """A row that has every column."""
        return (1 << self.width) - 1

    def pages(self, rows: bytes) -> Iterator[tuple[int, bytes]]:
        """The pages of the rows of a table, one after the other, with their numbers."""
        size = self.places_of_page * self.width // 8
        for number, start in enumerate(range(0, len(rows), size)):
            yield number, rows[start : start + size]

    @classmethod
    def of(cls, signatures: Sequence[Signature]) -> tuple[Table, bytes]:
        """A table of signatures of one size, in their order, and its rows."""
        bits, width = signatures[0].bits, len(signatures)
        if width > WIDE:
            width = (width + 7) // 8 * 8
        columns = np.zeros((width, 1 << bits), np.bool_)
        for number, signature in enumerate(signatures):
            columns[number] = np.unpackbits(np.frombuffer(signature.data, np.uint8))
        return cls(bits, width), np.packbits(columns.T).tobytes()

    def signatures(self, rows: bytes, columns: Iterable[int]) -> Iterator[Signature]:
        """Those in some columns of a table with these rows."""
        marked = np.unpackbits(np.frombuffer(rows, np.uint8)).reshape(-1, self.width)
        for column in columns:
            yield Signature(self.bits, np.packbits(marked[:, column]).tobytes())
