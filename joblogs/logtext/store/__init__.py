"""The only package that reads or writes LogChunk.

A log is read by its host result's id and day. Which chunks hold it may change at any time (merging
replaces them), so a reader never remembers chunks from one statement to the next: it asks for the
chunk that contains its position and checks that chunks touch. Every statement names the day as a
value: that is what lets PostgreSQL look at one partition only.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from joblogs import database
from joblogs.models import LogChunk

from .. import codec
from ..pieces import CHUNK_MAX_BYTES, Hole, Piece, chunks, join

GROUP_BYTES = 8 * 1024 * 1024
"""As much text as the chunks that one statement fetches may hold: what a reader's memory is bounded
by."""
WHOLE_SPANS, PARTIAL_SPANS = 10_000, 400
"""As many spans as one statement asks for: those of whole logs by a list, others by a UNION."""

CHUNKS_AT_ONCE, LOGS_AT_ONCE = 16, 1000
"""As many chunks as they are, and names of logs, as one statement fetches."""

PARTITIONS = database.Partitions(LogChunk)
"""The day partitions of the chunks, where there are any."""

_FIELDS = ("day", "host_result_id", "offset", "size", "newlines", "codec", "data")
_TABLE = LogChunk._meta.db_table
# The table's name is ours; everything else is a parameter.
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


class Span(NamedTuple):
    """Bytes [start, stop) of a host result's log, which ends at `size`: at `stop` unless told."""

    log: int
    start: int
    stop: int
    size: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its log."""
        return self.start == 0 and self.size in (None, self.stop)

    @property
    def weight(self) -> int:
        """As many bytes as the chunks that hold it may have: a byte brings all of its chunk."""
        first = max(0, self.start - CHUNK_MAX_BYTES + 1)
        return min(self.size or self.stop, self.stop + CHUNK_MAX_BYTES - 1) - first


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

    Statements are as many as there are groups of 8 MiB of chunks, whatever the number of spans; a
    longer span comes back in several consecutive ones. The caller takes `stop` and `size` from the
    host result, before. Raises Hole if bytes are missing.
    """
    for group in _groups(spans):
        found = _chunks(day, group)
        for index, span in enumerate(group):
            place = (span.start, span.stop)
            try:
                parts = join(place, _decoded(found.pop(index, [])))
            except Hole:
                # Chunks may have been merged between the size's statement and this one.
                parts = join(place, _decoded(_chunks(day, [span])[0]))
            yield span, parts


def first_bytes(stream: Iterator[tuple[Span, list[bytes]]], size: int) -> Iterator[bytes]:
    """The next `size` bytes of what `read` gives."""
    while size > 0:
        _, parts = next(stream)
        for part in parts:
            size -= len(part)
            yield part


def _groups(spans: Iterable[Span]) -> Iterator[list[Span]]:
    group: list[Span] = []
    remaining, limit = GROUP_BYTES, WHOLE_SPANS
    for span in _capped_spans(spans):
        if not span.is_whole:
            limit = PARTIAL_SPANS
        weight = span.weight
        if group and (weight > remaining or len(group) >= limit):
            yield group
            group, remaining = [], GROUP_BYTES
            limit = WHOLE_SPANS if span.is_whole else PARTIAL_SPANS
        group.append(span)
        remaining -= weight
    if group:
        yield group


def _capped_spans(spans: Iterable[Span]) -> Iterator[Span]:
    for span in spans:
        log, start, stop, size = span
        if 0 < stop - start <= GROUP_BYTES:
            yield span
            continue
        for position in range(start, stop, GROUP_BYTES):
            yield Span(log, position, min(stop, position + GROUP_BYTES), size or stop)


_Packed = tuple[int, int, bytes]
"""Offset, codec and data of a chunk as it is stored."""


def _decoded(found: list[_Packed]) -> list[Piece]:
    # Span by span: the memory of one is that of the next, still warm. A group unpacked at once
    # would be asked of the system and given back each time, a third of what a large read costs.
    found.sort(key=itemgetter(0))
    return [Piece(offset, codec.decode(kind, data)) for offset, kind, data in found]


def _chunks(day: datetime.date, group: Sequence[Span]) -> dict[int, list[_Packed]]:
    """The chunks that each span of the group needs, by the span's index."""
    if not all(span.is_whole for span in group):
        return _windowed(day, group)
    result: dict[int, list[_Packed]] = defaultdict(list)
    index_of = {span.log: index for index, span in enumerate(group)}
    condition, values = database.any_of([span.log for span in group])
    farthest = max(span.stop for span in group)
    for log, offset, kind, data in database.fetch(_WHOLE + condition, [day, farthest, *values]):
        index = index_of[log]
        if offset < group[index].stop:
            result[index].append((offset, kind, data))
    return result


def _windowed(day: datetime.date, group: Sequence[Span]) -> dict[int, list[_Packed]]:
    result: dict[int, list[_Packed]] = defaultdict(list)
    parameters: list[Any] = []
    for index, (log, start, stop, _) in enumerate(group):
        parameters += [index, day, log, stop, day, log, start]
    statement = " UNION ALL ".join([_WINDOW] * len(group))
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


def replace(day: datetime.date, log: int, offset: int, data: bytes | bytearray) -> None:
    """Put other bytes, with the same newlines, where a log has as many already.

    The caller holds the lock of the host result, in a transaction. Chunks keep their borders, so a
    reader meets each of them as it was or as it is. Raises Hole if bytes are missing.
    """
    stop = offset + len(data)
    kept = _decoded(_chunks(day, [Span(log, offset, stop)])[0])
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
