"""Features of many hosts as arrays, from which groups are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from .features import SET, padded
from .words import Alike

Array = npt.NDArray[Any]

_HEAD_WORDS = 4


class Entries(NamedTuple):
    """Entries of some hosts in sequence, as arrays."""

    words: Array
    hosts: Array
    """Index of each entry's host among the requested hosts."""
    first_slots: Array
    """Place in the table of each entry's first slot."""

    forms: Array
    """Forms of the lines (`form_of`)."""

    lines: Array
    """Hashes of the skeletons; one hash for lines that are equal except for words that vary."""

    @property
    def digests(self) -> Array:
        """Hashes of the skeletons."""
        return self.words >> 7

    @property
    def keys(self) -> Array:
        """Keys of the lines: hash of the skeleton and index among equal lines (`key_of`)."""
        return self.words >> 5

    @property
    def pairs(self) -> tuple[Array, Array]:
        """Hashes and hosts, with each line of a host once, sorted by hash and then by host."""
        both = np.unique(self.digests.astype(np.int64) << 32 | self.hosts)
        return both >> 32, both & 0xFFFFFFFF

    @property
    def widths(self) -> Array:
        """Numbers of slots."""
        return (self.words & 31).astype(np.int64)


def key_of(digest: int, nth: int) -> int:
    """Return the key of a line, which is the same in all logs of a step."""
    return digest << 2 | nth


class Table:
    """Table of the features of hosts, one row per host."""

    def __init__(self, packed: Sequence[Sequence[bytes]]) -> None:
        """`packed` has the features of each host's logs, in order."""
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
        self._bytes = words.view(np.uint8)
        slots = (words[heads + 3] >> 16).astype(np.int64)
        self._forms = (self._begins + self.counts + slots) * 4
        self.words: Sequence[Alike] = ()
        """Lines that are equal except for words that vary."""
        self.plain: dict[int, int] = {}
        """For lines of the logs that were read, a hash of their words without names
        (`plain_words`); 0 for a line without other words."""
        self.plain_of_successes: set[int] = set()
        self.raw = self
        """The same table, with every line by its own words."""
        self._alike = self._shared = np.zeros(0, np.uint32)

    def entries(self, hosts: Array) -> Entries:
        """Return all entries of these rows."""
        counts, begins = self.counts[hosts], self._begins[hosts]
        owner = np.repeat(np.arange(len(hosts)), counts)
        before = np.cumsum(counts) - counts
        nth = np.arange(len(owner)) - before[owner]
        words = self._words[begins[owner] + nth]
        widths = (words & 31).astype(np.int64)
        slots = np.cumsum(widths) - widths
        first = slots[np.minimum(before, max(0, len(slots) - 1))] if len(slots) else before
        starts = (begins + counts)[owner] + slots - first[owner]
        forms = self._bytes[self._forms[hosts][owner] + nth]
        return Entries(words, owner, starts, forms, self.shared(words >> 7))

    def shared(self, digests: Array) -> Array:
        """Return the hashes of lines, with one hash for lines that are equal except for words that
        vary."""
        if not len(self._alike):
            return digests
        at = np.minimum(np.searchsorted(self._alike, digests), len(self._alike) - 1)
        return np.where(self._alike[at] == digests, self._shared[at], digests)

    def leave_aside(self, words: Sequence[Alike]) -> None:
        """Treat lines that are equal except for words that vary as the same line from now on."""
        if not words:
            return
        self.raw, self.words = copy(self), words
        stands_for = {digest: min(one.values) for one in words for digest in one.values}
        self._alike = np.array(sorted(stands_for), np.uint32)
        self._shared = np.array([stands_for[one] for one in self._alike.tolist()], np.uint32)
        self.lasts, self.sequences = self.shared(self.lasts), self.sequences.copy()
        entries = self.entries(np.arange(self.size))
        touched = np.zeros(self.size, bool)
        touched[entries.hosts[np.isin(entries.lines, self._shared)]] = True
        of_touched = touched[entries.hosts]
        self.sequences[touched] = _sequences(entries.hosts[of_touched], entries.lines[of_touched])

    def with_alike(self, lines: Iterable[int]) -> set[int]:
        """Return these hashes, and those of lines that are equal except for words that vary."""
        found = set(lines)
        for one in self.words:
            if not found.isdisjoint(one.values):
                found.update(one.values)
        return found

    def slots(self, first_slots: Array, width: int) -> Array:
        """Return `width` slots from each of these places on, as rows."""
        return self._words[first_slots[:, None] + np.arange(width)]


def _sequences(hosts: Array, lines: Array) -> Array:
    """Return a number for each host, in order, for its different lines in the order of their first
    occurrence."""
    _, first = np.unique(hosts.astype(np.uint64) << np.uint64(32) | lines, return_index=True)
    first.sort()
    begins = np.flatnonzero(np.diff(hosts[first], prepend=-1))
    place = np.arange(len(first)) - np.repeat(begins, np.diff(begins, append=len(first)))
    mixed = (lines[first].astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= (place.astype(np.uint64) << np.uint64(1)) + np.uint64(0x94D049BB133111EB)
    return np.add.reduceat(mixed ^ mixed >> np.uint64(32), begins)


def _joined(own: Sequence[bytes]) -> bytes:
    return own[0] if len(own) == 1 else combined(own)


def _size(own: Sequence[bytes]) -> int:
    return sum(map(len, own)) // 4 if len(own) == 1 else len(combined(own)) // 4


def combined(own: Sequence[bytes]) -> bytes:
    """Return the features of several logs of a host, such as of rolling batches, as one."""
    seen: dict[int, int] = {}
    entries: list[int] = []
    slots: list[int] = []
    forms = bytearray()
    sequences, last = b"", b"\0\0\0\0"
    for packed in own:
        words = np.frombuffer(packed, "<u4")
        count = int(words[3] & 0xFFFF)
        at = _HEAD_WORDS + count
        sequences, last = sequences + packed[:8], packed[8:12]
        own_forms = packed[4 * (at + int(words[3] >> 16)) :]
        for word, form in zip(
            words[_HEAD_WORDS : _HEAD_WORDS + count].tolist(), own_forms, strict=False
        ):
            width, digest = word & 31, word >> 7
            values = words[at : at + width].tolist()
            at += width
            nth = seen.get(digest, 0)
            if word >> 5 & 3 == SET or nth >= SET:
                continue
            if nth and word >> 5 & 3 == 0:
                values = values[1:]  # how often it occurs is counted once
            seen[digest] = nth + 1
            entries.append(digest << 7 | nth << 5 | len(values))
            slots += values
            forms.append(form)
    sequence = xxh3_64_intdigest(sequences).to_bytes(8, "little")
    counts = (len(entries) | len(slots) << 16).to_bytes(4, "little")
    return b"".join(
        (
            sequence,
            last,
            counts,
            np.array(entries, "<u4").tobytes(),
            np.array(slots, "<u4").tobytes(),
            padded(bytes(forms)),
        )
    )
