"""The only code that reads or writes ScriptChunk.

A log is read by its host result's id and day. Which frames hold it may change at any time (merging
replaces them), so a reader never remembers frames from one statement to the next: it asks for the
frame that contains its position and checks that frames touch (DESIGN §5). Every statement names the
day as a value: that is what lets PostgreSQL look at one partition only.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from joblogs import database
from joblogs.models import ScriptChunk

from . import codec
from .chunks import Hole, Piece, frames, join

GROUP_BYTES = 8 * 1024 * 1024
"""As much text as one statement fetches: what a reader's memory is bounded by."""
WHOLE_SPANS, PARTIAL_SPANS = 10_000, 400
"""As many spans as one statement asks for: those of whole logs by a list, others by a UNION."""

_FIELDS = ("day", "host_result_id", "offset", "size", "newlines", "codec", "data")
_TABLE = ScriptChunk._meta.db_table
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
    """Bytes [start, stop) of a host result's log."""

    log: int
    start: int
    stop: int


class Addition(NamedTuple):
    """Bytes that a host result's log grows by, and where."""

    log: int
    offset: int
    data: bytes | bytearray


def append(day: datetime.date, additions: Iterable[Addition]) -> None:
    """Store what logs grew by, as frames of at most 1 MiB.

    The caller holds the lock of each log's host result. A frame that is there already is an error.
    """
    database.insert_rows(ScriptChunk, _FIELDS, _rows(day, additions))


def _rows(day: datetime.date, additions: Iterable[Addition]) -> Iterator[tuple[Any, ...]]:
    for log, offset, data in additions:
        for piece in frames(offset, data):
            kind, packed = codec.encode(piece.data)
            newlines = piece.data.count(b"\n")
            yield day, log, piece.offset, len(piece.data), newlines, kind, packed


def read(
    day: datetime.date, spans: Iterable[Span], *, whole: bool = True
) -> Iterator[tuple[Span, list[bytes]]]:
    """The bytes of `spans`, in their order, each as parts to be joined.

    Statements are as many as there are groups of 8 MiB, whatever the number of spans; a longer span
    comes back in several consecutive ones. The caller takes `stop` from the host result, before;
    `whole` says that the spans end where their logs do. Raises Hole if bytes are missing.
    """
    for group in _groups(spans, limit=WHOLE_SPANS if whole else PARTIAL_SPANS):
        found = _frames(day, group, whole=whole)
        for index, span in enumerate(group):
            try:
                parts = join(span[1:], found[index])
            except Hole:
                # Frames may have been merged between the size's statement and this one.
                parts = join(span[1:], _frames(day, [span], whole=False)[0])
            yield span, parts


def _groups(spans: Iterable[Span], *, limit: int) -> Iterator[list[Span]]:
    group: list[Span] = []
    room = GROUP_BYTES
    for span in _windows(spans):
        size = span.stop - span.start
        if group and (size > room or len(group) >= limit):
            yield group
            group, room = [], GROUP_BYTES
        group.append(span)
        room -= size
    if group:
        yield group


def _windows(spans: Iterable[Span]) -> Iterator[Span]:
    for log, start, stop in spans:
        for position in range(start, stop, GROUP_BYTES):
            yield Span(log, position, min(stop, position + GROUP_BYTES))


def _frames(day: datetime.date, group: Sequence[Span], *, whole: bool) -> dict[int, list[Piece]]:
    """The frames that each span of the group needs, by the span's index, in offset order."""
    result: dict[int, list[Piece]] = defaultdict(list)
    if whole and not any(span.start for span in group):
        index_of = {span.log: index for index, span in enumerate(group)}
        condition, values = database.any_of([span.log for span in group])
        farthest = max(span.stop for span in group)
        rows = database.fetch(_WHOLE + condition, [day, farthest, *values])
        for log, offset, kind, data in rows:
            index = index_of[log]
            if offset < group[index].stop:
                result[index].append(Piece(offset, codec.decode(kind, data)))
    else:
        parameters: list[Any] = []
        for index, (log, start, stop) in enumerate(group):
            parameters += [index, day, log, stop, day, log, start]
        statement = " UNION ALL ".join([_WINDOW] * len(group))
        for index, offset, kind, data in database.fetch(statement, parameters):
            result[int(index)].append(Piece(offset, codec.decode(kind, data)))
    for pieces in result.values():
        pieces.sort()
    return result
