"""Store of log text: the only package that reads or writes LogChunk and LogPack.

A log is read by its host result's id and day. It lies in chunks or, once its step has long
finished, in packs with other logs of the step. Which of them hold it may change at any time, so a
reader never remembers them from one statement to the next: it asks for the chunk that contains its
position, or for the packs that the host result named, checks that they touch, and asks the host
result again where they do not. Every statement names the day as a value: that is what lets
PostgreSQL look at one partition only.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence

from joblogs import database
from joblogs.models import HostResult

from ..pieces import Hole, join
from . import chunks, packs
from .chunks import (
    CHUNKS_AT_ONCE,
    LOGS_AT_ONCE,
    PARTIAL_SPANS,
    PARTITIONS,
    WHOLE_SPANS,
    Addition,
    Chunk,
    append,
    chunks_of,
    days,
    delete,
    logs_of_day,
)
from .packed_spans import PackedSpans
from .spans import PackKey, PackPlace, Span, StoredRow, span_of

__all__ = [
    "CHUNKS_AT_ONCE",
    "GROUP_BYTES",
    "LOGS_AT_ONCE",
    "PARTIAL_SPANS",
    "PARTITIONS",
    "WHOLE_SPANS",
    "Addition",
    "Chunk",
    "PackPlace",
    "Span",
    "StoredRow",
    "append",
    "capped_spans",
    "chunks_of",
    "days",
    "delete",
    "first_bytes",
    "logs_of_day",
    "places",
    "read",
    "replace",
    "span_of",
]

GROUP_BYTES = 8 * 1024 * 1024
"""As much text as the chunks and packs may hold that one statement fetches: what a reader's memory
is bounded by."""

LOOKS = 2
"""As often as a log is located anew by its host result, before it counts as damaged."""

_RESULTS = HostResult._meta.db_table  # ours; everything else in a statement is a parameter


def read(day: datetime.date, spans: Iterable[Span]) -> Iterator[tuple[Span, list[bytes]]]:
    """The bytes of `spans`, in their order, each as parts to be joined.

    Statements are as many as there are groups of 8 MiB of chunks and packs, whatever the number of
    spans; a longer span comes back in several consecutive ones. The caller takes `stop` and `size`
    from the host result, before. Raises Hole if bytes are missing.
    """
    for group in _groups(spans):
        yield from zip(group, _parts(day, group), strict=True)


def _parts(day: datetime.date, group: Sequence[Span], looks: int = 0) -> Iterator[list[bytes]]:
    """The bytes of each span of a group; `looks`: as often as the first was looked for already."""
    unpacked = {index: span for index, span in enumerate(group) if span.place is None}
    stored = chunks.stored_chunks(day, unpacked) if unpacked else {}
    packed = [span for span in group if span.place is not None]
    in_packs = PackedSpans(day, packed) if packed else None
    for index, span in enumerate(group):
        try:
            if in_packs is not None and span.place is not None:
                parts = in_packs.parts(span)
            else:
                parts = join((span.start, span.stop), chunks.decoded(stored.pop(index, [])))
        except Hole:
            # Chunks may have been merged, logs packed or unpacked since their rows were read.
            if looks == LOOKS:
                raise
            break
        yield parts
        looks = 0
    else:
        return
    del stored, in_packs
    for rest in _groups(_located(group[index:])):
        yield from _parts(day, rest, looks + 1)


def _located(spans: Sequence[Span]) -> list[Span]:
    """The same spans where their host results say by now that they lie."""
    found = places([span.log for span in spans])
    return [span._replace(place=found.get(span.log)) for span in spans]


def places(logs: Sequence[int]) -> dict[int, PackPlace]:
    """Where those of these host results' logs lie that are packed."""
    condition, values = database.any_of(logs)
    statement = (
        f'SELECT id, step_id, pack, pack_start FROM "{_RESULTS}" '  # noqa: S608
        f"WHERE pack IS NOT NULL AND id {condition}"
    )
    return {log: PackPlace(*place) for log, *place in database.fetch(statement, values)}


def first_bytes(stream: Iterator[tuple[Span, list[bytes]]], size: int) -> Iterator[bytes]:
    """The bytes of the next spans of `size` bytes of what `read` gives."""
    while size > 0:
        span, parts = next(stream)
        size -= span.stop - span.start
        yield from parts


def _groups(spans: Iterable[Span]) -> Iterator[list[Span]]:
    group: list[Span] = []
    packed: set[PackKey] = set()
    remaining, limit = GROUP_BYTES, WHOLE_SPANS
    for span in capped_spans(spans):
        fresh: set[PackKey] = set()
        if span.place is None:
            if not span.is_whole:
                limit = PARTIAL_SPANS
            weight = span.weight
        else:
            fresh = set(packs.keys_of(span)) - packed
            weight = len(fresh) * span.pack_bytes
        if group and (weight > remaining or len(group) >= limit):
            yield group
            group, remaining, packed = [], GROUP_BYTES, set()
            limit = WHOLE_SPANS if span.is_whole or span.place else PARTIAL_SPANS
            if span.place is not None:
                fresh = set(packs.keys_of(span))
                weight = len(fresh) * span.pack_bytes
        group.append(span)
        packed |= fresh
        remaining -= weight
    if group:
        yield group


def capped_spans(spans: Iterable[Span]) -> Iterator[Span]:
    """These spans, each longer one as several of at most GROUP_BYTES; none that is empty."""
    for span in spans:
        log, start, stop, size, place = span
        if 0 < stop - start <= GROUP_BYTES:
            yield span
            continue
        for position in range(start, stop, GROUP_BYTES):
            yield Span(log, position, min(stop, position + GROUP_BYTES), size or stop, place)


def replace(day: datetime.date, span: Span, data: bytes | bytearray) -> None:
    """Put other bytes, with the same newlines, where a log has as many already.

    The caller holds the lock of the host result, in a transaction, and read there where the log
    lies. Raises Hole if bytes are missing.
    """
    stored = chunks if span.place is None else packs
    stored.replace(day, span, data)
