"""Where the newlines of a log are, as far as its chunks say without their text being read."""

from __future__ import annotations

import datetime
from typing import NamedTuple

from joblogs import database
from joblogs.models import LogChunk

from ..pieces import CHUNK_MAX_BYTES
from . import Span

_TABLE = LogChunk._meta.db_table  # ours; everything else in a statement is a parameter


class Newlines(NamedTuple):
    """The newlines of those chunks of a log that lie within a part of it, and what they cover."""

    newlines: int
    start: int
    stop: int


def count_within(day: datetime.date, log: int, start: int, stop: int) -> Newlines:
    """Count newlines of bytes [start, stop) as far as whole chunks tell, without reading text.

    The caller counts in what the chunks leave over at both ends; without a chunk it is all of it.
    """
    statement = (
        'SELECT COALESCE(SUM(newlines), 0), MIN("offset"), MAX("offset" + size) '  # noqa: S608
        f'FROM "{_TABLE}" WHERE day = %s AND host_result_id = %s AND "offset" >= %s '
        'AND "offset" < %s AND "offset" + size <= %s'
    )
    ((count, first, last),) = database.fetch(statement, [day, log, start, stop, stop])
    return Newlines(count, start if first is None else first, start if last is None else last)


def chunk_of(day: datetime.date, log: int, nth: int) -> tuple[Span, int] | None:
    """The chunk that holds the nth newline of a log (from 1), and how many come before the chunk.

    The database adds up and stops at the chunk: a log may have a million of them.
    """
    statement = (
        'SELECT "offset", size, upto - newlines FROM (SELECT "offset", size, newlines, '  # noqa: S608
        'SUM(newlines) OVER (ORDER BY "offset" ROWS UNBOUNDED PRECEDING) AS upto '
        f'FROM "{_TABLE}" WHERE day = %s AND host_result_id = %s) AS marks '
        'WHERE upto >= %s ORDER BY "offset" LIMIT 1'
    )
    for offset, size, before in database.fetch(statement, [day, log, nth]):
        return Span(log, offset, offset + size), int(before)
    return None


def next_chunks(day: datetime.date, log: int, start: int) -> list[Span]:
    """The next two chunks that end after `start` and hold a newline; the first may hold it before.

    What finds the end of a line of many megabytes without reading the line.
    """
    statement = (
        f'SELECT "offset", size FROM "{_TABLE}" WHERE day = %s AND host_result_id = %s '  # noqa: S608
        'AND "offset" > %s AND "offset" + size > %s AND newlines > 0 ORDER BY "offset" LIMIT 2'
    )
    parameters = [day, log, start - CHUNK_MAX_BYTES, start]
    return [Span(log, at, at + size) for at, size in database.fetch(statement, parameters)]
