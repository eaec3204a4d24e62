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
"""Called with the id of a log's host result, before a span of it is given that has no part."""


def read_apart(
    day: datetime.date, spans: Iterable[Span], left_out: LeftOut
) -> Iterator[tuple[Span, list[bytes]]]:
    """What `read` gives; of a log that cannot be read, this span and later ones have no part.

    An object that is out of reach is asked for once in a group, whatever the number of logs in it.
    Of a group with a damaged log those before it are read by themselves, to find it.
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
    """The logs of these spans that lie in the object which an error is about; where it names none,
    as the object store does not answer at all, those that lie in any."""
    if not isinstance(error, ObjectUnreachable):
        return []
    keys_of = {span: packs.keys_of(span) for span in spans if span.place is not None}
    object_of = objects.keys_of_packs(day, {key for keys in keys_of.values() for key in keys})
    in_it = {pack for pack, key in object_of.items() if key in ("", error.key)}
    if not in_it and error.fault is Fault.UNREACHABLE:
        in_it = set(object_of)
    return [span.log for span, keys in keys_of.items() if not in_it.isdisjoint(keys)]


def _damaged(day: datetime.date, spans: Sequence[Span], error: Unreadable) -> dict[int, Unreadable]:
    """The first log of these spans that cannot be read by itself, and why; it is in the group that
    failed, which the first span begins."""
    for span in spans:
        try:
            for _ in read(day, [span]):
                pass
        except Unreadable as own:
            return {span.log: own}
    return {spans[0].log: error}
