"""A stream's lines as records, in slices that are applied together.

Pieces of one log that come with nothing else but pieces between them are one entry of a slice: what
follows looks at each log once, and the text is copied while it is still in the processor's cache.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import ClassVar, NamedTuple

from joblogs import records

from .report import Outcome, Reason, Refused
from .stream import CUT, TOO_LONG, Block, Line

SLICE_RECORDS = 5000
SLICE_BYTES = 8 * 1024 * 1024
RANGE_BYTES = 128
"""What a masked range that a record names takes in memory: ten times its text."""


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


Entry = records.Job | records.Step | records.HostResult | records.FileLog | Pieces
Numbered = tuple[int, Entry]
"""What a line says, or the first of some lines."""

_NOTHING = Line(0, b"")

_Told = records.Stated | Refused
"""A record, or why a line is none."""


class End(Enum):
    """Whether a stream goes on after a slice, has ended with it, or was cut there."""

    OPEN = auto()
    WHOLE = auto()
    CUT = auto()


class Slice(NamedTuple):
    """Records that are applied together, and the lines among them that are none."""

    entries: list[Numbered]
    unread: Outcome
    end: End = End.OPEN


def slices(lines: Iterable[Line | Block]) -> Iterator[Slice]:
    """Records in runs of bounded number and size, with the lines that are none."""
    slice_: list[Numbered] = []
    logs: dict[tuple[object, ...], Pieces] = {}
    unread, count, weight, cut = Outcome(), 0, 0, False
    for number, told, size in _told(lines):
        unread.size += size
        weight += size
        count += told is not None
        if isinstance(told, records.ScriptLog):
            log = (
                told.job_instance_id,
                told.step_instance_id,
                told.bk_scope_type,
                told.bk_scope_id,
                told.bk_host_id,
                told.execute_count,
                told.batch,
            )
            if (pieces := logs.get(log)) is None:
                pieces = logs[log] = Pieces(*log)
                slice_.append((number, pieces))
            pieces.lines.append(number)
            pieces.pieces.append((told.offset, told.data()))
        elif isinstance(told, Refused):
            unread.refused.append(told)
            cut = cut or told.cut
        elif told is not None:
            # It may be what decides about the pieces that come next.
            logs.clear()
            slice_.append((number, told))
            weight += RANGE_BYTES * len(getattr(told, "redacted", None) or ())
        told = None
        if count >= SLICE_RECORDS or weight >= SLICE_BYTES:
            yield Slice(slice_, unread)
            slice_, logs, unread, count, weight = [], {}, Outcome(), 0, 0
    # Also where it is empty: only now it is known that nothing follows.
    yield Slice(slice_, unread, End.CUT if cut else End.WHOLE)


def _told(lines: Iterable[Line | Block]) -> Iterator[tuple[int, _Told | None, int]]:
    """Number and size of each line, and what it says; None of the one that says what all are."""
    first = True
    for part in lines:
        if isinstance(part, Block) and (found := records.decode_all(part.lines)) is not None:
            yield from zip(itertools.count(part.number), found, map(len, part.lines))
            first = False
            continue
        for line in part.apart():
            told = _read(line, first=first)
            if isinstance(told, records.Archive):
                fault = _archive_fault(told, first=first)
                refused = Refused(line.number, "archive", Reason.INVALID, fault) if fault else None
                yield line.number, refused, len(line.data)
                if refused and first:
                    return
            else:
                yield line.number, told, len(line.data)
            first = False
        part = line = _NOTHING  # it may be long, and the next may be long in coming


def _read(line: Line, *, first: bool) -> records.Record | Refused:
    """The record of a line, or why it is none."""
    if line.fault == TOO_LONG:
        limit = f"the line is longer than {records.LINE_MAX_BYTES} bytes"
        return Refused(line.number, None, Reason.TOO_LARGE, limit)
    if line.fault == CUT:
        return Refused(line.number, None, Reason.INVALID, line.data.decode(), cut=True)
    data = line.data
    if first and data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        return records.decode(data)
    except records.InvalidRecord as error:
        return Refused(line.number, error.type, Reason.INVALID, str(error))


def _archive_fault(record: records.Archive, *, first: bool) -> str:
    if not first:
        return "an archive record is the first line"
    if record.format != records.FORMAT:
        return f"format {record.format!r} is not read here; {records.FORMAT!r} is"
    if record.version not in records.VERSIONS:
        read = ", ".join(map(str, records.VERSIONS))
        return f"version {record.version} is not read here (read: {read}); the rest was left alone"
    return ""
