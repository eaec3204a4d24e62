"""Grouping of a stream's records into batches, which are applied together.

Pieces of one log with only other pieces between them are one entry of a batch, so that each log is
processed once, and its text is copied while it is still in the processor's cache.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import ClassVar, NamedTuple

from joblogs import record_json, records
from joblogs.logtext.mask_ranges import declared

from .report import Outcome, Reason, Refused
from .stream import CUT, TOO_LONG, Block, RecordLine

BATCH_RECORDS = 5000
BATCH_BYTES = 8 * 1024 * 1024
RANGE_BYTES = 512
"""Memory of a masked range of a record, with its copies, which the size of its line understates."""


@dataclass(slots=True)
class Pieces:
    """Consecutive pieces of one script log, with the fields that they share."""

    job_instance_id: int
    step_instance_id: int
    bk_scope_type: records.ScopeTypeName | None
    bk_scope_id: str | None
    bk_host_id: int
    execute_count: int | None
    batch: int | None
    lines: list[int] = field(default_factory=list)
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    """Offset and bytes of each."""

    type_name: ClassVar = "script_log"


OfHost = records.HostResult | records.FileLog | Pieces
"""An entry about a host of a step."""
Entry = records.Job | records.Step | OfHost
Numbered = tuple[int, Entry]
"""An entry with its line number; for pieces, that of the first line."""


def refused(line: int, entry: Entry, reason: Reason, message: str) -> list[Refused]:
    """Return a refusal for each record of an entry."""
    if isinstance(entry, Pieces):
        return [Refused(number, entry.type_name, reason, message) for number in entry.lines]
    return [Refused(line, record_json.type_name(entry), reason, message)]


_NOTHING = RecordLine(0, b"")

_Decoded = records.Stated | Refused
"""A record, or the refusal of a line that is not a record."""


class End(Enum):
    """Choices of a stream's state after a batch: it continues, has ended, or was cut."""

    OPEN = auto()
    WHOLE = auto()
    CUT = auto()


class Batch(NamedTuple):
    """NamedTuple of records that are applied together, and of refused lines among them."""

    entries: list[Numbered]
    unread: Outcome
    end: End = End.OPEN


def batches(lines: Iterable[RecordLine | Block]) -> Iterator[Batch]:
    """Yield batches of limited number and size, with the lines that are not records."""
    entries: list[Numbered] = []
    logs: dict[tuple[object, ...], Pieces] = {}
    unread, count, weight, cut = Outcome(), 0, 0, False
    for number, record, size in _decode_lines(lines):
        unread.size += size
        weight += size
        count += record is not None
        cut = isinstance(record, Refused) and record.cut
        if isinstance(record, records.ScriptLog):
            log = (
                record.job_instance_id,
                record.step_instance_id,
                record.bk_scope_type,
                record.bk_scope_id,
                record.bk_host_id,
                record.execute_count,
                record.batch,
            )
            if (pieces := logs.get(log)) is None:
                pieces = logs[log] = Pieces(*log)
                entries.append((number, pieces))
            pieces.lines.append(number)
            pieces.pieces.append((record.offset, record.data()))
        elif isinstance(record, Refused):
            unread.refused.append(record)
        elif record is not None:
            # Later pieces may depend on this record, so they start a new entry.
            logs.clear()
            entries.append((number, record))
            if isinstance(record, records.HostResult | records.FileLog) and record.redacted:
                weight += RANGE_BYTES * len(record.redacted)
                record.redacted = declared(record.redacted)
        record = None
        if count >= BATCH_RECORDS or weight >= BATCH_BYTES:
            yield Batch(entries, unread)
            entries, logs, unread, count, weight = [], {}, Outcome(), 0, 0
    # Even if it is empty: only now is it known that nothing follows.
    yield Batch(entries, unread, End.CUT if cut else End.WHOLE)


def _decode_lines(
    lines: Iterable[RecordLine | Block],
) -> Iterator[tuple[int, _Decoded | None, int]]:
    """Yield each line's number, record or refusal, and size; None for the archive record."""
    first = True
    for part in lines:
        if isinstance(part, Block) and (decoded := record_json.decode_all(part.lines)) is not None:
            yield from zip(itertools.count(part.number), decoded, map(len, part.lines))
            first = False
            continue
        for line in part.apart():
            record = _decode(line, first=first)
            if isinstance(record, records.Archive):
                fault = _archive_fault(record, first=first)
                refused = Refused(line.number, "archive", Reason.INVALID, fault) if fault else None
                yield line.number, refused, len(line.data)
                if refused and first:
                    return
            else:
                yield line.number, record, len(line.data)
            first = False
        part = line = _NOTHING  # free its memory while waiting for the next part


def _decode(line: RecordLine, *, first: bool) -> records.Record | Refused:
    """Return the record of a line, or its refusal."""
    if line.fault == TOO_LONG:
        limit = f"the line is longer than {record_json.LINE_MAX_BYTES} bytes"
        return Refused(line.number, None, Reason.TOO_LARGE, limit)
    if line.fault == CUT:
        return Refused(line.number, None, Reason.INVALID, line.data.decode(), cut=True)
    data = line.data
    if first and data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        return record_json.decode(data)
    except record_json.InvalidRecord as error:
        # Incomplete JSON in the last line means that the stream was cut there.
        cut = record_json.ends_early(data)
        return Refused(line.number, error.type, Reason.INVALID, str(error), cut=cut)


def _archive_fault(record: records.Archive, *, first: bool) -> str:
    if not first:
        return "an archive record is the first line"
    if record.format != records.FORMAT:
        return f"format {record.format!r} is not read here; {records.FORMAT!r} is"
    if record.version not in records.VERSIONS:
        read = ", ".join(map(str, records.VERSIONS))
        return f"version {record.version} is not read here (read: {read}); the rest was left alone"
    return ""
