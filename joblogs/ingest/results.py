"""Host results and script logs of one step, written in one transaction.

The host results are locked once, by ascending id; sizes are read with the lock. All refusals are
known before the first write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from joblogs import failure_tallies, records
from joblogs.choices import FINISHED, FileMode, Inherited, Role, run_rank
from joblogs.logtext.mask_ranges import RANGES_MAX
from joblogs.models import HostResult, StepInstance

from . import (
    changed_steps,
    file_logs,
    host_identities,
    log_update,
    masking,
    notice_work,
    precedence,
    result_rows,
    script_logs,
)
from .batching import Pieces, refused
from .finishes import Finishes
from .held_finishes import FILE_LOG, HOST_RESULT, Finish, Kind, PendingRows
from .hierarchy import StepWork
from .host_identities import Place
from .log_update import LogUpdate
from .packed_logs import PackedLogs
from .report import (
    Outcome,
    Reason,
    Refused,
    expired_message,
    refused_piece,
    unknown_result,
)
from .result_rows import RECORD_COLUMNS

_STARTS = 4
RANGES_AT_ONCE = 200_000
"""Most masked ranges in the locked rows of one transaction, about 30 MB."""


class _Overtaken(Exception):
    """Exception: the job's logs expired between reading its row and writing, so start over."""


class _PackGrows(Exception):
    """Exception: a packed log grows, so start over with all logs of the pack locked."""


@dataclass(frozen=True, slots=True)
class Written:
    """Result of a transaction: the outcome, the changed rows, and by kind of row the finishes that
    it holds back (`PendingRows.held_back`)."""

    outcome: Outcome
    rows: list[HostResult]
    held_back: list[tuple[Kind, dict[int, Finish | None]]]


def parts_of(work: StepWork) -> Iterator[StepWork]:
    """Yield the work of a step, split by hosts if their logs have very many masked ranges.

    The ranges are loaded with the locked rows.
    """
    hosts = {record.bk_host_id for _, record in work.entries}
    if len(hosts) * RANGES_MAX <= RANGES_AT_ONCE:
        yield work
        return
    weights: dict[int, int] = defaultdict(int)
    for host, masked in log_update.masks_of(step=work.step.pk, hosts=hosts):
        weights[host] += min(masked, RANGES_MAX)
    if sum(weights.values()) <= RANGES_AT_ONCE:
        yield work
        return
    part_of, weight = dict[int, int](), 0
    for host in hosts:
        part_of[host] = weight // RANGES_AT_ONCE
        weight += weights[host]
    parts: dict[int, StepWork] = {}
    for line, record in work.entries:
        number = part_of[record.bk_host_id]
        parts.setdefault(number, StepWork(work.step)).entries.append((line, record))
    yield from parts.values()


def write(work: StepWork, finishes: Finishes, *, last: bool) -> Written:
    """Apply a batch's records about one step in one transaction.

    `last`: the stream has ended with this batch. Otherwise finishes are not written, but returned
    to be held back in `finishes`.
    """
    packed = None
    for _ in range(_STARTS):
        try:
            return _write(work, finishes, packed, last=last)
        except _Overtaken:
            work.step.job.refresh_from_db(fields=["expired_at"])
        except _PackGrows:
            packed = PackedLogs(work.step)
    return _write(work, finishes, packed, last=last)


def _write(work: StepWork, finishes: Finishes, packed: PackedLogs | None, *, last: bool) -> Written:
    step, outcome = work.step, Outcome()
    has_expired = step.job.expired_at is not None
    with transaction.atomic():
        updates = _locked(work, packed)
        rows = [update.row for update in updates.values()]
        pending = PendingRows(
            HOST_RESULT, finishes.held, rows, outcome, job=lambda row: step.job_id, at_once=last
        )
        files: list[tuple[int, records.FileLog, HostResult]] = []
        for line, entry in work.entries:
            if isinstance(entry, records.HostResult):
                _merge(line, entry, step, updates, pending, outcome)
                continue
            place = _place_of(entry)
            update = updates.get(place)
            if update is None:
                message = unknown_result(entry.step_instance_id, place)
                outcome.refused += refused(line, entry, Reason.UNKNOWN_PARENT, message)
            elif isinstance(entry, records.FileLog):
                files.append((line, entry, update.row))
            elif has_expired:
                message = expired_message(entry.job_instance_id)
                outcome.refused += refused(line, entry, Reason.EXPIRED, message)
            elif packed is not None and packed.is_damaged(update.row):
                log, size = (step.pk, *place), update.row.received_size
                outcome.refused += [
                    refused_piece(line, entry.type_name, None, size, log) for line in entry.lines
                ]
            else:
                update.lines += entry.lines
                update.pieces += entry.pieces
        grown = [update for update in updates.values() if update.pieces]
        limit = settings.LOG_MAX_BYTES
        script_logs.take_pieces(
            step.day, grown, limit=limit, blind_app=work.blind_app, outcome=outcome
        )
        replaced = masking.mask_logs(step.day, grown)
        # A packed log that grows is moved back to chunks.
        leaving = [each for each in grown if each.row.pack is not None and each.log.added]
        if leaving:
            if packed is None:
                raise _PackGrows
            packed.unpack(leaving)
        pending.hide_finishes()
        result_rows.write(step, updates, replaced)
        if files or any(update.concerns_maintenance for update in updates.values()):
            changed_steps.add([step.pk])
        if any(_is_late(step, update) for update in updates.values()):
            failure_tallies.forget([step.pk])  # recorded again by maintenance
        held_back = [(HOST_RESULT, pending.held_back())]
        if files:
            held_of_files = file_logs.write(work, files, finishes, outcome, last=last)
            held_back.append((FILE_LOG, held_of_files))
        if grown or files:
            _finish(step, grown, has_files=bool(files), has_expired=has_expired)
    return Written(outcome, [each.row for each in updates.values() if each.is_changed], held_back)


def _finish(
    step: StepInstance, grown: Sequence[LogUpdate], *, has_files: bool, has_expired: bool
) -> None:
    """Check the job once more after logs were written, at the end of the transaction.

    Expiry empties a partition without locking each host result. Either it waits for the chunks just
    written and deletes them too, or it came first, and the job's row shows that now.
    """
    for expired_at, is_awaited in notice_work.job_by_now(job=step.job_id):
        if expired_at is not None and not has_expired:
            raise _Overtaken
        if is_awaited:
            notice_work.add_text(step.pk, grown, has_files=has_files)


def _is_late(step: StepInstance, update: LogUpdate) -> bool:
    """Return whether an update comes after its step may have been recorded as ended."""
    if update.is_new:
        return run_rank(step.status) == FINISHED
    return update.was_computed and update.is_changed


def _place_of(entry: Pieces | records.FileLog | records.HostResult) -> Place:
    """Return the place of an entry's host result within its step."""
    role = Role.TARGET
    if isinstance(entry, records.FileLog):
        role = FileMode(entry.mode).owner_role
    elif isinstance(entry, records.HostResult) and entry.role == "source":
        role = Role.SOURCE
    return entry.bk_host_id, entry.execute_count or 0, entry.batch or 0, role


def _locked(work: StepWork, packed: PackedLogs | None) -> dict[Place, LogUpdate]:
    """Lock and return all host results of the hosts in the records, by ascending id.

    With `packed`, results of other hosts that share packs with them are locked too.
    """
    hosts = {entry.bk_host_id for _, entry in work.entries}
    stated = {_place_of(e) for _, e in work.entries if isinstance(e, records.HostResult)}
    if stated and not stated.issubset(log_update.places_of(step=work.step.pk, hosts=hosts)):
        # Creating host results requires the lock of the step's row, so that no other transaction
        # creates the same.
        list(StepInstance.objects.select_for_update(no_key=True).filter(pk=work.step.pk))
    rows = packed.lock(hosts) if packed else log_update.lock(step=work.step.pk, hosts=hosts)
    return {(r.host_id, r.execute_count, r.batch, r.role): LogUpdate(r) for r in rows}


def _merge(
    line: int,
    record: records.HostResult,
    step: StepInstance,
    updates: dict[Place, LogUpdate],
    pending: PendingRows,
    outcome: Outcome,
) -> None:
    """Merge a record into its row, or create the row."""
    place = _place_of(record)
    update = updates.get(place)
    values: dict[str, Any] = {column: getattr(record, column) for column in RECORD_COLUMNS}
    values["tag"] = masking.mask_name(record.tag, update.row.tag if update else None)
    values["declared_size"] = record.log_size
    if record.log_sha256 and not record.redacted and not (update and update.row.is_masked):
        # A digest would allow guessing masked text, and could not be verified for a masked log.
        values["declared_sha256"] = bytes.fromhex(record.log_sha256)
    if update is not None:
        naming = host_identities.Naming(record, update.row)
        is_settled = naming.begin()
        changed = pending.take(line, update.row, values)
        naming.end(changed)
        update.is_merged |= is_settled or bool(changed)
        update.is_renamed |= not changed.keys().isdisjoint(host_identities.COLUMNS)
        return
    inherited = Inherited.NOTHING
    if not record.names_host:
        if not any(host == record.bk_host_id for host, *_ in updates):
            message = "the first host result of a host in a step has one of ip, ipv6, host_name"
            outcome.refused.append(Refused(line, "host_result", Reason.INVALID, message))
            return
        # `pass_on` copies the addresses of the host's previous result once all results exist.
        cloud_too = record.bk_cloud_id is None
        inherited = Inherited.CLOUD_TOO if cloud_too else Inherited.ADDRESSES
    row = HostResult(
        step=step,
        host_id=record.bk_host_id,
        execute_count=place[1],
        batch=place[2],
        role=place[3],
        day=step.day,
        inherited=inherited,
        redacted=record.redacted or None,
        masked=len(record.redacted or ()),
        **precedence.stated(values),
    )
    if record.truncated or step.job.expired_at is not None:
        # Stated by an export whose log is incomplete or expired.
        row.truncated, row.received_size = bool(record.truncated), record.received_size or 0
    updates[place] = LogUpdate(row, is_new=True)
    pending.add(line, row)
