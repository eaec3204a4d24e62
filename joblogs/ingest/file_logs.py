"""File logs of one step: created or merged by task key, their content by the rules of pieces.

Runs within the transaction of `results.write`, with the owners' host results locked.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from joblogs import database, records
from joblogs.logtext.mask_ranges import HELD_RANGE_BYTES, RANGES_MAX
from joblogs.logtext.pieces import GrowingLog, Piece, Verdict
from joblogs.models import FileLog, HostResult, StepInstance

from . import masking, precedence, task_keys
from .finishes import Finishes
from .held_finishes import FILE_LOG, Finish, PendingRows
from .hierarchy import StepWork
from .log_update import log_of
from .overlaps import Overlaps
from .report import REASONS, Outcome, Reason, Refused, expired_message, refused_piece

CONTENT_MAX_BYTES = 1024 * 1024
"""Most bytes of content that a file log keeps; more bytes are only counted."""
GROUP_BYTES = 8 * 1024 * 1024

_RECORD_COLUMNS = ("status", "size", "speed", "process", "update_time")
_SIDES = ("src", "dest")
_HOST_COLUMNS = {"host_id": "bk_host_id", "cloud_id": "bk_cloud_id", "ip": "ip", "ipv6": "ipv6"}
"""Columns of source or target host, without their prefix, and the fields of a `HostRef`."""
_SAVED_COLUMNS = (
    *_RECORD_COLUMNS,
    *(f"{side}_{column}" for side in _SIDES for column in (*_HOST_COLUMNS, "path")),
    *("received_size", "held_size", "truncated"),
)
_LARGE_COLUMNS = ("content", "redacted")
_MASK_COLUMNS = ("redacted", "masked", "mask_pending", "mask_rule", "mask_prefix")

Key = tuple[int, int, bytes]
Entry = task_keys.Entry


@dataclass(slots=True)
class _Task:
    """A file transfer and the batch's records of it, in order."""

    key: Key
    row: FileLog | None
    entries: list[Entry] = field(default_factory=list)
    log: GrowingLog | None = None
    changed: bool = False
    refuses_pieces: bool = False

    @property
    def has_pieces(self) -> bool:
        return any(record.offset is not None for _, record, _ in self.entries)

    @property
    def pieces(self) -> list[Piece]:
        pieces_of = ((record.offset, record.data()) for _, record, _ in self.entries)
        return [Piece(offset, data) for offset, data in pieces_of if offset is not None and data]

    @property
    def weight(self) -> int:
        """Bytes of content that are loaded into memory to process the task."""
        read = 0
        if self.row and self.has_pieces:
            read = self.row.held_size + HELD_RANGE_BYTES * min(self.row.masked, RANGES_MAX)
        return read + sum(len(record.data() or b"") for _, record, _ in self.entries)


def write(
    work: StepWork, entries: list[Entry], finishes: Finishes, outcome: Outcome, *, last: bool
) -> dict[int, Finish | None]:
    """Apply file_log records; the host result in each `Entry` owns the file log and is stored.

    Return the same as `PendingRows.held_back`. `last`: the stream has ended with this batch.
    """
    step = work.step
    held_back: dict[int, Finish | None] = {}
    by_key: dict[Key, list[Entry]] = defaultdict(list)
    for entry in task_keys.masked(step, entries):
        record = entry[1]
        digest = hashlib.sha256(record.key().encode()).digest()
        by_key[record.execute_count or 0, record.batch or 0, digest].append(entry)
    digests = {digest for _, _, digest in by_key}
    stored = {
        (row.execute_count, row.batch, bytes(row.task_hash)): row
        for row in FileLog.objects.filter(step=step, task_hash__in=digests).defer(*_LARGE_COLUMNS)
    }
    overlaps = Overlaps(work.blind_app, files=True)
    # Content that a group loads is freed after the group.
    for group in _groups(_Task(key, stored.pop(key, None), own) for key, own in by_key.items()):
        rows = [task.row for task in group if task.row]
        pending = PendingRows(
            FILE_LOG, finishes.held, rows, outcome, job=lambda row: step.job_id, at_once=last
        )
        _write_group(step, group, pending, overlaps, outcome)
        held_back |= pending.held_back()
    return held_back


def _groups(tasks: Iterable[_Task]) -> Iterator[list[_Task]]:
    group: list[_Task] = []
    remaining = GROUP_BYTES
    for task in tasks:
        weight = task.weight
        if group and weight > remaining:
            yield group
            group, remaining = [], GROUP_BYTES
        group.append(task)
        remaining -= weight
    if group:
        yield group


def _write_group(
    step: StepInstance,
    tasks: list[_Task],
    pending_rows: PendingRows,
    overlaps: Overlaps,
    outcome: Outcome,
) -> None:
    needed = [task.row.pk for task in tasks if task.row and task.has_pieces]
    large = FileLog.objects.filter(pk__in=needed).values_list("pk", *_LARGE_COLUMNS)
    held = {key: (content, ranges) for key, content, ranges in large}
    overlaps.load(needed)
    for task in tasks:
        if task.row and task.has_pieces:
            content, task.row.redacted = held.pop(task.row.pk)
            task.row.content = bytes(content)
            log, read = log_of(task.row, CONTENT_MAX_BYTES), _reader(task.row)
            task.refuses_pieces = overlaps.refuses(task.row, log, task.pieces, read)
        for line, record, owner in task.entries:
            result = _take(task, step, line, record, owner, pending_rows)
            if isinstance(result, Refused):
                outcome.refused.append(result)
            else:
                task.changed = task.changed or result
    pending_rows.hide_finishes()
    overlaps.save()
    new: list[FileLog] = []
    grown: list[FileLog] = []
    changed: list[FileLog] = []
    for task in tasks:
        if task.row is None or not task.changed:
            continue
        has_grown = _settle_content(task.row, task.log)
        (new if task.row.pk is None else grown if has_grown else changed).append(task.row)
    database.create_rows(new)
    database.save_columns(FileLog, (*_SAVED_COLUMNS, *_MASK_COLUMNS, "content"), grown)
    database.save_columns(FileLog, _SAVED_COLUMNS, changed)


def _take(
    task: _Task,
    step: StepInstance,
    line: int,
    record: records.FileLog,
    owner: HostResult,
    pending_rows: PendingRows,
) -> bool | Refused:
    """Apply one record to a task; return whether it changed anything, or its refusal.

    `pending_rows` counts records that are not refused.
    """
    fixed = _fixed(record, owner)
    if task.row is not None:
        for path in task_keys.PATHS:
            # A path stored before a rule was known is compared as masked by today's rules.
            fixed[path] = masking.mask_name(fixed[path], getattr(task.row, path))
    if task.row is not None and (column := precedence.contradiction(task.row, fixed)):
        message = f"the file log of this task has another {column}"
        return Refused(line, "file_log", Reason.CONFLICT, message)
    data = record.data()
    if data is not None and step.job.expired_at is not None:
        message = expired_message(record.job_instance_id)
        return Refused(line, "file_log", Reason.EXPIRED, message)
    made = task.row is None
    row = task.row or _new_row(step, record, owner, task.key)
    log, accepted = task.log, False
    if data is not None:
        log = log or log_of(row, CONTENT_MAX_BYTES)
        log_key = ("file", step.pk, *task.key)
        if task.refuses_pieces:
            return refused_piece(line, "file_log", Reason.CONFLICT, log.expected, log_key)
        verdict = log.take(Piece(record.offset or 0, data), _reader(row))
        if reason := REASONS.get(verdict):
            return refused_piece(line, "file_log", reason, log.expected, log_key)
        accepted = verdict is Verdict.ACCEPTED
    task.row, task.log = row, log
    if made:
        pending_rows.add(line, row)
        return True
    values = {column: getattr(record, column) for column in _RECORD_COLUMNS}
    fills = {c: v for c, v in fixed.items() if v is not None and getattr(row, c) is None}
    news = precedence.apply(row, fills) or accepted
    return bool(pending_rows.take(line, row, values, news=news)) or news


def _fixed(record: records.FileLog, owner: HostResult) -> dict[str, Any]:
    """Return the columns of a file log that never change, as the record states them."""
    values: dict[str, Any] = {"host_result_id": owner.pk, "mode": record.mode}
    for side in _SIDES:
        host = getattr(record, side)
        for column, name in _HOST_COLUMNS.items():
            values[f"{side}_{column}"] = getattr(host, name, None)
        values[f"{side}_path"] = getattr(record, f"{side}_path")
    return values


def _new_row(step: StepInstance, record: records.FileLog, owner: HostResult, key: Key) -> FileLog:
    values = {column: getattr(record, column) for column in _RECORD_COLUMNS}
    row = FileLog(
        step=step,
        execute_count=key[0],
        batch=key[1],
        task_key=record.key(),
        task_hash=key[2],
        day=step.day,
        content=b"",
        redacted=record.redacted or None,
        masked=len(record.redacted or ()),
        **_fixed(record, owner),
        **precedence.stated(values),
    )
    if record.src and row.src_cloud_id is None:
        row.src_cloud_id = 0
    if record.dest and row.dest_cloud_id is None:
        row.dest_cloud_id = 0
    if record.truncated or step.job.expired_at is not None:
        # Stated by an export whose content is incomplete or expired.
        row.truncated, row.received_size = bool(record.truncated), record.received_size or 0
    return row


def _reader(row: FileLog) -> Callable[[int, int], bytes]:
    """Return a function that reads bytes of the row's content."""
    content = bytes(row.content)
    return lambda start, stop: content[start:stop]


def _settle_content(row: FileLog, log: GrowingLog | None) -> bool:
    """Update the row from the pieces that were taken; return whether its content changed."""
    if log is None:
        return False
    row.received_size, row.held_size, row.truncated = log.received, log.held, log.truncated
    replaced = masking.mask_file(row, log)
    if log.added:
        row.content = bytes(row.content)[: log.held_before] + bytes(log.added)
    return bool(log.added) or replaced
