"""Features of a log, of at most 2,000 bytes, by which the output of hosts is compared.

The *entries* of a log are its lines: one word each, with the hash of the skeleton, its index among
equal lines and the number of its slots. Of equal lines the first three are kept; if there are more,
also a record of the set of all their values. The slots of a line's first occurrence are preceded by
the number of its occurrences. After all slots there are the forms of the entries, one byte each,
padded to a multiple of four.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest, xxh32_intdigest

from .cleaning import cleaned
from .line_forms import form_of
from .skeletons import BATCH_BYTES, Skeletons, skeletons
from .slots import (
    number_slot,
    number_slots,
    set_slot,
    slots_of,
)

Array = npt.NDArray[Any]

VERSION = 4
"""Version of the features: increase it if the same bytes get other features. Features of another
version are not used."""

HEAD_BYTES, TAIL_BYTES = 192 * 1024, 64 * 1024
"""Bytes used of a longer log."""
ENTRIES_MAX, SLOTS_MAX, LAST_LINES = 160, 296, 24
"""Maximum entries and slots of a log; LAST_LINES have reserved space."""
LINE_SLOTS_MAX = 30
SET = 3
"""Index among equal lines for the record of all their values."""

KNOWN_MAX = 1_000
"""Maximum features of different texts that are cached between calls: 2 MB."""
Known = dict[bytes, bytes]
"""Features by the digest of the cleaned text."""

_HEAD = struct.Struct("<QIHH")


class LogSample(NamedTuple):
    """Log to compute features of: its bytes, or its head and tail, and its host's names."""

    data: bytes
    names: tuple[bytes, ...] = ()


class Kept(NamedTuple):
    """Line that is kept as an entry: its row, or all rows of a record of equal lines."""

    rows: list[int]
    digest: int
    nth: int
    slots: int


def looked_at(data: bytes) -> bytes:
    """Return the part of a log that is used: all of it, or whole lines of its head and tail."""
    if len(data) <= HEAD_BYTES + TAIL_BYTES:
        return data
    return ends_of(data[:HEAD_BYTES], data[-TAIL_BYTES:])


def ends_of(head: bytes, tail: bytes) -> bytes:
    """Return the part that is used of a log of which only head and tail were read.

    Incomplete lines at the cut are left out, unless there is no other line.
    """
    return (head[: head.rfind(b"\n") + 1] or head) + tail[tail.find(b"\n") + 1 :]


def features_of(logs: Iterable[LogSample], known: Known | None = None) -> Iterator[bytes]:
    """Yield the features of each log, in order, computed once for equal cleaned texts.

    `known` has the features of earlier calls; those of this call are added.
    """
    known = {} if known is None else known
    digests: list[bytes] = []
    texts: dict[bytes, bytes] = {}
    size = 0
    for log in logs:
        text = cleaned(looked_at(log.data), log.names)
        digests.append(hashlib.sha256(text).digest())
        if digests[-1] not in known and digests[-1] not in texts:
            texts[digests[-1]] = text
            size += len(text)
        if size >= BATCH_BYTES:
            yield from _of_batch(digests, texts, known)
            digests, texts, size = [], {}, 0
    yield from _of_batch(digests, texts, known)


def _of_batch(digests: Sequence[bytes], texts: Mapping[bytes, bytes], known: Known) -> list[bytes]:
    if texts:
        known.update(zip(texts, _features(skeletons(list(texts.values()))), strict=True))
    made = [known[digest] for digest in digests]
    if len(known) > KNOWN_MAX:
        known.clear()
    return made


def digest_of(skeleton: bytes) -> int:
    """Return the hash of a skeleton, as used in entries: 25 bits."""
    return xxh32_intdigest(skeleton) >> 7


class _Digests(dict[bytes, int]):
    """Dict of the hashes of skeletons, followed by their forms in the lowest byte."""

    def __missing__(self, skeleton: bytes) -> int:
        self[skeleton] = digest_of(skeleton) << 8 | form_of(skeleton)
        return self[skeleton]


class _Batch:
    """Lines of some logs as arrays, without blank ones: for each line its hash, its slots, the
    number of equal lines in its log, and how many of these precede it."""

    def __init__(self, found: Skeletons) -> None:
        digests = _Digests()
        self.rows = np.array([bool(row) for row in found.rows], bool).nonzero()[0]
        both = np.array([digests[row] for row in found.rows if row], np.uint64)
        self.digests = (both >> np.uint64(8)).astype(np.uint32)
        self.forms = both.astype(np.uint8)
        self.firsts = np.searchsorted(self.rows, found.first_rows)
        """Index of the first line of each log, and the number of all lines."""
        logs = np.repeat(np.arange(len(self.firsts) - 1), np.diff(self.firsts))
        before = np.cumsum(found.slot_counts) - found.slot_counts
        self.first_slots = before[self.rows].astype(np.int64)
        self.widths = np.minimum(found.slot_counts[self.rows], LINE_SLOTS_MAX).astype(np.int64)
        keys = logs.astype(np.int64) << 32 | self.digests
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        begins = np.flatnonzero(np.diff(ordered, prepend=-1) != 0)
        sizes = np.diff(begins, append=len(ordered))
        self.nth = np.empty(len(keys), np.int64)
        self.nth[order] = np.arange(len(keys)) - np.repeat(begins, sizes)
        self.counts = np.empty(len(keys), np.int64)
        self.counts[order] = np.repeat(sizes, sizes)


def _features(found: Skeletons) -> Iterator[bytes]:
    batch = _Batch(found)
    slots = slots_of(found.text, found.slot_starts, found.slot_ends)
    simple = _simple(batch)
    # Entries and slots of all lines as if all logs were simple; for other logs they are not used.
    entries = (batch.digests << 7) | (batch.nth << 5).astype(np.uint32)
    lengths = batch.widths + (batch.nth == 0)
    entries = entries | lengths.astype(np.uint32)
    begins = np.append(np.cumsum(lengths) - lengths, lengths.sum())
    row_of = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(row_of)) - begins[row_of]
    first = batch.nth[row_of] == 0
    taken = np.where(first & (place == 0), 0, batch.first_slots[row_of] + place - first)
    own = (
        slots[np.minimum(taken, len(slots) - 1)] if len(slots) else np.zeros(len(taken), np.uint32)
    )
    counted = number_slots(batch.counts)[row_of]
    values = np.where(first & (place == 0), counted, own).astype("<u4")
    entries = entries.astype("<u4")
    once = batch.nth == 0
    for index, (start, stop) in enumerate(pairwise(batch.firsts.tolist())):
        digests = batch.digests[start:stop]
        sequence = xxh3_64_intdigest(digests[once[start:stop]].astype("<u4").tobytes())
        last = int(digests[-1]) if stop > start else 0
        if simple[index]:
            a, b = int(begins[start]), int(begins[stop])
            head = _HEAD.pack(sequence, last, stop - start, b - a)
            forms = batch.forms[start:stop].tobytes()
            yield head + entries[start:stop].tobytes() + values[a:b].tobytes() + padded(forms)
        else:
            yield _packed(sequence, last, *_chosen_features(batch, slots, start, stop))


def _simple(batch: _Batch) -> Array:
    """Return which logs are stored completely: short ones in which no line occurs often."""
    firsts = batch.firsts
    sums = np.append(0, np.cumsum(batch.widths + (batch.nth == 0)))
    often = np.append(0, np.cumsum(batch.counts > SET))
    return (
        (np.diff(firsts) <= ENTRIES_MAX - LAST_LINES)
        & (np.diff(sums[firsts]) <= SLOTS_MAX - 2 * LAST_LINES)
        & (np.diff(often[firsts]) == 0)
    )


def padded(forms: bytes) -> bytes:
    """Return forms padded to a multiple of four bytes."""
    return forms + bytes(-len(forms) % 4)


def _packed(
    sequence: int, last: int, entries: Sequence[int], slots: Sequence[int], forms: bytes
) -> bytes:
    arrays = np.array(entries, "<u4").tobytes() + np.array(slots, "<u4").tobytes()
    return _HEAD.pack(sequence, last, len(entries), len(slots)) + arrays + padded(forms)


def _chosen_features(
    batch: _Batch, all_slots: Array, start: int, stop: int
) -> tuple[list[int], list[int], bytes]:
    """Return entries, slots and forms of a log that is not stored completely."""
    digests = batch.digests[start:stop].tolist()
    widths = batch.widths[start:stop].tolist()
    firsts = batch.first_slots[start:stop].tolist()
    entries: list[int] = []
    slots: list[int] = []
    forms = bytearray()
    counts = Counter(digests)
    for kept in chosen(digests, widths):
        forms.append(batch.forms[start + kept.rows[0]])
        entries.append(kept.digest << 7 | kept.nth << 5 | kept.slots)
        if kept.nth == SET:
            places = np.array([firsts[row] for row in kept.rows])[:, None] + np.arange(kept.slots)
            slots += [set_slot(np.unique(column).tolist()) for column in all_slots[places].T]
            continue
        if kept.nth == 0:
            slots.append(number_slot(counts[kept.digest]))
        at = firsts[kept.rows[0]]
        slots += all_slots[at : at + kept.slots - (kept.nth == 0)].tolist()
    return entries, slots, bytes(forms)


def chosen(digests: Sequence[int], widths: Sequence[int]) -> list[Kept]:
    """Return the lines of a log to keep, given the hashes and numbers of slots of all lines."""
    seen: Counter[int] = Counter()
    equal: dict[int, list[int]] = defaultdict(list)
    kept: list[Kept] = []
    used = 0
    for row, (digest, width) in enumerate(zip(digests, widths, strict=True)):
        nth = seen[digest]
        seen[digest] += 1
        equal[digest].append(row)
        is_last = row >= len(digests) - LAST_LINES
        if nth >= SET or len(kept) >= ENTRIES_MAX - LAST_LINES * (not is_last):
            continue
        slots = width + (nth == 0)
        if used + slots > SLOTS_MAX - 2 * LAST_LINES * (not is_last):
            slots = int(nth == 0)
        if used + slots <= SLOTS_MAX and (slots or not width or nth):
            kept.append(Kept([row], digest, nth, slots))
            used += slots
    for digest, rows in equal.items():
        slots = widths[rows[0]]
        fits = len(kept) < ENTRIES_MAX and used + slots <= SLOTS_MAX
        if len(rows) > SET and slots and fits:
            kept.append(Kept(rows[:1000], digest, SET, slots))
            used += slots
    return kept
