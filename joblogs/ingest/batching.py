"""Batches: the records of a stream's lines that are applied together.

Pieces of one log that come with nothing else but pieces between them are one entry of a batch: what
follows looks at each log once, and the text is copied while it is still in the processor's cache.
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
from .stream import CUT, TOO_LONG, Block, Line

BATCH_RECORDS = 5000
BATCH_BYTES = 8 * 1024 * 1024
RANGE_BYTES = 512
"""What a masked range that a record names weighs: it and its copies, which its text tells not."""


@dataclass(slots=True)
class Pieces:
    """Pieces of a script's log, in their order; all but where each starts and what it holds."""

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
"""A line's number and entry; of pieces, the number of the first line."""


def refused(line: int, entry: Entry, reason: Reason, message: str) -> list[Refused]:
    """The records of an entry, refused."""
    if isinstance(entry, Pieces):
        return [Refused(number, entry.type_name, reason, message) for number in entry.lines]
    return [Refused(line, record_json.type_name(entry), reason, message)]


_NOTHING = Line(0, b"")

_Decoded = records.Stated | Refused
"""A record, or why a line is none."""


class End(Enum):
    """Whether a stream goes on after a batch, has ended with it, or was cut there."""

    OPEN = auto()
    WHOLE = auto()
    CUT = auto()


class Batch(NamedTuple):
    """Records that are applied together, and the lines among them that are none."""

    entries: list[Numbered]
    unread: Outcome
    end: End = End.OPEN


def batches(lines: Iterable[Line | Block]) -> Iterator[Batch]:
    """Batches of bounded number and size, with the lines that are no records."""
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
            # It may be what decides about the pieces that come next.
            logs.clear()
            entries.append((number, record))
            if isinstance(record, records.HostResult | records.FileLog) and record.redacted:
                weight += RANGE_BYTES * len(record.redacted)
                record.redacted = declared(record.redacted)
        record = None
        if count >= BATCH_RECORDS or weight >= BATCH_BYTES:
            yield Batch(entries, unread)
            entries, logs, unread, count, weight = [], {}, Outcome(), 0, 0
    # Also where it is empty: only now it is known that nothing follows.
    yield Batch(entries, unread, End.CUT if cut else End.WHOLE)


def _decode_lines(lines: Iterable[Line | Block]) -> Iterator[tuple[int, _Decoded | None, int]]:
    """Each line's number, record or refusal, and size; None for the archive record."""
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
        part = line = _NOTHING  # it may be long, and the next may be long in coming


def _decode(line: Line, *, first: bool) -> records.Record | Refused:
    """The record of a line, or why it is none."""
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
        # That the stream was cut there, if it is the last line.
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
