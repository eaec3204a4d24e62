"""Store of log text: the only package that reads or writes LogChunk and LogPack.

A log is read by the key and day of its host result. It is stored in chunks or, some time after its
step has finished, in packs with other logs of the step. This may change at any time, so a reader
never relies on it between two statements: it fetches the chunks at its position, or the packs that
the host result names, checks that they touch, and queries the host result again if they do not.
Every statement has the day as a value, so that PostgreSQL only reads one partition.
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
"""Maximum text in the chunks and packs that one statement fetches, which bounds a reader's
memory."""

LOOKS = 2
"""Number of times that a log is located again by its host result before it counts as damaged."""

_RESULTS = HostResult._meta.db_table  # ours; everything else in a statement is a parameter


def read(day: datetime.date, spans: Iterable[Span]) -> Iterator[tuple[Span, list[bytes]]]:
    """Yield the bytes of spans, in the same order, each as parts to be joined.

    There is one statement per 8 MiB of chunks and packs, independent of the number of spans; a
    longer span is returned as several consecutive ones. The caller takes `stop` and `size` from the
    host result before. Raises Hole if bytes are missing, and other Unreadable errors.
    """
    for group in _groups(spans):
        yield from zip(group, _parts(day, group), strict=True)


def _parts(day: datetime.date, group: Sequence[Span], looks: int = 0) -> Iterator[list[bytes]]:
    """Yield the bytes of each span of a group; `looks`: how often the first one was located."""
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
    """Return the spans with the current places according to their host results."""
    found = places([span.log for span in spans])
    return [span._replace(place=found.get(span.log)) for span in spans]


def places(logs: Sequence[int]) -> dict[int, PackPlace]:
    """Return the places of the packed logs among those of these host results."""
    condition, values = database.any_of(logs)
    statement = (
        f'SELECT id, step_id, pack, pack_start FROM "{_RESULTS}" '  # noqa: S608
        f"WHERE pack IS NOT NULL AND id {condition}"
    )
    return {log: PackPlace(*place) for log, *place in database.fetch(statement, values)}


def first_bytes(stream: Iterator[tuple[Span, list[bytes]]], size: int) -> Iterator[bytes]:
    """Yield the next `size` bytes, which are whole spans, of the result of `read`."""
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
    """Yield these spans without empty ones, longer ones split into at most GROUP_BYTES."""
    for span in spans:
        log, start, stop, size, place = span
        if 0 < stop - start <= GROUP_BYTES:
            yield span
            continue
        for position in range(start, stop, GROUP_BYTES):
            yield Span(log, position, min(stop, position + GROUP_BYTES), size or stop, place)


def replace(day: datetime.date, span: Span, data: bytes | bytearray) -> None:
    """Replace bytes of a log by as many others with the same newlines.

    The caller holds the lock of the host result, in a transaction, in which it has read the log's
    place. Raises Hole if bytes are missing.
    """
    stored = chunks if span.place is None else packs
    stored.replace(day, span, data)
