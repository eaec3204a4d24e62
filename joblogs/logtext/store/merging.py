"""Merging of chunks: re-cuts logs into full chunks, with higher compression."""

from __future__ import annotations

import datetime
import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db import connection

from joblogs import database
from joblogs.models import LogChunk

from .. import codec
from ..pieces import CHUNK_MAX_BYTES
from . import GROUP_BYTES, LOGS_AT_ONCE, Addition, Span, append, delete, read

_TABLE = LogChunk._meta.db_table  # ours; everything else in a statement is a parameter
Cuts = list[tuple[int, int]]
"""Offsets and sizes of a log's chunks, in order."""


def scattered(day: datetime.date, logs: Sequence[int] | None = None) -> list[tuple[int, int]]:
    """Return the logs of a day, or among these, that are in more chunks than needed: the key of the
    host result, and the number of chunks."""
    if logs is None:
        several = (
            f'SELECT host_result_id FROM "{_TABLE}" WHERE day = %s '  # noqa: S608
            "GROUP BY host_result_id HAVING COUNT(*) > 1 ORDER BY host_result_id"
        )
        # From the index alone, without reading the sizes of logs in a single chunk.
        logs = [log for (log,) in database.fetch(several, [day])]
    scattered: list[tuple[int, int]] = []
    for start in range(0, len(logs), LOGS_AT_ONCE):
        condition, values = database.any_of(logs[start : start + LOGS_AT_ONCE])
        statement = (
            f'SELECT host_result_id, COUNT(*) FROM "{_TABLE}" '  # noqa: S608
            f"WHERE day = %s AND host_result_id {condition} GROUP BY host_result_id "
            "HAVING COUNT(*) > (SUM(size) + %s) / %s ORDER BY host_result_id"
        )
        parameters = [day, *values, CHUNK_MAX_BYTES - 1, CHUNK_MAX_BYTES]
        scattered += [(log, count) for log, count in database.fetch(statement, parameters)]
    return scattered


def merge(day: datetime.date, logs: Sequence[int]) -> int:
    """Re-cut logs of a day into full chunks; return the number of chunks saved.

    The caller holds the locks of their host results, in a transaction. Logs that become one chunk
    are processed together: four statements per GROUP_BYTES. Memory is bounded by GROUP_BYTES for
    logs of any size. Raises Unreadable.
    """
    cuts_of, saved = _cuts(day, logs), 0
    short: list[Span] = []
    for log, cuts in cuts_of.items():
        size = cuts[-1][0] + cuts[-1][1]
        if size > CHUNK_MAX_BYTES:
            saved += _merge_long(day, log, cuts)
        elif len(cuts) > 1:
            short.append(Span(log, 0, size))
    for group in _groups(short):
        additions = [Addition(span.log, 0, b"".join(parts)) for span, parts in read(day, group)]
        delete(day, [span.log for span in group])
        append(day, additions, level=codec.MERGED_LEVEL)
        saved += sum(len(cuts_of[span.log]) - 1 for span in group)
    return saved


def _merge_long(day: datetime.date, log: int, cuts: Cuts) -> int:
    """Merge a log larger than a chunk. Leading chunks that are already full stay."""
    while cuts and cuts[0][1] == CHUNK_MAX_BYTES:
        del cuts[0]
    before, rest = len(cuts), b""
    if before < 2:
        return 0
    written = 0
    for group in _runs(cuts):
        start, stop = group[0][0], group[-1][0] + group[-1][1]
        (_, parts), *more = read(day, [Span(log, start, stop, cuts[-1][0] + cuts[-1][1])])
        data = rest + b"".join(itertools.chain(parts, *(found for _, found in more)))
        offset = start - len(rest)
        keep = 0 if group[-1] is cuts[-1] else len(data) % CHUNK_MAX_BYTES
        rest, data = data[len(data) - keep :], data[: len(data) - keep]
        _delete(day, log, start, stop)
        append(day, [Addition(log, offset, data)], level=codec.MERGED_LEVEL)
        written += -(-len(data) // CHUNK_MAX_BYTES)
    return before - written


def _cuts(day: datetime.date, logs: Sequence[int]) -> dict[int, Cuts]:
    """Return the cuts of each log that has chunks."""
    condition, values = database.any_of(logs)
    statement = (
        f'SELECT host_result_id, "offset", size FROM "{_TABLE}" '  # noqa: S608
        f"WHERE day = %s AND host_result_id {condition} "
        'ORDER BY host_result_id, "offset"'
    )
    cuts: dict[int, Cuts] = defaultdict(list)
    for log, offset, size in database.fetch(statement, [day, *values]):
        cuts[log].append((offset, size))
    return cuts


def _groups(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Yield the logs in groups of about GROUP_BYTES."""
    group: list[Span] = []
    size = 0
    for span in spans:
        group.append(span)
        size += span.stop
        if size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _runs(cuts: Cuts) -> Iterator[Cuts]:
    """Yield the chunks in runs of about GROUP_BYTES."""
    start, size = 0, 0
    for index, (_, length) in enumerate(cuts):
        size += length
        if size >= GROUP_BYTES:
            yield cuts[start : index + 1]
            start, size = index + 1, 0
    if start < len(cuts):
        yield cuts[start:]


def _delete(day: datetime.date, log: int, start: int, stop: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f'DELETE FROM "{_TABLE}" '  # noqa: S608
            'WHERE day = %s AND host_result_id = %s AND "offset" >= %s AND "offset" < %s',
            [day, log, start, stop],
        )
