"""Positions of a log's newlines, as far as chunks and packs record them, without reading text.

A log that shares its pack with others counts as one chunk, about which nothing is known.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from joblogs import database
from joblogs.models import LogChunk

from ..pieces import CHUNK_MAX_BYTES
from . import packs, places
from .spans import Span

T = TypeVar("T")

# The tables' names are ours; everything else in a statement is a parameter.
_CHUNKS = (
    f'SELECT "offset", size, newlines FROM "{LogChunk._meta.db_table}" '  # noqa: S608
    "WHERE day = %s AND host_result_id = %s"
)


class Newlines(NamedTuple):
    """Newlines of the chunks within a part of a log, and the range that they cover."""

    newlines: int
    start: int
    stop: int


def count_within(day: datetime.date, span: Span) -> Newlines:
    """Count the newlines of a span in whole chunks, without reading text.

    The caller has to count in the rest at both ends; without whole chunks this is the whole span.
    """
    if span.is_packed_with_others:
        return Newlines(0, span.start, span.start)
    marks, parameters = _marks(day, span)
    statement = (
        'SELECT COALESCE(SUM(newlines), 0), MIN("offset"), MAX("offset" + size) '  # noqa: S608
        f'FROM ({marks}) AS marks WHERE "offset" >= %s AND "offset" < %s AND "offset" + size <= %s'
    )
    ends = [span.start, span.stop, span.stop]
    ((count, first, last),) = database.fetch(statement, [*parameters, *ends])
    start = span.start
    return Newlines(int(count), start if first is None else first, start if last is None else last)


def chunk_of(day: datetime.date, log: Span, nth: int) -> tuple[Span, int] | None:
    """Return the chunk with the nth newline of a log (from 1), and the newlines before the chunk.

    `log` is the span of the whole log. The database sums up to the chunk: a log may have a million.
    """
    return _found(day, log, lambda day, log: _chunk_of(day, log, nth))


def _chunk_of(day: datetime.date, log: Span, nth: int) -> tuple[Span, int] | None:
    if log.is_packed_with_others:
        return log, 0
    marks, parameters = _marks(day, log)
    statement = (
        'SELECT "offset", size, upto - newlines FROM (SELECT "offset", size, newlines, '  # noqa: S608
        'SUM(newlines) OVER (ORDER BY "offset" ROWS UNBOUNDED PRECEDING) AS upto '
        f"FROM ({marks}) AS marks) AS sums "
        'WHERE upto >= %s ORDER BY "offset" LIMIT 1'
    )
    for offset, size, before in database.fetch(statement, [*parameters, nth]):
        return log._replace(start=offset, stop=offset + size), int(before)
    return None


def next_chunks(day: datetime.date, rest: Span) -> list[Span]:
    """Return the next two chunks of a log that end after the start of `rest` and have a newline; in
    the first one it may be before the start.

    `rest` is the end of the log. This finds the end of a line of many megabytes without reading it.
    """
    return _found(day, rest, _next_chunks) or []


def _next_chunks(day: datetime.date, rest: Span) -> list[Span]:
    if rest.is_packed_with_others:
        return [rest]
    marks, parameters = _marks(day, rest)
    statement = (
        f'SELECT "offset", size FROM ({marks}) AS marks WHERE "offset" > %s '  # noqa: S608
        'AND "offset" + size > %s AND newlines > 0 ORDER BY "offset" LIMIT 2'
    )
    parameters += [rest.start - CHUNK_MAX_BYTES, rest.start]
    found = database.fetch(statement, parameters)
    return [rest._replace(start=at, stop=at + size) for at, size in found]


def _found(
    day: datetime.date, span: Span, look: Callable[[datetime.date, Span], T | None]
) -> T | None:
    """Return the result of `look` for the place in the span, otherwise for the current place."""
    found = look(day, span)
    if not found:
        place = places([span.log]).get(span.log)
        if place != span.place:
            return look(day, span._replace(place=place))
    return found


def _marks(day: datetime.date, span: Span) -> tuple[str, list[Any]]:
    """Return the statement for offset, size and newlines of a log's chunks or of its own packs."""
    if span.place is None:
        return _CHUNKS, [day, span.log]
    return packs.MARKS, packs.mark_parameters(day, span)
