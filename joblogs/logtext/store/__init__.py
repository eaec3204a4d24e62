"""The only package that reads or writes LogChunk and LogPack.

A log is read by its host result's id and day. It lies in chunks or, once its step has long
finished, in packs with other logs of the step. Which of them hold it may change at any time, so a
reader never remembers them from one statement to the next: it asks for the chunk that contains its
position, or for the packs that the host result named, checks that they touch, and asks the host
result again where they do not. Every statement names the day as a value: that is what lets
PostgreSQL look at one partition only.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from joblogs import database
from joblogs.models import HostResult, LogChunk

from .. import codec
from ..pieces import CHUNK_MAX_BYTES, Hole, Piece, chunks, join
from . import packs
from .spans import PackKey, PackPlace, Span, StoredRow, place_of, span_of

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
    "chunks_of",
    "days",
    "delete",
    "first_bytes",
    "logs_of_day",
    "place_of",
    "places",
    "read",
    "replace",
    "span_of",
]

GROUP_BYTES = 8 * 1024 * 1024
"""As much text as the chunks and packs may hold that one statement fetches: what a reader's memory
is bounded by."""
WHOLE_SPANS, PARTIAL_SPANS = 10_000, 400
"""As many spans as one statement asks for: those of whole logs by a list, others by a UNION."""

CHUNKS_AT_ONCE, LOGS_AT_ONCE = 16, 1000
"""As many chunks as they are, and names of logs, as one statement fetches."""

LOOKS = 2
"""As often as a host result is asked where its log lies now, before it is damaged."""

PARTITIONS = database.Partitions(LogChunk)
"""The day partitions of the chunks, where there are any."""

_FIELDS = ("day", "host_result_id", "offset", "size", "newlines", "codec", "data")
_TABLE, _RESULTS = LogChunk._meta.db_table, HostResult._meta.db_table
# The tables' names are ours; everything else is a parameter.
_WHOLE = (
    f'SELECT host_result_id, "offset", codec, data FROM "{_TABLE}" '  # noqa: S608
    'WHERE day = %s AND "offset" < %s AND host_result_id '
)
_WINDOW = (
    f'SELECT %s AS span, "offset", codec, data FROM "{_TABLE}" '  # noqa: S608
    'WHERE day = %s AND host_result_id = %s AND "offset" < %s AND "offset" >= COALESCE('
    f'(SELECT MAX("offset") FROM "{_TABLE}" '
    'WHERE day = %s AND host_result_id = %s AND "offset" <= %s), 0)'
)


class Addition(NamedTuple):
    """Bytes that a host result's log grows by, and where. `newlines`: where they were counted."""

    log: int
    offset: int
    data: bytes | bytearray
    newlines: int | None = None


def append(
    day: datetime.date, additions: Iterable[Addition], *, level: int = codec.LIVE_LEVEL
) -> None:
    """Store what logs grew by, as chunks of at most 1 MiB.

    The caller holds the lock of each log's host result. A chunk that is there already is an error.
    """
    database.insert_rows(LogChunk, _FIELDS, _rows(day, additions, level))


def _rows(
    day: datetime.date, additions: Iterable[Addition], level: int
) -> Iterator[tuple[Any, ...]]:
    for log, offset, data, counted in additions:
        for piece in chunks(offset, data):
            kind, packed = codec.encode(piece.data, level=level)
            size, newlines = len(piece.data), counted
            if newlines is None or size < len(data):
                newlines = piece.data.count(b"\n")
            yield day, log, piece.offset, size, newlines, kind, packed


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
    stored = _Stored(day, group)
    for index, span in enumerate(group):
        try:
            parts = stored.parts(index, span)
        except Hole:
            # Chunks may have been merged, logs packed or unpacked since their rows were read.
            if looks == LOOKS:
                raise
            break
        yield parts
        looks = 0
    else:
        return
    del stored
    for rest in _groups(_located(group[index:])):
        yield from _parts(day, rest, looks + 1)


class _Stored:
    """What is stored of the spans of a group."""

    def __init__(self, day: datetime.date, group: Sequence[Span]) -> None:
        unpacked = {index: span for index, span in enumerate(group) if span.place is None}
        self._chunks = _chunks(day, unpacked) if unpacked else {}
        packed = [span for span in group if span.place] if len(unpacked) < len(group) else []
        self._packs = packs.PackedSpans(day, packed) if packed else None

    def parts(self, index: int, span: Span) -> list[bytes]:
        """The bytes of one of the spans, in their order. Raises Hole."""
        if self._packs is not None and span.place is not None:
            return self._packs.parts(span)
        return join((span.start, span.stop), _decoded(self._chunks.pop(index, [])))


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
    """The next `size` bytes of what `read` gives."""
    while size > 0:
        _, parts = next(stream)
        for part in parts:
            size -= len(part)
            yield part


def _groups(spans: Iterable[Span]) -> Iterator[list[Span]]:
    group: list[Span] = []
    packed: set[PackKey] = set()
    remaining, limit = GROUP_BYTES, WHOLE_SPANS
    for span in _capped_spans(spans):
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


def _capped_spans(spans: Iterable[Span]) -> Iterator[Span]:
    for span in spans:
        log, start, stop, size, place = span
        if 0 < stop - start <= GROUP_BYTES:
            yield span
            continue
        for position in range(start, stop, GROUP_BYTES):
            yield Span(log, position, min(stop, position + GROUP_BYTES), size or stop, place)


_Packed = tuple[int, int, bytes]
"""Offset, codec and data of a chunk as it is stored."""


def _decoded(found: list[_Packed]) -> list[Piece]:
    # Span by span: the memory of one is that of the next, still warm. A group unpacked at once
    # would be asked of the system and given back each time, a third of what a large read costs.
    found.sort(key=itemgetter(0))
    return [Piece(offset, codec.decode(kind, data)) for offset, kind, data in found]


def _chunks(day: datetime.date, spans: Mapping[int, Span]) -> dict[int, list[_Packed]]:
    """The chunks that each of the spans needs, by the span's index."""
    if not all(span.is_whole for span in spans.values()):
        return _windowed(day, spans)
    result: dict[int, list[_Packed]] = defaultdict(list)
    index_of = {span.log: index for index, span in spans.items()}
    condition, values = database.any_of([span.log for span in spans.values()])
    farthest = max(span.stop for span in spans.values())
    for log, offset, kind, data in database.fetch(_WHOLE + condition, [day, farthest, *values]):
        index = index_of[log]
        if offset < spans[index].stop:
            result[index].append((offset, kind, data))
    return result


def _windowed(day: datetime.date, spans: Mapping[int, Span]) -> dict[int, list[_Packed]]:
    result: dict[int, list[_Packed]] = defaultdict(list)
    parameters: list[Any] = []
    for index, span in spans.items():
        parameters += [index, day, span.log, span.stop, day, span.log, span.start]
    statement = " UNION ALL ".join([_WINDOW] * len(spans))
    for index, offset, kind, data in database.fetch(statement, parameters):
        result[int(index)].append((offset, kind, data))
    return result


class Chunk(NamedTuple):
    """A chunk as it is stored."""

    offset: int
    size: int
    newlines: int
    codec: int
    data: bytes


def chunks_of(day: datetime.date, log: int) -> Iterator[Chunk]:
    """All chunks of a log as they are, in their order, a few at a time."""
    statement = (
        f'SELECT "offset", size, newlines, codec, data FROM "{_TABLE}" '  # noqa: S608
        'WHERE day = %s AND host_result_id = %s AND "offset" > %s ORDER BY "offset" LIMIT %s'
    )
    after = -1
    while page := list(database.fetch(statement, [day, log, after, CHUNKS_AT_ONCE])):
        for offset, size, newlines, kind, data in page:
            yield Chunk(offset, size, newlines, kind, bytes(data))
        after = page[-1][0]


def days(since: datetime.date | None, until: datetime.date | None) -> Iterator[datetime.date]:
    """The days that have chunks, ascending."""
    found = LogChunk.objects.order_by("day").values_list("day", flat=True)
    if until is not None:
        found = found.filter(day__lte=until)
    day = found.filter(day__gte=since).first() if since is not None else found.first()
    while day is not None:
        yield day
        day = found.filter(day__gt=day).first()


def logs_of_day(day: datetime.date) -> Iterator[list[int]]:
    """The host results that chunks of a day name, ascending, a page at a time."""
    statement = (
        f'SELECT DISTINCT host_result_id FROM "{_TABLE}" '  # noqa: S608
        "WHERE day = %s AND host_result_id > %s ORDER BY host_result_id LIMIT %s"
    )
    after = 0
    while page := [log for (log,) in database.fetch(statement, [day, after, LOGS_AT_ONCE])]:
        yield page
        after = page[-1]


def replace(day: datetime.date, span: Span, data: bytes | bytearray) -> None:
    """Put other bytes, with the same newlines, where a log has as many already.

    The caller holds the lock of the host result, in a transaction, and read there where the log
    lies. Chunks and packs keep their borders, so a reader meets each of them as it was or as it is.
    Raises Hole if bytes are missing.
    """
    if span.place is not None:
        packs.replace(day, span, data)
        return
    log, offset, stop, *_ = span
    kept = _decoded(_chunks(day, {0: Span(log, offset, stop)})[0])
    join((offset, stop), kept)
    for piece in kept:
        text = bytearray(piece.data)
        start = max(0, offset - piece.offset)
        text[start : stop - piece.offset] = data[max(0, piece.offset - offset) :][
            : len(text) - start
        ]
        level = codec.MERGED_LEVEL if len(text) == CHUNK_MAX_BYTES else codec.LIVE_LEVEL
        kind, packed = codec.encode(bytes(text), level=level)
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{_TABLE}" SET codec = %s, data = %s '  # noqa: S608
                'WHERE day = %s AND host_result_id = %s AND "offset" = %s',
                [kind, packed, day, log, piece.offset],
            )


def delete(day: datetime.date, logs: Sequence[int]) -> None:
    """Delete all chunks of these host results' logs. Part of the caller's transaction."""
    for start in range(0, len(logs), WHOLE_SPANS):
        condition, values = database.any_of(logs[start : start + WHOLE_SPANS])
        with connection.cursor() as cursor:
            cursor.execute(
                f'DELETE FROM "{_TABLE}" WHERE day = %s AND host_result_id {condition}',  # noqa: S608
                [day, *values],
            )
