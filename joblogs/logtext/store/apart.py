"""Reader of spans that skips logs which cannot be read, and reports them."""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from joblogs.object_store import Fault, ObjectUnreachable

from ..codec import Unreadable
from . import capped_spans, objects, packs, read
from .spans import Span

LeftOut = Callable[[int, Unreadable], object]
"""Callback with the key of a log's host result, called before a span without parts is yielded."""


def read_apart(
    day: datetime.date, spans: Iterable[Span], left_out: LeftOut
) -> Iterator[tuple[Span, list[bytes]]]:
    """Yield the same as `read`, without parts for the rest of a log that cannot be read.

    An unreachable object is requested once per group, independent of the number of logs in it. In a
    group with a damaged log, the logs up to it are read separately, to find it.
    """
    rest = deque(capped_spans(spans))
    lost: dict[int, Unreadable] = {}
    while rest:
        readable = [span for span in rest if span.log not in lost]
        stream = read(day, readable)
        try:
            while rest:
                error = lost.get(rest[0].log)
                if error is None:
                    _, parts = next(stream)
                else:
                    left_out(rest[0].log, error)
                    parts = []
                yield rest.popleft(), parts
        except Unreadable as error:
            left = [span for span in rest if span.log not in lost]
            lost |= dict.fromkeys(_in_object(day, left, error), error) or _damaged(day, left, error)


def _in_object(day: datetime.date, spans: Sequence[Span], error: Unreadable) -> list[int]:
    """Return the logs of these spans that are in the object of an error, or in any object if the
    error has none, because the object store does not answer."""
    if not isinstance(error, ObjectUnreachable):
        return []
    keys_of = {span: packs.keys_of(span) for span in spans if span.place is not None}
    object_of = objects.keys_of_packs(day, {key for keys in keys_of.values() for key in keys})
    in_it = {pack for pack, key in object_of.items() if key in ("", error.key)}
    if not in_it and error.fault is Fault.UNREACHABLE:
        in_it = set(object_of)
    return [span.log for span, keys in keys_of.items() if not in_it.isdisjoint(keys)]


def _damaged(day: datetime.date, spans: Sequence[Span], error: Unreadable) -> dict[int, Unreadable]:
    """Return the first log of these spans that cannot be read separately, and its error. It is in
    the group that failed, which begins with the first span."""
    for span in spans:
        try:
            for _ in read(day, [span]):
                pass
        except Unreadable as own:
            return {span.log: own}
    return {spans[0].log: error}
