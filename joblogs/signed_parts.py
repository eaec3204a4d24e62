"""Signatures of parts of steps: access to the tables SignedPart and SignatureRow.

A part is valid only while its step has not changed (`ChangedStep`), so signatures may be late but
never wrong. Code that masks or removes text clears its parts in the same transaction: their columns
are removed from the rows of the block, not only marked as unused.
"""

from __future__ import annotations

import datetime
import itertools
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet, Sum

from joblogs import database
from joblogs.models import ChangedStep, SignatureRow, SignedPart
from joblogs.signatures import PatternPlaces, Signature, Table

VERSION = 4
"""Version of the algorithm that signs texts; signatures of other versions are ignored."""
PARTITIONS = (database.Partitions(SignedPart), database.Partitions(SignatureRow))
"""Day partitions of the tables."""
FIRST_HOST, LAST_HOST = 0, 2**63 - 1
"""`first_host` of the first part of a step, and `last_host` of its last part."""

_LOCK = "signatures"
_PART_FIELDS = ("day", "step_id", "first_host", "last_host", "size", "version", "block", "slot")
_ROW_FIELDS = ("day", "page", "block", "bits", "width", "data")
_ROW_TABLE, _PART_TABLE = SignatureRow._meta.db_table, SignedPart._meta.db_table
_AT_ONCE = 500
FIRST_PLACES = 8  # all of them are marked by chance in one of some thousand texts


class NewPart(NamedTuple):
    """NamedTuple of a new part; without a signature it is always searched. `size` is in bytes."""

    step_id: int
    first_host: int
    last_host: int
    size: int
    signature: Signature | None


class PartRow(NamedTuple):
    """NamedTuple of a signed part's row."""

    step_id: int
    first_host: int
    last_host: int
    size: int
    block: int | None
    slot: int | None


def changed(steps: Collection[int]) -> set[int]:
    """Return the keys of ChangedStep rows of these steps that maintenance has not processed."""
    rows = ChangedStep.objects.filter(database.InArray("step_id", steps))
    return set(rows.values_list("pk", flat=True))


def changed_steps(steps: Collection[int]) -> set[int]:
    """Return the steps among these that changed since maintenance processed them."""
    if not ChangedStep.objects.exists():
        return set()  # the usual case, which saves sending the keys
    rows = ChangedStep.objects.filter(database.InArray("step_id", steps))
    return set(rows.values_list("step_id", flat=True))


def _parts(day: datetime.date, steps: Collection[int]) -> QuerySet[SignedPart]:
    return SignedPart.objects.filter(database.InArray("step_id", steps), day=day)


def unsigned(day: datetime.date, steps: Collection[int]) -> list[int]:
    """Return the steps among these of a day that are not signed completely, ascending."""
    whole = _parts(day, steps).filter(last_host=LAST_HOST, version=VERSION)
    return sorted(set(steps) - set(whole.values_list("step_id", flat=True)))


def sizes(day: datetime.date, steps: Collection[int]) -> dict[int, int]:
    """Return the bytes of text that are signed, by step, for these steps of a day."""
    parts = _parts(day, steps).order_by()
    return dict(parts.values_list("step_id").annotate(Sum("size")))


def parts_of(day: datetime.date, steps: Collection[int]) -> dict[int, list[PartRow]]:
    """Return the parts of these steps of a day, by step, ordered by host."""
    rows = _parts(day, steps).filter(version=VERSION).order_by("step_id", "first_host")
    parts: dict[int, list[PartRow]] = defaultdict(list)
    for values in rows.values_list(*PartRow._fields):
        parts[values[0]].append(PartRow(*values))
    return parts


def write(day: datetime.date, parts: Sequence[NewPart], known: Collection[int]) -> int:
    """Write parts of steps of a day in the caller's transaction; return how many were written.

    The first part of a step replaces its existing parts. Steps that changed meanwhile are left out:
    they have other ChangedStep rows than those `known` before the text was read.
    """
    database.take_lock(_LOCK)
    steps = {part.step_id for part in parts}
    late = ChangedStep.objects.filter(database.InArray("step_id", steps)).exclude(
        database.InArray("pk", known)
    )
    steps -= set(late.values_list("step_id", flat=True))
    parts = [part for part in parts if part.step_id in steps]
    forget(day, {part.step_id for part in parts if part.first_host == FIRST_HOST})
    marked = [part for part in parts if part.signature is not None and part.size]
    others = [part for part in parts if part.signature is None or not part.size]
    database.insert_rows(
        SignedPart,
        _PART_FIELDS,
        ((day, *part[:4], VERSION, None if part.size == 0 else 0, None) for part in others),
    )
    placed = _write_blocks(day, [part.signature for part in marked if part.signature])
    database.insert_rows(
        SignedPart,
        _PART_FIELDS,
        ((day, *marked[index][:4], VERSION, block, slot) for index, block, slot in placed),
    )
    return len(parts)


def _write_blocks(
    day: datetime.date, signatures: Sequence[Signature]
) -> list[tuple[int, int, int]]:
    """Write signatures in new blocks; return the index, block and slot of each."""
    order = sorted(range(len(signatures)), key=lambda index: signatures[index].bits)
    placed = []
    number = time.time_ns() // 1000  # never reused, because readers may still look for a block
    for bits, own in itertools.groupby(order, key=lambda index: signatures[index].bits):
        while some := list(itertools.islice(own, Table.capacity(bits))):
            table, rows = Table.of([signatures[index] for index in some])
            number += 1
            database.insert_rows(
                SignatureRow,
                _ROW_FIELDS,
                ((day, page, number, bits, table.width, data) for page, data in table.pages(rows)),
            )
            placed += [(index, number, slot) for slot, index in enumerate(some)]
    return placed


def forget(day: datetime.date, steps: Collection[int]) -> None:
    """Delete parts of a day's steps, in a transaction; `tidy` removes them from their blocks."""
    _parts(day, steps).delete()


def clear(day: datetime.date, steps: Collection[int]) -> None:
    """Delete the parts of a day's steps and their columns in the rows of blocks, in the caller's
    transaction."""
    parts = _parts(day, steps)
    database.take_lock(_LOCK)
    blocks = {block for block in parts.exclude(slot=None).values_list("block", flat=True) if block}
    parts.delete()
    for block in sorted(blocks):
        _rewrite(day, [block])


def tidy(day: datetime.date) -> None:
    """Rewrite blocks that are half empty, merged, in the caller's transaction."""
    database.take_lock(_LOCK)
    heads = SignatureRow.objects.filter(day=day, page=0).order_by("bits", "block")
    living = SignedPart.objects.filter(day=day).exclude(slot=None).values_list("block", flat=True)
    used: dict[int, int] = defaultdict(int)
    for block in living.iterator(5000):
        used[block or 0] += 1
    for bits, own in itertools.groupby(list(heads.defer("data")), key=attrgetter("bits")):
        capacity = Table.capacity(bits)
        sparse = [(row.block, row.width) for row in own if used[row.block] * 2 <= capacity]
        if len(sparse) > 1 or any(used[block] * 2 <= width for block, width in sparse):
            for blocks in _together([block for block, _ in sparse], used, capacity):
                _rewrite(day, blocks)


def _together(blocks: Sequence[int], used: dict[int, int], most: int) -> Iterable[list[int]]:
    some: list[int] = []
    for block in blocks:
        if some and sum(used[other] for other in some) + used[block] > most:
            yield some
            some = []
        some.append(block)
    if some:
        yield some


def _rewrite(day: datetime.date, blocks: Sequence[int]) -> None:
    """Rewrite some blocks of one size with the parts that are left in them."""
    living = SignedPart.objects.filter(database.InArray("block", blocks), day=day)
    # Locked: code that deletes a part meanwhile waits, and then deletes the rewritten part.
    parts = list(living.exclude(slot=None).select_for_update().order_by("step_id", "first_host"))
    signatures: list[Signature] = []
    ordered = []
    for block in blocks:
        own = [part for part in parts if part.block == block]
        rows = SignatureRow.objects.filter(day=day, block=block).order_by("page")
        pages = list(rows.values_list("bits", "width", "data"))
        if own:
            table = Table(pages[0][0], pages[0][1])
            data = b"".join(bytes(page) for _, _, page in pages)
            slots = [part.slot for part in own if part.slot is not None]
            signatures += table.signatures(data, slots)
            ordered += own
    placed = _write_blocks(day, signatures)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {connection.ops.quote_name(_PART_TABLE)} SET block = %s, slot = %s "  # noqa: S608 - our names
            "WHERE day = %s AND step_id = %s AND first_host = %s",
            [
                (block, slot, day, ordered[index].step_id, ordered[index].first_host)
                for index, block, slot in placed
            ],
        )
    SignatureRow.objects.filter(database.InArray("block", blocks), day=day).delete()


def empty_day(day: datetime.date) -> None:
    """Delete a day, in the caller's transaction. Raise OperationalError if it is in use."""
    for partitions, model in zip(PARTITIONS, (SignedPart, SignatureRow), strict=True):
        if day in partitions.days():
            partitions.lock(day)
            partitions.keep_only(day, [])
        else:
            model._default_manager.filter(day=day).delete()


def sweep_rows(day: datetime.date) -> None:
    """Delete the rows of a day that has no parts left, in the caller's transaction."""
    database.take_lock(_LOCK)
    if not SignedPart.objects.filter(day=day).exists():
        SignatureRow.objects.filter(day=day).delete()


def possible(day: datetime.date, parts: Iterable[PartRow], places: PatternPlaces) -> list[PartRow]:
    """Return the parts of a day in which a pattern may match, with at most three statements.

    All places are looked up only in blocks for which a few places leave parts. A block that was
    rewritten meanwhile excludes no part.
    """
    of_block: dict[int, list[PartRow]] = defaultdict(list)
    chosen = list[PartRow]()
    for part in parts:
        if part.block is not None and part.slot is not None:
            of_block[part.block].append(part)
        elif part.block is not None:
            chosen.append(part)  # it has text but no signature
    tables = _tables(day, of_block)
    data: dict[tuple[int, int], bytes] = {}
    for some in (places.some(FIRST_PLACES), places.all):
        left = [(block, table) for block, table in tables.items() if of_block[block]]
        wanted = {(table.where(place)[0], block) for block, table in left for place in some}
        data |= _pages(day, sorted(wanted.difference(data)))
        for block, table in left:
            columns, last = _columns(table, block, data, places), table.width - 1
            own = of_block[block]
            of_block[block] = [part for part in own if columns >> (last - (part.slot or 0)) & 1]
    return [*chosen, *itertools.chain.from_iterable(of_block.values())]


def _columns(
    table: Table, block: int, data: dict[tuple[int, int], bytes], places: PatternPlaces
) -> int:
    def row(place: int) -> int:
        page, at = table.where(place)
        if (page, block) not in data:
            return table.every
        return table.row(data[page, block], at)

    return places.columns(row, table.every)


def _tables(day: datetime.date, blocks: Collection[int]) -> dict[int, Table]:
    heads = SignatureRow.objects.filter(database.InArray("block", blocks), day=day, page=0)
    return {
        block: Table(bits, width)
        for block, bits, width in heads.values_list("block", "bits", "width")
    }


def _pages(day: datetime.date, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    found: dict[tuple[int, int], bytes] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        marks = ", ".join(["(%s, %s)"] * len(some))
        # In this order, so that each of them is one index lookup.
        statement = (
            f"WITH wanted(page, block) AS (VALUES {marks}) "  # noqa: S608 - our names
            f"SELECT wanted.page, wanted.block, held.data FROM wanted CROSS JOIN {_ROW_TABLE} held "
            "WHERE held.day = %s AND held.page = wanted.page AND held.block = wanted.block"
        )
        parameters = [*itertools.chain.from_iterable(some), day]
        for page, block, data in database.fetch(statement, parameters):
            found[page, block] = bytes(data)
    return found
