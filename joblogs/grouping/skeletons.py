"""Skeletons of lines, in which every word that has a digit or looks random is a slot.

There are two steps: `_reduced` replaces each varying word by one byte, using arrays; `_merged`
combines bytes that belong together into one slot: a date with its time, a number with its unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .slot_patterns import (
    ALPHA,
    BEFORE_SIGN,
    BLANK,
    CALENDAR,
    CALENDAR_NAMES,
    CALENDAR_WORDS,
    CLASS,
    DIGIT,
    FOLD,
    HEX,
    MERGED,
    SLOT,
    TIME_LETTERS,
    TIMED,
    UPPER,
    VOWEL,
)

Array = npt.NDArray[Any]

BATCH_BYTES = 256 * 1024
"""Bytes of texts processed together; larger arrays do not fit into the processor's cache."""
ADDRESS_GROUPS, MAC_GROUPS = 4, 6
"""Minimum groups of an IPv6 address with a digit, and of a MAC address without one."""


class SkeletonLine(NamedTuple):
    """Line that is not empty: its number, from 0, its skeleton, and the ranges of its slots."""

    number: int
    skeleton: bytes
    slots: list[tuple[int, int]]


class Skeletons(NamedTuple):
    """Skeletons of the lines of some cleaned texts, which are joined by newlines."""

    text: bytes
    rows: list[bytes]
    """Skeleton of each line, including empty ones."""
    first_rows: list[int]
    """First row of each text, and the number of all rows."""
    slot_starts: Array
    slot_ends: Array
    slot_counts: Array
    """Number of slots of each row."""


def skeletons(texts: Sequence[bytes]) -> Skeletons:
    """Return the skeletons of cleaned texts, many at once: starting costs more than a short
    text."""
    text = b"\n".join(texts)
    first_rows = [0]
    for one in texts:
        first_rows.append(first_rows[-1] + one.count(b"\n") + 1)
    if not text:
        none = np.zeros(0, np.int64)
        return Skeletons(text, [b""] * first_rows[-1], first_rows, none, none, np.zeros(len(texts)))
    small, places = _reduced(text)
    spans = [found.span() for found in MERGED.finditer(small)]
    starts, ends = np.array(spans, np.int64).reshape(-1, 2).T
    final = _merged(small, starts, ends)
    rows = [row.strip(b" ") for row in final.split(b"\n")]
    slots = np.flatnonzero(np.frombuffer(final, np.uint8) == SLOT)
    breaks = np.flatnonzero(np.frombuffer(final, np.uint8) == 10)
    counts = np.diff(np.searchsorted(slots, breaks), prepend=0, append=len(slots))
    return Skeletons(text, rows, first_rows, places[starts], places[ends], counts)


def lines_of_each(texts: Iterable[bytes]) -> Iterator[list[SkeletonLine]]:
    """Yield the lines of each cleaned text that are not empty, with slots as ranges of that text.

    Many texts are processed at once, as by `skeletons`.
    """
    some: list[bytes] = []
    size = 0
    for text in texts:
        some.append(text)
        size += len(text)
        if size >= BATCH_BYTES:
            yield from _lines_of_some(some)
            some, size = [], 0
    if some:
        yield from _lines_of_some(some)


def _lines_of_some(texts: Sequence[bytes]) -> Iterator[list[SkeletonLine]]:
    found = skeletons(texts)
    starts, ends = found.slot_starts.tolist(), found.slot_ends.tolist()
    counts = found.slot_counts.tolist()
    at = begin = 0
    for text, (first, stop) in zip(texts, pairwise(found.first_rows), strict=True):
        lines = []
        for number in range(first, stop):
            after = at + int(counts[number])
            if row := found.rows[number]:
                spans = zip(starts[at:after], ends[at:after], strict=True)
                slots = [(start - begin, end - begin) for start, end in spans]
                lines.append(SkeletonLine(number - first, row, slots))
            at = after
        begin += len(text) + 1
        yield lines


class _Words:
    """Words of a text: runs of ASCII letters and digits. Other bytes are excluded, so that Chinese
    text does not become part of a number next to it."""

    def __init__(self, text: Array, classes: Array) -> None:
        self.text, self.classes = text, classes
        inside = np.zeros(len(text) + 2, np.int8)
        inside[1:-1] = (classes & (DIGIT | ALPHA)) != 0
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        self.starts, self.ends = edges[::2], edges[1::2]
        self.sizes = self.ends - self.starts

    def count(self, bit: int) -> Array:
        """Return the number of bytes of a class in each word."""
        total = np.zeros(len(self.text) + 1, np.int32)
        np.cumsum((self.classes & bit) != 0, out=total[1:])
        return total[self.ends] - total[self.starts]

    @cached_property
    def digits(self) -> Array:
        return self.count(DIGIT)

    @property
    def varying(self) -> Array:
        """Which words vary: with a digit, or random (hexadecimal, without vowel, of mixed case)."""
        sizes, turns = self.sizes, self._turns()
        return (
            (self.digits > 0)
            | ((sizes >= 4) & (self.count(HEX) == sizes))
            | ((sizes >= 5) & (self.count(VOWEL) == 0))
            | ((turns >= 3) & (turns * 3 >= sizes))
            | self._of_addresses()
        )

    def _of_addresses(self) -> Array:
        """Return which words are groups of a MAC or IPv6 address: hexadecimal, with colons."""
        sizes = self.sizes
        colons = self.text[np.minimum(self.ends, len(self.text) - 1)] == ord(":")
        if colons.sum() < 2:
            return np.zeros(len(sizes), bool)
        gaps = self.starts[1:] - self.ends[:-1]
        double = colons[:-1] & (self.text[self.ends[:-1] + (gaps > 1)] == ord(":"))
        group = (sizes <= 4) & (self.count(HEX) == sizes)
        joined = group[1:] & group[:-1] & (colons[:-1] & (gaps == 1) | double & (gaps == 2))
        chain = np.cumsum(np.append(True, ~joined)) - 1
        sizes_of = np.bincount(chain)
        digits = np.bincount(chain, self.digits > 0) > 0
        many = (sizes_of >= ADDRESS_GROUPS) & (digits | (sizes_of >= MAC_GROUPS))
        found: Array = many[chain]
        # Two digits between numbers: the bus of `00000000:AF:00.0`.
        numbered = colons[:-1] & (gaps == 1) & ((self.digits > 0)[:-1] | (self.digits > 0)[1:])
        found[1:-1] |= (sizes[1:-1] == 2) & group[1:-1] & numbered[:-1] & numbered[1:]
        return found

    def _turns(self) -> Array:
        """Return the number of changes of case within each word, after its first letter."""
        turns = np.zeros(len(self.text) + 1, np.int32)
        changed = ((self.classes[1:] ^ self.classes[:-1]) & UPPER) != 0
        np.cumsum(changed, out=turns[1:-1])
        turns[-1] = turns[-2]
        return turns[self.ends - 1] - turns[np.minimum(self.starts + 1, self.ends - 1)]

    @property
    def calendar(self) -> Array:
        """Which words are months, weekdays or time zones, in full or as three letters."""
        sizes = self.sizes
        found = np.zeros(len(sizes), bool)
        some = np.flatnonzero((sizes > 2) & (sizes < 10))
        at = self.starts[some]
        first, second, third = (self.text[at + k].astype(np.uint32) for k in range(3))
        some = some[np.isin(first << 16 | second << 8 | third, CALENDAR_WORDS)]
        found[some] = sizes[some] == 3
        for word in some[sizes[some] > 3]:
            name = self.text[self.starts[word] : self.ends[word]].tobytes()
            found[word] = name in CALENDAR_NAMES
        return found

    @property
    def timed(self) -> Array:
        """Which words are a number with a unit of time: 5h, 30ms, 3min, 2sec."""
        letters = self.sizes - self.digits
        last, last_but_one = self.text[self.ends - 1], self.text[np.maximum(self.ends - 2, 0)]
        unit = (
            ((letters == 1) & np.isin(last, TIME_LETTERS))
            | ((letters == 2) & (last == ord("s")))
            | ((letters == 3) & (last == ord("n")) & (last_but_one == ord("i")))
            | ((letters == 3) & (last == ord("c")) & (last_but_one == ord("e")))
        )
        return (self.digits > 0) & (self.classes[self.starts] & DIGIT != 0) & unit


def _reduced(text: bytes) -> tuple[bytes, Array]:
    """Return the text with one byte for each varying word and for each run of blanks or rules; and
    the place of each of its bytes in the text, followed by the text's size."""
    data = np.frombuffer(text, np.uint8)
    classes = CLASS[data]
    words = _Words(data, classes)
    varying, calendar, timed = words.varying, words.calendar, words.timed
    marked = data.copy()
    marked[classes & BLANK != 0] = ord(" ")
    marked[words.starts[varying]] = SLOT
    marked[words.starts[timed]] = TIMED
    marked[words.starts[calendar]] = CALENDAR
    gone = varying | calendar
    keep = _outside(len(data), words.starts[gone] + 1, words.ends[gone])
    keep[1:] &= ~((marked[1:] == marked[:-1]) & (classes[1:] & FOLD != 0))
    # Blanks that pad a number: `[  12.5]`, `( 5%)`.
    opened = (marked[:-1] == ord("[")) | (marked[:-1] == ord("("))
    keep[1:] &= ~((marked[1:] == ord(" ")) & opened)
    # A sign before a number is part of it.
    signs = np.flatnonzero((marked[1:] == SLOT) | (marked[1:] == TIMED))
    is_sign = (data[signs] == ord("+")) | (data[signs] == ord("-"))
    before = np.where(signs > 0, data[signs - 1], ord("\n"))
    keep[signs[is_sign & np.isin(before, BEFORE_SIGN)]] = False
    return marked[keep].tobytes(), np.append(np.flatnonzero(keep), len(data))


def _merged(small: bytes, starts: Array, ends: Array) -> bytes:
    """Return a reduced text with one byte for each of these spans."""
    data = np.frombuffer(small, np.uint8).copy()
    data[starts] = SLOT
    data = data[_outside(len(data), starts + 1, ends)]
    return data[_without_plurals(data)].tobytes()


def _outside(size: int, starts: Array, ends: Array) -> Array:
    """Return which of `size` bytes are in none of these spans, which do not overlap."""
    inside = np.zeros(size + 1, np.int8)
    inside[starts] += 1
    inside[ends] -= 1
    return np.cumsum(inside[:-1], dtype=np.int8) == 0


def _without_plurals(data: Array) -> Array:
    """Return which bytes to keep so that `2 users` equals `1 user`: without the plural ending of
    the word after a slot."""
    keep = np.ones(len(data), bool)
    slots = np.flatnonzero(data == SLOT)
    slots = slots[slots + 3 < len(data)]
    slots = slots[data[slots + 1] == ord(" ")]
    if not len(slots):
        return keep
    others = np.append(np.flatnonzero(CLASS[data] & ALPHA == 0), len(data))
    starts = slots + 2
    ends = others[np.searchsorted(others, starts)]
    sizes = ends - starts
    last = data[ends - 1]
    ies = (
        (sizes >= 4)
        & (last == ord("s"))
        & (data[ends - 2] == ord("e"))
        & (data[ends - 3] == ord("i"))
    )
    one = (sizes >= 2) & ((last == ord("s")) | (last == ord("y")))
    for back in (1, 2, 3):
        keep[ends[ies if back > 1 else ies | one] - back] = False
    return keep
