"""The one door in: a stream of records, applied in slices (DESIGN §4).

Nothing of a slice is acknowledged before it is committed. Sending a stream again accepts nothing
twice, and a stream that was cut goes on where it stopped.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

from joblogs import database, metrics, records
from joblogs.access import Writer
from joblogs.errors import BadRequest, Text

from . import fingerprints, parents, results
from .parents import Numbered, ScopeKey
from .report import Outcome, Reason, Refused, Report
from .stream import CUT, TOO_LONG, Block, Line

__all__ = ["Reason", "Refused", "Report", "ingest"]

SLICE_RECORDS = 5000
SLICE_BYTES = 8 * 1024 * 1024

Told = records.Stated | Refused
"""A record, or why a line is none."""

NO_RECORDS = Text("请求中没有任何记录", "The body holds no record")


def ingest(
    lines: Iterable[Line | Block],
    *,
    writer: Writer,
    progress: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Apply the records of numbered lines on a writer's behalf; `progress` hears of each slice.

    Raises BadRequest if there is not a single record, BodyTooLarge past a limit of the stream, and
    Unavailable if the database does not answer; slices before that are committed.
    """
    report = Report()
    named: dict[int, ScopeKey] = {}
    seen = False
    for slice_, unread in _slices(lines):
        seen = seen or bool(slice_ or unread.refused)
        with database.answering():
            outcomes = _apply(slice_, writer, named)
        outcomes.append(unread)
        report.add(outcomes)
        _count(outcomes)
        progress(report)
    if not seen:
        raise BadRequest(NO_RECORDS)
    return report


def _count(outcomes: Iterable[Outcome]) -> None:
    for outcome in outcomes:
        metrics.records_read(
            accepted=outcome.accepted,
            duplicates=outcome.duplicates,
            refused=[entry.reason.value for entry in outcome.refused],
            size=outcome.size,
        )


def _apply(slice_: list[Numbered], writer: Writer, named: dict[int, ScopeKey]) -> list[Outcome]:
    """Commit a slice: what became of it."""
    plan = parents.settle(slice_, writer=writer, named=named)
    outcomes = [plan.outcome]
    for work in sorted(plan.works.values(), key=lambda work: work.step.pk):
        outcome, rows = database.retrying(lambda work=work: _write_step(work))  # type: ignore[misc]
        outcomes.append(outcome)
        fingerprints.take(rows.touched())
    return outcomes


def _write_step(work: parents.StepWork) -> tuple[Outcome, results.StepRows]:
    try:
        return results.write(work)
    except results.Overtaken:
        work.step.job.refresh_from_db(fields=["expired_at"])
        return results.write(work)


def _slices(lines: Iterable[Line | Block]) -> Iterator[tuple[list[Numbered], Outcome]]:
    """Records in runs of bounded number and size, with the lines that are none."""
    slice_: list[Numbered] = []
    unread = Outcome()
    for number, told, size in _told(lines):
        unread.size += size
        if isinstance(told, Refused):
            unread.refused.append(told)
        elif told is not None:
            slice_.append((number, told))
        if len(slice_) + len(unread.refused) >= SLICE_RECORDS or unread.size >= SLICE_BYTES:
            yield slice_, unread
            slice_, unread = [], Outcome()
    if slice_ or unread.refused:
        yield slice_, unread


def _told(lines: Iterable[Line | Block]) -> Iterator[tuple[int, Told | None, int]]:
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


def _read(line: Line, *, first: bool) -> records.Record | Refused:
    """The record of a line, or why it is none."""
    if line.fault == TOO_LONG:
        limit = f"the line is longer than {records.LINE_MAX_BYTES} bytes"
        return Refused(line.number, None, Reason.TOO_LARGE, limit)
    if line.fault == CUT:
        return Refused(line.number, None, Reason.INVALID, line.data.decode())
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
