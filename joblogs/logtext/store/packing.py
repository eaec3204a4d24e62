"""Logs of a finished step moved from chunks into packs and back: no byte changes."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from joblogs import database
from joblogs.models import HostResult, StepInstance

from .. import codec
from ..pieces import chunks
from . import Addition, append, delete, packs, read
from .spans import PACK_MAX_BYTES, Span, place_of

PART_BYTES = 8 * 1024 * 1024
"""As much text as logs may have that one transaction packs; a longer log is packed by itself."""
PACKS_AT_ONCE = 32


def pack(day: datetime.date, step: StepInstance, rows: Sequence[HostResult]) -> int:
    """Move logs of a step from chunks into packs; how many packs that makes.

    The caller holds the locks of the step and of the host results, by ascending id, in a
    transaction. Memory is bounded by PART_BYTES, whatever the size of a log. Raises Unreadable.
    """
    first = step.last_pack
    rows = [row for row in rows if row.held_size and row.pack is None]
    shared = [row for row in rows if row.held_size <= PACK_MAX_BYTES]
    _insert_shared_packs(day, step, shared, [Span(row.pk, 0, row.held_size) for row in shared])
    for row in rows:
        if row.held_size > PACK_MAX_BYTES:
            row.pack, row.pack_start = step.last_pack + 1, 0
            _insert_own_packs(day, step, row)
    delete(day, [row.pk for row in rows])
    _save(step, rows)
    return step.last_pack - first


def unpack(
    day: datetime.date,
    step: StepInstance,
    rows: Sequence[HostResult],
    others: Sequence[HostResult],
    *,
    sizes: Mapping[int, int],
) -> None:
    """Move packed logs of a step back into chunks, and out of their packs.

    `others` are all others that lie in those packs: they get packs of new numbers. `sizes` are the
    bytes that the packs hold of each of `rows`. The caller holds the locks of the step and of all
    host results, by ascending id, in a transaction. Raises Unreadable.
    """
    left = [row for row in others if row.pack is not None]
    spans = {row.pk: Span(row.pk, 0, row.held_size, place=place_of(row)) for row in left}
    going = [Span(row.pk, 0, sizes[row.pk], place=place_of(row)) for row in rows]
    keys = {key for span in (*going, *spans.values()) for key in packs.keys_of(span)}
    for additions in _additions(day, going):
        append(day, additions, level=codec.MERGED_LEVEL)
    _insert_shared_packs(day, step, left, [spans[row.pk] for row in left])
    packs.delete(day, keys)
    for row in rows:
        row.pack = row.pack_start = None
    _save(step, [*rows, *left])


def _save(step: StepInstance, rows: Iterable[HostResult]) -> None:
    database.save_columns(HostResult, ("pack", "pack_start"), rows)
    database.save_columns(StepInstance, ("last_pack",), [step])


def _additions(day: datetime.date, spans: Sequence[Span]) -> Iterator[list[Addition]]:
    """The text of whole logs, PART_BYTES at a time."""
    some: list[Addition] = []
    size, ends = 0, dict.fromkeys((span.log for span in spans), 0)
    for span, parts in read(day, spans):
        # A long log comes in several runs.
        text = b"".join(parts)
        some.append(Addition(span.log, ends[span.log], text))
        ends[span.log] += len(text)
        size += len(text)
        if size >= PART_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _insert_shared_packs(
    day: datetime.date, step: StepInstance, rows: Sequence[HostResult], spans: Sequence[Span]
) -> None:
    """Lay out logs in packs that they share, of new numbers, and say so in their rows."""
    texts = _shared_packs(day, step, rows, spans)
    # Read before they are written: the connection does one of them at a time.
    while some := list(itertools.islice(texts, PACKS_AT_ONCE)):
        packs.insert(day, step.pk, some)


def _shared_packs(
    day: datetime.date, step: StepInstance, rows: Sequence[HostResult], spans: Sequence[Span]
) -> Iterator[packs.Pack]:
    """Packs of new numbers of logs that share them; their rows say so."""
    text = bytearray()
    for row, (_, parts) in zip(rows, read(day, spans), strict=True):
        if text and len(text) + row.held_size > PACK_MAX_BYTES:
            yield packs.Pack(step.last_pack, bytes(text))
            text.clear()
        if not text:
            step.last_pack += 1
        row.pack, row.pack_start = step.last_pack, len(text)
        text += b"".join(parts)
    if text:
        yield packs.Pack(step.last_pack, bytes(text))


def _insert_own_packs(day: datetime.date, step: StepInstance, row: HostResult) -> None:
    for _, parts in read(day, [Span(row.pk, 0, row.held_size)]):
        # Runs of a long log end at a multiple of the size of a pack.
        texts = [piece.data for piece in chunks(0, b"".join(parts))]
        numbers = range(step.last_pack + 1, step.last_pack + 1 + len(texts))
        packs.insert(day, step.pk, list(map(packs.Pack, numbers, texts)))
        step.last_pack = numbers[-1]
