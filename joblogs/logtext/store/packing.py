"""Logs of a finished step moved from chunks into packs: no byte changes."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from joblogs import database
from joblogs.models import HostResult, StepInstance

from ..pieces import chunks
from . import delete, packs, read
from .spans import PACK_MAX_BYTES, Span

PART_BYTES = 8 * 1024 * 1024
"""As much text as logs may have that one transaction packs; a longer log is packed by itself."""


def pack(day: datetime.date, step: StepInstance, rows: Sequence[HostResult]) -> int:
    """Move logs of a step from chunks into packs; how many packs that makes.

    The caller holds the locks of the step and of the host results, by ascending id, in a
    transaction. Memory is bounded by PART_BYTES, whatever the size of a log. Raises Unreadable.
    """
    first = step.last_pack
    rows = [row for row in rows if row.held_size and row.pack is None]
    shared = [row for row in rows if row.held_size <= PACK_MAX_BYTES]
    # Read before it is written: the connection can do one of them at a time.
    packs.insert(day, step.pk, list(_shared_packs(day, step, shared)))
    for row in rows:
        if row.held_size > PACK_MAX_BYTES:
            row.pack, row.pack_start = step.last_pack + 1, 0
            _insert_own_packs(day, step, row)
    delete(day, [row.pk for row in rows])
    database.save_columns(HostResult, ("pack", "pack_start"), rows)
    database.save_columns(StepInstance, ("last_pack",), [step])
    return step.last_pack - first


def _shared_packs(
    day: datetime.date, step: StepInstance, rows: Sequence[HostResult]
) -> Iterator[packs.Pack]:
    texts = read(day, [Span(row.pk, 0, row.held_size) for row in rows])
    text = bytearray()
    for row, (_, parts) in zip(rows, texts, strict=True):
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
