"""Stored chunks: except for merging, the only code that reads or writes LogChunk.

Every statement has the day as a value, so that PostgreSQL only reads one partition.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from joblogs import database
from joblogs.models import LogChunk, distinct_days

from .. import codec
from ..pieces import CHUNK_MAX_BYTES, Piece, chunks, join
from .spans import Span

PARTITIONS = database.Partitions(LogChunk)
"""Day partitions of the chunks, if there are any."""

CHUNKS_AT_ONCE, LOGS_AT_ONCE = 16, 1000
"""Stored chunks, and keys of logs, that one statement fetches."""
WHOLE_SPANS, PARTIAL_SPANS = 10_000, 400
"""Spans that one statement fetches: whole logs by a list, other spans by a UNION."""


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


class Addition(NamedTuple):
    """Bytes to append to a host result's log, and their offset. `newlines`: if already counted."""

    log: int
    offset: int
    data: bytes | bytearray
    newlines: int | None = None


def append(
    day: datetime.date, additions: Iterable[Addition], *, level: int = codec.LIVE_LEVEL
) -> None:
    """Append bytes to logs, as chunks of at most 1 MiB.

    The caller holds the lock of each log's host result. A chunk that already exists is an error.
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


def insert_stored(day: datetime.date, log: int, stored: Iterable[Chunk]) -> None:
    """Store chunks of a log that are already encoded; otherwise like `append`."""
    database.insert_rows(LogChunk, _FIELDS, ((day, log, *chunk) for chunk in stored))


StoredBytes = tuple[int, int, bytes]
"""Offset, codec and data of a stored chunk."""


def decoded(found: list[StoredBytes]) -> list[Piece]:
    # Span by span, so that each reuses the memory of the previous one, which is still cached.
    # Allocating and freeing a whole group at once takes a third of the time of a large read.
    found.sort(key=itemgetter(0))
    return [Piece(offset, codec.decode(kind, data)) for offset, kind, data in found]


def stored_chunks(day: datetime.date, spans: Mapping[int, Span]) -> dict[int, list[StoredBytes]]:
    """Return the chunks that each span needs, by the span's index."""
    if not all(span.is_whole for span in spans.values()):
        return _windowed(day, spans)
    result: dict[int, list[StoredBytes]] = defaultdict(list)
    index_of = {span.log: index for index, span in spans.items()}
    condition, values = database.any_of([span.log for span in spans.values()])
    farthest = max(span.stop for span in spans.values())
    for log, offset, kind, data in database.fetch(_WHOLE + condition, [day, farthest, *values]):
        index = index_of[log]
        if offset < spans[index].stop:
            result[index].append((offset, kind, data))
    return result


def _windowed(day: datetime.date, spans: Mapping[int, Span]) -> dict[int, list[StoredBytes]]:
    result: dict[int, list[StoredBytes]] = defaultdict(list)
    parameters: list[Any] = []
    for index, span in spans.items():
        parameters += [index, day, span.log, span.stop, day, span.log, span.start]
    statement = " UNION ALL ".join([_WINDOW] * len(spans))
    for index, offset, kind, data in database.fetch(statement, parameters):
        result[int(index)].append((offset, kind, data))
    return result


class Chunk(NamedTuple):
    """Stored chunk."""

    offset: int
    size: int
    newlines: int
    codec: int
    data: bytes


def chunks_of(day: datetime.date, log: int) -> Iterator[Chunk]:
    """Yield all stored chunks of a log in order, fetched a few at a time."""
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
    """Return the days that have chunks, ascending."""
    return distinct_days(LogChunk.objects.all(), since, until)


def logs_of_day(day: datetime.date) -> Iterator[list[int]]:
    """Yield pages of the keys of the host results that have chunks on a day, ascending."""
    statement = (
        f'SELECT DISTINCT host_result_id FROM "{_TABLE}" '  # noqa: S608
        "WHERE day = %s AND host_result_id > %s ORDER BY host_result_id LIMIT %s"
    )
    after = 0
    while page := [log for (log,) in database.fetch(statement, [day, after, LOGS_AT_ONCE])]:
        yield page
        after = page[-1]


def replace(day: datetime.date, span: Span, data: bytes | bytearray) -> None:
    """Replace bytes of a log by as many others with the same newlines.

    The caller holds the lock of the host result, in a transaction. Chunks keep their borders, so a
    reader sees each of them either before or after. Raises Hole if bytes are missing.
    """
    log, offset, stop, *_ = span
    kept = decoded(stored_chunks(day, {0: Span(log, offset, stop)})[0])
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
