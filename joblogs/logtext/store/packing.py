"""Moving of logs of finished steps from chunks into packs and back.

The caller holds the locks of the steps and of all given host results, each taken by ascending key,
in a transaction. Memory is bounded by PART_BYTES and PACKS_AT_ONCE packs for logs of any size.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

from joblogs import database
from joblogs.models import HostResult, StepInstance

from .. import codec
from ..pieces import CHUNK_MAX_BYTES, chunks
from . import Addition, append, delete, packs, read
from .chunks import Chunk, insert_stored
from .layout import Layout
from .spans import PACK_MAX_BYTES, PackKey, Span, span_of

PART_BYTES = 8 * 1024 * 1024
"""Maximum text of the logs that one transaction packs; a longer log is packed by itself."""
PACKS_AT_ONCE = 32

Steps = Mapping[int, StepInstance]
"""Steps by key; their `last_pack` is increased as numbers are assigned."""


def pack(day: datetime.date, steps: Steps, rows: Iterable[HostResult]) -> int:
    """Move logs of these steps from chunks into packs; return the number of packs.

    Raises Unreadable.
    """
    rows = [row for row in rows if row.held_size and row.pack is None]
    shared = [row for row in rows if row.held_size <= PACK_MAX_BYTES]
    spans = {row.pk: Span(row.pk, 0, row.held_size) for row in rows}
    made = _insert_shared(day, steps, shared, spans)
    for row in rows:
        if row.held_size > PACK_MAX_BYTES:
            made += _insert_own(day, steps[row.step_id], row, spans[row.pk])
    delete(day, [row.pk for row in rows])
    _save(steps, rows)
    return made


def pack_laid_out(day: datetime.date, step: StepInstance, row: HostResult, layout: Layout) -> int:
    """Move a long log to the packs that were prepared for it; return the number of packs.

    0 if the log was changed since: then nothing is done.
    """
    if row.held_size != layout.size or not layout.is_current(day, row.pk):
        return 0
    row.pack, row.pack_start = step.last_pack + 1, 0
    for rows in layout.rows(step.last_pack + 1):
        packs.insert_stored(day, step.pk, rows)
        step.last_pack += len(rows)
    delete(day, [row.pk])
    _save({step.pk: step}, [row])
    return step.last_pack - row.pack + 1


def unpack(
    day: datetime.date,
    step: StepInstance,
    rows: Sequence[HostResult],
    others: Iterable[HostResult],
    *,
    sizes: Mapping[int, int],
) -> None:
    """Move packed logs of a step back into chunks.

    `others` are all other logs in these packs: they get packs with new numbers. `sizes` has the
    bytes of each of `rows` in the packs. Raises Unreadable.
    """
    going = [Span(row.pk, 0, sizes[row.pk], place=span_of(row).place) for row in rows]
    left = {row.pk: span_of(row) for row in others}
    keys = _keys_of_all(day, [*going, *left.values()])
    for span in going:
        if _has_own_packs(span):
            _copy_to_chunks(day, span)
    for additions in _additions(day, [span for span in going if not _has_own_packs(span)]):
        append(day, additions, level=codec.MERGED_LEVEL)
    _insert_shared(day, {step.pk: step}, others, left)
    packs.delete(day, keys)
    for row in rows:
        row.pack = row.pack_start = None
    _save({step.pk: step}, [*rows, *others])


def check_packs(day: datetime.date, rows: Iterable[HostResult]) -> None:
    """Check that these logs, which are all logs of some packs, can be moved out of them. Raises
    Unreadable."""
    spans = [span_of(row) for row in rows]
    _keys_of_all(day, spans)
    # Own packs are copied without decoding.
    for _ in read(day, [span for span in spans if not _has_own_packs(span)]):
        pass


def _has_own_packs(span: Span) -> bool:
    return span.stop > PACK_MAX_BYTES


def _copy_to_chunks(day: datetime.date, span: Span) -> None:
    """Copy the packs of a long log to chunks with the same borders, without decoding them."""
    assert span.place is not None  # noqa: S101 - the caller has packed logs only
    first = span.place.number
    for rows in packs.rows_of_log(day, span):
        stored = [
            Chunk(
                (row.number - first) * CHUNK_MAX_BYTES, row.size, row.newlines, row.codec, row.data
            )
            for row in rows
        ]
        insert_stored(day, span.log, stored)


def _keys_of_all(day: datetime.date, spans: Sequence[Span]) -> set[PackKey]:
    """Return the packs of these logs. Raises Damaged if they contain anything else."""
    keys = {key for span in spans for key in packs.keys_of(span)}
    if packs.size_of(day, keys) != sum(span.stop for span in spans):
        raise codec.Damaged("packs hold other bytes than their logs")
    return keys


def _save(steps: Steps, rows: Collection[HostResult]) -> None:
    for row in rows:
        row.packed_size = None if row.pack is None else row.held_size
    database.save_columns(HostResult, ("pack", "pack_start", "packed_size"), rows)
    database.save_columns(StepInstance, ("last_pack",), steps.values())


def _additions(day: datetime.date, spans: Sequence[Span]) -> Iterator[list[Addition]]:
    """Yield the text of whole logs, about PART_BYTES at a time."""
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


def _insert_shared(
    day: datetime.date, steps: Steps, rows: Iterable[HostResult], spans: Mapping[int, Span]
) -> int:
    """Write logs to shared packs with new numbers, and set their places in the rows; return the
    number of packs."""
    made = 0
    texts = _shared_packs(day, steps, sorted(rows, key=attrgetter("step_id", "pk")), spans)
    # Read before writing: the connection can only do one of these at a time.
    while some := list(itertools.islice(texts, PACKS_AT_ONCE)):
        packs.insert(day, some)
        made += len(some)
    return made


def _shared_packs(
    day: datetime.date, steps: Steps, rows: Sequence[HostResult], spans: Mapping[int, Span]
) -> Iterator[packs.Pack]:
    texts = read(day, [spans[row.pk] for row in rows])
    for step, own in itertools.groupby(rows, key=attrgetter("step_id")):
        text = bytearray()
        for row in own:
            if text and len(text) + row.held_size > PACK_MAX_BYTES:
                yield packs.Pack(step, steps[step].last_pack, bytes(text))
                text.clear()
            if not text:
                steps[step].last_pack += 1
            row.pack, row.pack_start = steps[step].last_pack, len(text)
            text += b"".join(next(texts)[1])
        yield packs.Pack(step, steps[step].last_pack, bytes(text))


def _insert_own(day: datetime.date, step: StepInstance, row: HostResult, whole: Span) -> int:
    """Write a long log to its own packs; return their number."""
    before = step.last_pack
    row.pack, row.pack_start = before + 1, 0
    for _, parts in read(day, [whole]):
        # Spans of a long log end at a multiple of the size of a pack.
        texts = [piece.data for piece in chunks(0, b"".join(parts))]
        first, step.last_pack = step.last_pack + 1, step.last_pack + len(texts)
        packs.insert(
            day, [packs.Pack(step.pk, number, text) for number, text in enumerate(texts, first)]
        )
    return step.last_pack - before
