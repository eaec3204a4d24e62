"""Packs as they are stored: the only code that reads or writes LogPack.

A number of a step is given to one pack only, ever. So a pack that is there is the one that a row
named, and one that is not there was laid out anew: its logs say where they lie now.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from joblogs import database
from joblogs.models import LogPack

from .. import codec
from ..pieces import CHUNK_MAX_BYTES, Hole, Piece, join
from .spans import PackPlace, Span

PARTITIONS = database.Partitions(LogPack)
"""The day partitions of the packs, where there are any."""

STEPS_AT_ONCE = 400
"""As many steps as one statement asks for packs of."""

_FIELDS = ("day", "step_id", "number", "size", "newlines", "codec", "data")
_TABLE = LogPack._meta.db_table  # ours; everything else in a statement is a parameter
_OF_STEP = (
    f'SELECT step_id, number, codec, data FROM "{_TABLE}" '  # noqa: S608
    "WHERE day = %s AND step_id = %s AND number "
)

MARKS = (
    # As a number of 64 bits: a log may have more than 2,047 packs.
    f'SELECT (number - %s) * CAST({CHUNK_MAX_BYTES} AS bigint) AS "offset", size, newlines '  # noqa: S608
    f'FROM "{_TABLE}" WHERE day = %s AND step_id = %s AND number >= %s AND number <= %s'
)
"""Offset, size and newlines of the packs of a log that has its own (`mark_parameters`)."""


class PackKey(NamedTuple):
    """Key of a pack within its day."""

    step: int
    number: int


class StoredPack(NamedTuple):
    """Codec and bytes of a pack as they are stored."""

    codec: int
    data: bytes


class Pack(NamedTuple):
    """A pack to be written: its number and its text."""

    number: int
    text: bytes


def keys_of(span: Span) -> list[PackKey]:
    """The packs that hold a span, in their order."""
    step, number, start = span.place or PackPlace(0, 0, 0)
    first, last = (
        (start + span.start) // CHUNK_MAX_BYTES,
        (start + span.stop - 1) // CHUNK_MAX_BYTES,
    )
    return [PackKey(step, number + index) for index in range(first, last + 1)]


def mark_parameters(day: datetime.date, span: Span) -> list[Any]:
    """Parameters of MARKS for all packs of the log that a span is of."""
    first, *_ = keys = keys_of(span._replace(start=0, stop=span.size or span.stop))
    return [first.number, day, first.step, first.number, keys[-1].number]


def stored_packs(day: datetime.date, keys: Collection[PackKey]) -> dict[PackKey, StoredPack]:
    """Those of these packs that are there. One statement for as many as STEPS_AT_ONCE steps.

    Whoever needs the text of a pack gets its bytes here.
    """
    found: dict[PackKey, StoredPack] = {}
    steps = [(step, [key.number for key in own]) for step, own in groupby(sorted(keys), _step)]
    for start in range(0, len(steps), STEPS_AT_ONCE):
        parts, parameters = [], list[Any]()
        for step, numbers in steps[start : start + STEPS_AT_ONCE]:
            condition, values = database.any_of(numbers)
            parts.append(_OF_STEP + condition)
            parameters += [day, step, *values]
        for step, number, kind, data in database.fetch(" UNION ALL ".join(parts), parameters):
            found[PackKey(step, number)] = StoredPack(kind, data)
    return found


def _step(key: PackKey) -> int:
    return key.step


class PackedSpans:
    """Reader of spans of one day that are packed: each pack is fetched and decoded once.

    Decoded packs are kept as long as a span is to come that they hold; the caller bounds how many
    those are.
    """

    def __init__(self, day: datetime.date, spans: Iterable[Span]) -> None:
        self._uses = Counter(key for span in spans for key in keys_of(span))
        self._stored = stored_packs(day, self._uses)
        self._texts: dict[PackKey, bytes] = {}

    def parts(self, span: Span) -> list[bytes]:
        """The bytes of one of the spans, as parts to be joined. Raises Hole and other Unreadable
        errors."""
        place = span.place
        assert place is not None  # noqa: S101 - the caller asks for packed spans only
        pieces = []
        for key in keys_of(span):
            offset = (key.number - place.number) * CHUNK_MAX_BYTES - place.start
            text = self._text(key)
            if text is None:
                raise Hole(max(span.start, offset), None)
            pieces.append(Piece(offset, text))
        return join((span.start, span.stop), pieces)

    def _text(self, key: PackKey) -> bytes | None:
        text = self._texts.get(key)
        if text is None:
            stored = self._stored.get(key)
            if stored is None:
                return None
            text = self._texts[key] = codec.decode(*stored)
        self._uses[key] -= 1
        if self._uses[key] <= 0:
            self._texts.pop(key)
            self._stored.pop(key, None)
        return text


def insert(day: datetime.date, step: int, packs: Sequence[Pack]) -> None:
    """Store packs of a step. A pack that is there already is an error."""
    database.insert_rows(LogPack, _FIELDS, _rows(day, step, packs))


def _rows(day: datetime.date, step: int, packs: Sequence[Pack]) -> Iterator[tuple[Any, ...]]:
    for number, text in packs:
        kind, stored = codec.encode(text, level=codec.MERGED_LEVEL)
        yield day, step, number, len(text), text.count(b"\n"), kind, stored


def delete(day: datetime.date, keys: Collection[PackKey]) -> None:
    """Delete packs of a day. Part of the caller's transaction."""
    for step, own in groupby(sorted(keys), _step):
        numbers = [key.number for key in own]
        LogPack.objects.filter(database.InArray("number", numbers), day=day, step_id=step).delete()


def delete_of_steps(day: datetime.date, steps: Collection[int]) -> None:
    """Delete all packs of these steps. Part of the caller's transaction."""
    LogPack.objects.filter(database.InArray("step_id", steps), day=day).delete()


def keep_only(day: datetime.date, steps: Sequence[int]) -> None:
    """Delete a day's packs but for these steps'. Part of the caller's transaction."""
    if day in PARTITIONS.days():
        PARTITIONS.lock(day)
        PARTITIONS.keep_only(day, steps, column="step_id")
        return
    going = LogPack.objects.filter(day=day).order_by().values_list("step_id", flat=True).distinct()
    delete_of_steps(day, sorted(set(going) - set(steps)))


def replace(day: datetime.date, span: Span, data: bytes | bytearray) -> None:
    """Put other bytes, with the same newlines, where a packed log has as many already.

    The caller holds the lock of the host result, in a transaction; other logs of the pack may be
    changed by others, so the pack is locked too. Raises Hole if bytes are missing.
    """
    keys = keys_of(span)
    _lock(day, keys)
    stored, place = stored_packs(day, keys), span.place
    assert place is not None  # noqa: S101 - as above
    for key in keys:
        if key not in stored:
            raise Hole(span.start, None)
        text = bytearray(codec.decode(*stored[key]))
        offset = (key.number - place.number) * CHUNK_MAX_BYTES - place.start
        first, last = max(span.start, offset), min(span.stop, offset + len(text))
        if last < min(span.stop, offset + CHUNK_MAX_BYTES):
            raise Hole(last, None)
        text[first - offset : last - offset] = data[first - span.start : last - span.start]
        kind, packed = codec.encode(bytes(text), level=codec.MERGED_LEVEL)
        rows = LogPack.objects.filter(day=day, step_id=key.step, number=key.number)
        rows.update(codec=kind, data=packed)


def _lock(day: datetime.date, keys: Sequence[PackKey]) -> None:
    # All of one log, so of one step; ascending, and after the host result's lock.
    numbers = [key.number for key in keys]
    rows = LogPack.objects.filter(day=day, step_id=keys[0].step, number__in=numbers)
    list(rows.select_for_update().order_by("number").values_list("number", flat=True))
