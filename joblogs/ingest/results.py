"""Host results of one step and what scripts printed there, in one transaction.

The host results are locked once, by ascending id; sizes are read under the lock. Everything that
can be refused is known before the first write.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import BigIntegerField, QuerySet

from joblogs import database, records
from joblogs.choices import FileMode, Inherited, Role
from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.mask_ranges import RANGES_MAX
from joblogs.logtext.pieces import Log, Piece, Verdict, union
from joblogs.models import HostResult, JobInstance, StepInstance

from . import file_logs, host_identities, masking
from .batching import Pieces
from .finishes import Finishes
from .held_finishes import FILE_LOG, HOST_RESULT, Kind, PendingRows, PendingUpdate
from .hierarchy import StepWork
from .overlap import StoredBytes
from .overlaps import Overlaps
from .report import Outcome, Reason, Refused, expired_message, refused_piece_message

_RECORD_COLUMNS = (
    "status",
    "tag",
    "exit_code",
    "error_code",
    "start_time",
    "end_time",
    "total_time",
    "update_time",
    "actual_execute_count",
)
_SIZE_COLUMNS = ("received_size", "held_size", "lines", "truncated", "mask_prefix")
_MASKED_COLUMNS = (*_SIZE_COLUMNS, *masking.COLUMNS)
_MERGED_COLUMNS = (
    *_RECORD_COLUMNS,
    *host_identities.COLUMNS,
    "inherited",
    "identity_id",
    "declared_size",
    *masking.COLUMNS,
)
RANGES_AT_ONCE = 200_000
"""As many masked ranges as the locked rows of one transaction may hold, some 30 MB."""
_REASONS = {Verdict.GAP: Reason.GAP, Verdict.CONFLICT: Reason.CONFLICT}


class Overtaken(Exception):
    """The job's logs expired between reading its row and writing: start over."""


@dataclass(slots=True)
class _Grown:
    """A log and the pieces that a batch brings for it, in their order: line, offset and bytes."""

    row: HostResult
    log: Log
    lines: list[int] = field(default_factory=list)
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    newlines: int = 0


@dataclass(slots=True)
class StepRows:
    """The locked host results of a step that a batch is about, and which of them it changes."""

    step: StepInstance
    rows: dict[host_identities.Place, HostResult]
    limit: int
    """As many bytes of a log as are kept."""
    pending_rows: PendingRows
    overlaps: Overlaps
    new: dict[int, HostResult] = field(default_factory=dict)
    merged: dict[int, HostResult] = field(default_factory=dict)
    renamed: dict[int, HostResult] = field(default_factory=dict)
    """Those of the merged rows whose host is called otherwise now."""
    resized: dict[int, HostResult] = field(default_factory=dict)
    logs: dict[int, _Grown] = field(default_factory=dict)
    ends: dict[int, bytes] = field(default_factory=dict)
    masked: masking.Masked = field(default_factory=masking.Masked)
    pending_update: dict[Kind, PendingUpdate] = field(default_factory=dict)
    """What is held back of host results and file logs."""

    def of(self, record: Pieces | records.FileLog, role: int) -> HostResult | None:
        place = (record.bk_host_id, record.execute_count or 0, record.batch or 0, role)
        return self.rows.get(place)

    def add(self, pieces: Pieces) -> list[Refused]:
        """Put pieces to the log that they belong to; those that may not come in."""
        row = self.of(pieces, Role.TARGET)
        if row is None:
            return [_unknown_result(line, pieces, Role.TARGET) for line in pieces.lines]
        if self.step.job.expired_at is not None:
            message = expired_message(pieces.job_instance_id)
            kind = pieces.type_name
            return [Refused(line, kind, Reason.EXPIRED, message) for line in pieces.lines]
        if id(row) not in self.logs:
            self.logs[id(row)] = _Grown(row, _log_of(row, self.limit))
        grown = self.logs[id(row)]
        grown.lines += pieces.lines
        grown.pieces += pieces.pieces
        return []

    def touched(self) -> list[HostResult]:
        """The rows that the batch changed in any way."""
        return list({**self.new, **self.merged, **self.resized}.values())


def parts_of(work: StepWork) -> Iterator[StepWork]:
    """The work of a step as one, or by groups of hosts whose logs hold many masked ranges: they are
    read with the locked rows."""
    hosts = {record.bk_host_id for _, record in work.entries}  # type: ignore[union-attr]
    if len(hosts) * RANGES_MAX <= RANGES_AT_ONCE:
        yield work
        return
    rows = HostResult.objects.filter(database.InArray("host_id", hosts), step=work.step)
    weights: dict[int, int] = defaultdict(int)
    for host, masked in rows.exclude(masked=0).values_list("host_id", "masked"):
        weights[host] += min(masked, RANGES_MAX)
    part_of, weight = dict[int, int](), 0
    for host in hosts:
        part_of[host] = weight // RANGES_AT_ONCE
        weight += weights[host]
    parts: dict[int, StepWork] = {}
    for line, record in work.entries:
        number = part_of[record.bk_host_id]  # type: ignore[union-attr]
        parts.setdefault(number, StepWork(work.step)).entries.append((line, record))
    yield from parts.values()


def write(work: StepWork, finishes: Finishes, *, last: bool) -> tuple[Outcome, StepRows]:
    """Apply a batch's records about one step: all of it is committed, or none.

    `last`: the stream has ended with this batch. Else what says that something has finished is not
    written, but left for `finishes`.
    """
    with transaction.atomic():
        outcome = Outcome()
        pending_rows = finishes.pending_rows(HOST_RESULT, outcome, at_once=last)
        rows = StepRows(
            step=work.step,
            rows=_locked_rows(work),
            limit=settings.LOG_MAX_BYTES,
            pending_rows=pending_rows,
            overlaps=Overlaps(work.blind_app, files=False),
        )
        pending_rows.apply_pending(rows.rows.values())
        files: list[tuple[int, records.FileLog, HostResult]] = []
        for line, entry in work.entries:
            if isinstance(entry, Pieces):
                outcome.refused += rows.add(entry)
            elif isinstance(entry, records.HostResult):
                _merge_result(line, entry, rows, outcome)
            elif isinstance(entry, records.FileLog):
                role = FileMode(entry.mode).owner_role
                row = rows.of(entry, role)
                if row is None:
                    outcome.refused.append(_unknown_result(line, entry, role))
                else:
                    files.append((line, entry, row))
        _take_pieces(rows, outcome)
        rows.overlaps.save()
        taken = [(grown.row, grown.log) for grown in rows.logs.values()]
        rows.masked = masking.mask_logs(rows.step.day, taken, rows.ends)
        rows.resized |= {id(r): r for r in rows.masked.rows if id(r) not in rows.new}
        pending_rows.hide_finishes()
        _write_rows(rows)
        job = work.step.job_id
        rows.pending_update[HOST_RESULT] = pending_rows.pending_update(job=lambda row: job)
        rows.pending_update[FILE_LOG] = file_logs.write(
            work.step,
            files,
            lambda: finishes.pending_rows(FILE_LOG, outcome, at_once=last),
            Overlaps(work.blind_app, files=True),
            outcome,
        )
        expired = work.step.job.expired_at is not None
        if not expired and (rows.logs or files) and _has_expired(work.step.job):
            raise Overtaken
    return outcome, rows


def _locked_rows(work: StepWork) -> dict[host_identities.Place, HostResult]:
    """The host results of every host that the records name, locked by ascending id."""
    hosts = {record.bk_host_id for _, record in work.entries}  # type: ignore[union-attr]
    rows_of_hosts = HostResult.objects.filter(database.InArray("host_id", hosts), step=work.step)
    places = {
        (r.bk_host_id, r.execute_count or 0, r.batch or 0, role_of(r))
        for _, r in work.entries
        if isinstance(r, records.HostResult)
    }
    if places and not places.issubset(
        rows_of_hosts.values_list("host_id", "execute_count", "batch", "role")
    ):
        # Whoever makes host results holds the step's row, so that nobody else makes the same.
        list(StepInstance.objects.select_for_update(no_key=True).filter(pk=work.step.pk))
    rows = rows_of_hosts.select_for_update().order_by("pk")
    return {(r.host_id, r.execute_count, r.batch, r.role): r for r in rows}


def role_of(record: records.HostResult) -> int:
    return Role.SOURCE if record.role == "source" else Role.TARGET


def _merge_result(line: int, record: records.HostResult, rows: StepRows, out: Outcome) -> None:
    place = (record.bk_host_id, record.execute_count or 0, record.batch or 0, role_of(record))
    row = rows.rows.get(place)
    values = {
        **{
            column: getattr(record, column)
            for column in (*_RECORD_COLUMNS, *host_identities.ADDRESSES)
        },
        "bk_cloud_id": record.bk_cloud_id,
        "tag": masking.mask_name(record.tag, row.tag if row else None),
        "declared_size": record.log_size,
        "declared_sha256": bytes.fromhex(record.log_sha256) if record.log_sha256 else None,
    }
    if record.redacted or (row is not None and row.is_masked):
        # It would let guess what is masked, and there is nothing to compare it with.
        values["declared_sha256"] = None
    if row is not None:
        naming = host_identities.Naming(record, row)
        settled = naming.begin()
        changed = rows.pending_rows.take(line, row, values)
        naming.end(changed)
        if (changed or settled) and id(row) not in rows.new:
            rows.merged[id(row)] = row
            if not changed.keys().isdisjoint(host_identities.COLUMNS):
                rows.renamed[id(row)] = row
        return
    inherited = Inherited.NOTHING
    if not record.names_host:
        if not any(key[0] == record.bk_host_id for key in rows.rows):
            message = "the first host result of a host in a step has one of ip, ipv6, host_name"
            out.refused.append(Refused(line, "host_result", Reason.INVALID, message))
            return
        # `pass_on` gives it those of the host's previous result, once all are there.
        cloud_too = record.bk_cloud_id is None
        inherited = Inherited.CLOUD_TOO if cloud_too else Inherited.ADDRESSES
    row = HostResult(
        step=rows.step,
        host_id=record.bk_host_id,
        execute_count=place[1],
        batch=place[2],
        role=place[3],
        day=rows.step.day,
        inherited=inherited,
        redacted=record.redacted or None,
        masked=len(record.redacted or ()),
        **{column: value for column, value in values.items() if value is not None},
    )
    if record.truncated or rows.step.job.expired_at is not None:
        # What an export says of a log that it holds only the beginning of, or nothing any more.
        row.truncated, row.received_size = bool(record.truncated), record.received_size or 0
    rows.rows[place] = rows.new[id(row)] = row
    rows.pending_rows.add(line, row)


def _log_of(row: HostResult, limit: int) -> Log:
    return Log(
        received=row.received_size,
        held=row.held_size,
        limit=limit,
        truncated=row.truncated,
        masked=row.redacted or (),
    )


def _take_pieces(rows: StepRows, outcome: Outcome) -> None:
    others: list[tuple[_Grown, list[tuple[int, Piece]]]] = []
    for grown in rows.logs.values():
        # Nothing is added to a log whose end cannot be read, if a secret may begin there.
        taken = 0 if masking.looks_back(grown.row) else grown.log.take_next(grown.pieces)
        if taken < len(grown.pieces) and rows.overlaps.app is not None:
            # Those that are judged as a whole are judged from where the row is.
            taken, grown.log = 0, _log_of(grown.row, rows.limit)
        outcome.accepted += taken
        if taken < len(grown.pieces):
            rest = itertools.starmap(Piece, grown.pieces[taken:])
            others.append((grown, list(zip(grown.lines[taken:], rest, strict=True))))
    if others:
        _take_others(others, rows, outcome)
    for key, grown in rows.logs.items():
        row, log = grown.row, grown.log
        if (log.received, log.held, log.truncated) != (
            row.received_size,
            row.held_size,
            row.truncated,
        ):
            row.received_size, row.held_size, row.truncated = log.received, log.held, log.truncated
            # Masks leave them as they are.
            grown.newlines = log.added.count(b"\n")
            row.lines += grown.newlines
            if key not in rows.new:
                rows.resized[key] = row


def _take_others(
    others: list[tuple[_Grown, list[tuple[int, Piece]]]], rows: StepRows, outcome: Outcome
) -> None:
    """Pieces that do not just bring what comes next, and those after them, with their lines."""
    rows.overlaps.load([grown.row.pk for grown, _ in others])
    begins = [masking.looks_back(grown.row) for grown, _ in others]
    stored = StoredBytes(
        rows.step.day,
        [
            store.Span(grown.row.pk, start, stop, grown.row.held_size)
            for (grown, pieces), begun in zip(others, begins, strict=True)
            for start, stop in union(
                span
                for span in (begun, *(grown.log.to_compare(piece) for _, piece in pieces))
                if span is not None
            )
        ],
    )
    for (grown, pieces), begun in zip(others, begins, strict=True):
        row, log = grown.row, grown.log
        read = stored.reader(row.pk, row.held_size)
        piece_list = [piece for _, piece in pieces]
        if rows.overlaps.refuses(row, _log_of(row, rows.limit), piece_list, read):
            outcome.refused += [
                _refused_piece(line, row, Reason.CONFLICT, log.expected) for line, _ in pieces
            ]
            continue
        for line, piece in pieces:
            try:
                if begun and piece.offset <= log.received and log.held < piece.end:
                    rows.ends[row.pk] = read(*begun)
                verdict = log.take(piece, read)
            except Unreadable:
                refused = _refused_piece(line, row, Reason.CONFLICT, log.expected, readable=False)
                outcome.refused.append(refused)
                continue
            if reason := _REASONS.get(verdict):
                outcome.refused.append(_refused_piece(line, row, reason, log.expected))
            else:
                outcome.count(changed=verdict is Verdict.ACCEPTED)


def _write_rows(rows: StepRows) -> None:
    stored = {id(row): row for row in host_identities.pass_on(rows.rows) if id(row) not in rows.new}
    rows.merged |= stored
    rows.renamed |= stored
    new = sorted(rows.new.values(), key=lambda r: (r.host_id, r.execute_count, r.batch, r.role))
    host_identities.settle(rows.step.job.scope_id, [*new, *rows.renamed.values()])
    HostResult.objects.bulk_create(new)
    merged = [*_SIZE_COLUMNS, *_MERGED_COLUMNS]
    database.save_columns(HostResult, merged, rows.merged.values())
    masked = {id(row) for row in rows.masked.rows}
    resized = {key: row for key, row in rows.resized.items() if key not in rows.merged}
    for columns, due in (
        (_SIZE_COLUMNS, [row for key, row in resized.items() if key not in masked]),
        (_MASKED_COLUMNS, [row for key, row in resized.items() if key in masked]),
    ):
        database.save_columns(HostResult, columns, due)
    for log, offset, data, _ in rows.masked.replaced:
        store.replace(rows.step.day, log, offset, data)
    additions = [
        store.Addition(grown.row.pk, grown.log.held_before, grown.log.added, grown.newlines)
        for grown in rows.logs.values()
        if grown.log.added
    ]
    if additions:
        store.append(rows.step.day, additions)


def _has_expired(job: JobInstance) -> bool:
    # Expiry empties a partition without taking each host result's lock. Either it waited for the
    # chunks just written and took them along, or it came before them: then the job says so now.
    return bool(_expired(job=job.pk))


@database.CompiledQuery
def _expired() -> QuerySet[JobInstance]:
    job = database.Param("job", BigIntegerField())
    return JobInstance.objects.filter(pk=job, expired_at__isnull=False).only("pk")


def _unknown_result(line: int, record: Pieces | records.FileLog, role: Role) -> Refused:
    return Refused(
        line,
        record.type_name if isinstance(record, Pieces) else "file_log",
        Reason.UNKNOWN_PARENT,
        f"host {record.bk_host_id} has no {role.name.lower()} host_result in step "
        f"{record.step_instance_id} (execute_count {record.execute_count or 0}, "
        f"batch {record.batch or 0})",
    )


def _refused_piece(
    line: int, row: HostResult, reason: Reason, expected: int, *, readable: bool = True
) -> Refused:
    return Refused(
        line,
        "script_log",
        reason,
        refused_piece_message(reason, expected, readable=readable),
        expected_offset=expected,
        log=(row.step_id, row.host_id, row.execute_count, row.batch, row.role),
    )
