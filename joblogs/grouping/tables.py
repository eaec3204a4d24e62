"""Features of many hosts as arrays: what groups are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from .features import SET

Array = npt.NDArray[Any]

_HEAD_WORDS = 4


class Entries(NamedTuple):
    """Entries of some hosts, one after the other, and what belongs to each."""

    words: Array
    hosts: Array
    """Place of its host among those that were asked for."""
    first_slots: Array
    """Where its slots begin in the table."""

    @property
    def digests(self) -> Array:
        """Hashes of the skeletons."""
        return self.words >> 7

    @property
    def keys(self) -> Array:
        """Which line of a log: hash of the skeleton and place among equal ones (`key_of`)."""
        return self.words >> 5

    @property
    def widths(self) -> Array:
        """How many slots."""
        return (self.words & 31).astype(np.int64)


def key_of(digest: int, nth: int) -> int:
    """Key of a line in all logs of a step."""
    return digest << 2 | nth


class Table:
    """Features of hosts, each a row: of every host the logs that stand for it, in order."""

    def __init__(self, packed: Sequence[Sequence[bytes]]) -> None:
        """`packed` are the features of each host's logs."""
        self.size = len(packed)
        words = np.frombuffer(b"".join(_joined(own) for own in packed), "<u4")
        sizes = (
            np.array([_size(own) for own in packed], np.int64) if packed else np.zeros(0, np.int64)
        )
        heads = np.cumsum(sizes) - sizes
        self.sequences = words[heads].astype(np.uint64) | words[heads + 1].astype(
            np.uint64
        ) << np.uint64(32)
        self.lasts = words[heads + 2]
        self.counts = (words[heads + 3] & 0xFFFF).astype(np.int64)
        self._words = words
        self._begins = heads + _HEAD_WORDS

    def entries(self, hosts: Array) -> Entries:
        """All entries of these rows."""
        counts, begins = self.counts[hosts], self._begins[hosts]
        owner = np.repeat(np.arange(len(hosts)), counts)
        before = np.cumsum(counts) - counts
        words = self._words[begins[owner] + np.arange(len(owner)) - before[owner]]
        widths = (words & 31).astype(np.int64)
        slots = np.cumsum(widths) - widths
        first = slots[np.minimum(before, max(0, len(slots) - 1))] if len(slots) else before
        starts = (begins + counts)[owner] + slots - first[owner]
        return Entries(words, owner, starts)

    def slots(self, first_slots: Array, width: int) -> Array:
        """The slots that begin at these places, a row for each."""
        return self._words[first_slots[:, None] + np.arange(width)]


def _joined(own: Sequence[bytes]) -> bytes:
    return own[0] if len(own) == 1 else combined(own)


def _size(own: Sequence[bytes]) -> int:
    return sum(map(len, own)) // 4 if len(own) == 1 else len(combined(own)) // 4


def combined(own: Sequence[bytes]) -> bytes:
    """Features of several logs of a host as those of one: batch after batch."""
    seen: dict[int, int] = {}
    entries: list[int] = []
    slots: list[int] = []
    sequences, last = b"", b"\0\0\0\0"
    for packed in own:
        words = np.frombuffer(packed, "<u4")
        count = int(words[3] & 0xFFFF)
        at = _HEAD_WORDS + count
        sequences, last = sequences + packed[:8], packed[8:12]
        for word in words[_HEAD_WORDS : _HEAD_WORDS + count].tolist():
            width, digest = word & 31, word >> 7
            values = words[at : at + width].tolist()
            at += width
            nth = seen.get(digest, 0)
            if word >> 5 & 3 == SET or nth >= SET:
                continue
            if nth and word >> 5 & 3 == 0:
                values = values[1:]  # how often it occurs is said once
            seen[digest] = nth + 1
            entries.append(digest << 7 | nth << 5 | len(values))
            slots += values
    sequence = xxh3_64_intdigest(sequences).to_bytes(8, "little")
    counts = (len(entries) | len(slots) << 16).to_bytes(4, "little")
    return b"".join(
        (
            sequence,
            last,
            counts,
            np.array(entries, "<u4").tobytes(),
            np.array(slots, "<u4").tobytes(),
        )
    )
