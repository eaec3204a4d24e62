"""Signatures of parts of steps: all that reads or writes the tables SignedPart and SignatureRow.

A part counts only while its step did not change (`ChangedStep`), so signatures may be late but
never wrong. Whoever masks or removes text clears its parts in the same transaction: their columns
are taken out of the block's rows, not only forgotten.
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

VERSION = 3
"""Of how texts are read and marked; signatures of another one do not count."""
PARTITIONS = (database.Partitions(SignedPart), database.Partitions(SignatureRow))
"""The day partitions, where there are any."""
FIRST_HOST, LAST_HOST = 0, 2**63 - 1
"""What the first part of a step says of its first host, and the last of its last one."""

_LOCK = "signatures"
_PART_FIELDS = ("day", "step_id", "first_host", "last_host", "size", "version", "block", "slot")
_ROW_FIELDS = ("day", "page", "block", "bits", "width", "data")
_ROW_TABLE, _PART_TABLE = SignatureRow._meta.db_table, SignedPart._meta.db_table
_AT_ONCE = 500
FIRST_PLACES = 8  # one text in some thousands has all of them marked without holding the needle


class NewPart(NamedTuple):
    """A part that was signed; without a signature it is always searched. `size`: bytes of text."""

    step_id: int
    first_host: int
    last_host: int
    size: int
    signature: Signature | None


class Part(NamedTuple):
    """A part as it is stored."""

    step_id: int
    first_host: int
    last_host: int
    size: int
    block: int | None
    slot: int | None


def changed(steps: Collection[int]) -> set[int]:
    """Rows that say that these steps changed, and that maintenance did not look at yet."""
    rows = ChangedStep.objects.filter(database.InArray("step_id", steps))
    return set(rows.values_list("pk", flat=True))


def changed_steps(steps: Collection[int]) -> set[int]:
    """Those of these steps that changed since maintenance looked at them."""
    if not ChangedStep.objects.exists():
        return set()  # as nearly always: their keys need not be sent
    rows = ChangedStep.objects.filter(database.InArray("step_id", steps))
    return set(rows.values_list("step_id", flat=True))


def _parts(day: datetime.date, steps: Collection[int]) -> QuerySet[SignedPart]:
    return SignedPart.objects.filter(database.InArray("step_id", steps), day=day)


def unsigned(day: datetime.date, steps: Collection[int]) -> list[int]:
    """Those of a day's steps that are not signed to the end, ascending."""
    whole = _parts(day, steps).filter(last_host=LAST_HOST, version=VERSION)
    return sorted(set(steps) - set(whole.values_list("step_id", flat=True)))


def sizes(day: datetime.date, steps: Collection[int]) -> dict[int, int]:
    """Bytes of text that were signed of a day's steps, as far as they were."""
    parts = _parts(day, steps).order_by()
    return dict(parts.values_list("step_id").annotate(Sum("size")))


def parts_of(day: datetime.date, steps: Collection[int]) -> dict[int, list[Part]]:
    """The parts of a day's steps, by step, in the order of their hosts."""
    rows = _parts(day, steps).filter(version=VERSION).order_by("step_id", "first_host")
    parts: dict[int, list[Part]] = defaultdict(list)
    for values in rows.values_list(*Part._fields):
        parts[values[0]].append(Part(*values))
    return parts


def write(day: datetime.date, parts: Sequence[NewPart], known: Collection[int]) -> int:
    """Write parts of steps of a day, the first of a step in place of those that it has; how many.

    Part of the caller's transaction. Steps are left out that changed meanwhile: there are more rows
    that say so than those `known` before the text was read.
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
    """Write signatures in new blocks: of each its index here, its block and slot."""
    order = sorted(range(len(signatures)), key=lambda index: signatures[index].bits)
    placed = []
    number = time.time_ns() // 1000  # never given out again, as a reader may still ask for it
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
    """Delete parts of a day's steps; `tidy` takes them out of their blocks. In a transaction."""
    _parts(day, steps).delete()


def clear(day: datetime.date, steps: Collection[int]) -> None:
    """Delete the parts of a day's steps, and their columns from the rows. Part of the caller's
    transaction."""
    parts = _parts(day, steps)
    database.take_lock(_LOCK)
    blocks = {block for block in parts.exclude(slot=None).values_list("block", flat=True) if block}
    parts.delete()
    for block in sorted(blocks):
        _rewrite(day, [block])


def tidy(day: datetime.date) -> None:
    """Write blocks that are half empty anew, together. Part of the caller's transaction."""
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
    """Write some blocks of one size anew, as far as there are parts in them."""
    living = SignedPart.objects.filter(database.InArray("block", blocks), day=day)
    # Whoever deletes a part meanwhile waits for these, and deletes what they are by then.
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
    """Delete a day. Part of the caller's transaction. Raises OperationalError if it is in use."""
    for partitions, model in zip(PARTITIONS, (SignedPart, SignatureRow), strict=True):
        if day in partitions.days():
            partitions.lock(day)
            partitions.keep_only(day, [])
        else:
            model._default_manager.filter(day=day).delete()


def sweep_rows(day: datetime.date) -> None:
    """Delete the rows of a day of which no part is left. Part of the caller's transaction."""
    database.take_lock(_LOCK)
    if not SignedPart.objects.filter(day=day).exists():
        SignatureRow.objects.filter(day=day).delete()


def possible(day: datetime.date, parts: Iterable[Part], places: PatternPlaces) -> list[Part]:
    """Those of a day's parts in which a pattern may match. Three statements, however many they are.

    All places are looked up where some of them leave parts. A block that was written anew meanwhile
    denies nothing.
    """
    of_block: dict[int, list[Part]] = defaultdict(list)
    chosen = list[Part]()
    for part in parts:
        if part.block is not None and part.slot is not None:
            of_block[part.block].append(part)
        elif part.block is not None:
            chosen.append(part)  # it has text, and no signature
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
        # In this order: each of them is one look into the index.
        statement = (
            f"WITH wanted(page, block) AS (VALUES {marks}) "  # noqa: S608 - our names
            f"SELECT wanted.page, wanted.block, held.data FROM wanted CROSS JOIN {_ROW_TABLE} held "
            "WHERE held.day = %s AND held.page = wanted.page AND held.block = wanted.block"
        )
        parameters = [*itertools.chain.from_iterable(some), day]
        for page, block, data in database.fetch(statement, parameters):
            found[page, block] = bytes(data)
    return found
