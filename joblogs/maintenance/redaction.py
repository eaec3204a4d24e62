"""Redaction: masks secrets in stored logs, log by log.

A log is scanned without a lock. If it has a secret, it is scanned again and changed under the lock
of its host result, in a transaction that also updates the run's record. An interrupted run is
simply run again, and readers see a log either before or after its redaction.
"""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from joblogs import database, failure_tallies, kept_groups, log_features, signed_parts
from joblogs.choices import HOST_UNFINISHED
from joblogs.ingest import changed_steps, masking
from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.mask_ranges import cover
from joblogs.logtext.pieces import Range
from joblogs.logtext.secret_scanner import ScanState, Secrets
from joblogs.models import DIGESTS, FileLog, HostResult, Redaction

from . import fingerprinting, moving
from .walk import LogSelection

Log = HostResult | FileLog


@dataclass(slots=True)
class Redacted:
    """Counts of the secrets that a run found and, unless it was a dry run, masked."""

    looked: int = 0
    logs: int = 0
    places: Counter[str] = field(default_factory=Counter)
    unreadable: list[int] = field(default_factory=list)
    """Keys of the host results or file logs that cannot be read; `verify_logs` gives details."""
    left_in_objects: bool = False
    """Whether masked text is still in object storage; the next run of maintenance deletes it."""
    days: set[datetime.date] = field(default_factory=set)
    """Days of the script logs with secrets."""


def redact(
    chosen: LogSelection,
    secrets: Secrets,
    *,
    by: str,
    selection: str,
    dry_run: bool = False,
    progress: Callable[[int], object] = lambda size: None,
) -> Redacted:
    """Mask these secrets in the chosen logs; `progress` is called with the bytes read.

    A dry run only counts what would be masked, and leaves no record.
    """
    totals, record = Redacted(), None
    if not dry_run:
        names = ", ".join(dict.fromkeys(rule.name for rule in secrets.rules))
        record = Redaction.objects.create(
            started_at=timezone.now(), by=by[:256], patterns=names, selection=selection
        )
    for log in _logs(chosen):
        _take(log, secrets, totals, record)
        progress(log.held_size)
    if record is not None:
        totals.left_in_objects = not moving.delete_at_once(totals.days)
        record.finished_at, record.looked = timezone.now(), totals.looked
        record.save(update_fields=["finished_at", "looked"])
    return totals


def _logs(chosen: LogSelection) -> Iterator[Log]:
    """Yield the chosen logs that are not empty."""
    living = replace(chosen, jobs=chosen.jobs.filter(expired_at=None))
    for steps in living.steps_by_jobs():
        yield from living.results(steps, ~Q(held_size=0))
        yield from living.files(steps, ~Q(held_size=0))


def _take(log: Log, secrets: Secrets, totals: Redacted, record: Redaction | None) -> None:
    """Scan one log and, if there is a record (no dry run), mask it."""
    totals.looked += 1
    try:
        found = _Pass(log, secrets).found
        if found and record is not None:
            found = database.retrying(lambda: _mask(log, secrets, totals, record))
            _fingerprint(log)
    except Unreadable:
        # Damaged, or deleted meanwhile.
        if _current(log, lock=False) is not None:
            totals.unreadable.append(log.pk)
        return
    totals.logs += bool(found)
    totals.places += found
    if found and isinstance(log, HostResult):
        totals.days.add(log.day)


def _mask(log: Log, secrets: Secrets, totals: Redacted, record: Redaction) -> Counter[str]:
    with transaction.atomic():
        row = _current(log, lock=True)
        if row is None:
            return Counter()
        passed = _Pass(row, secrets, write=True)
        if passed.found:
            _save(row, passed)
            places = totals.places + passed.found
            Redaction.objects.filter(pk=record.pk).update(
                looked=totals.looked,
                logs=totals.logs + 1,
                places=places.total(),
                found=dict(places),
            )
        return passed.found


def _current(log: Log, *, lock: bool) -> Log | None:
    """Return the current row, None if its text was deleted; `lock`: lock its host result first."""
    owner = log.pk if isinstance(log, HostResult) else log.host_result_id
    owners = HostResult.objects.filter(pk=owner, step__job__expired_at=None)
    if lock:
        owners = owners.select_for_update(of=("self",))
    row = owners.first()
    if row is None or isinstance(log, HostResult):
        return row
    # Whole days expire without the lock of the owner.
    files = FileLog.objects.select_for_update() if lock else FileLog.objects.all()
    return files.filter(pk=log.pk).first()


class _Pass:
    """Scan of a log: the secrets found, their ranges, and the state at the end of the log.

    `write`: mask them.
    """

    def __init__(self, log: Log, secrets: Secrets, *, write: bool = False) -> None:
        self.found: Counter[str] = Counter()
        self.ranges: list[Range] = []
        self.state = ScanState()
        end, base = bytearray(), 0
        for part in _parts(log):
            text = end + part
            masks = secrets.mask(
                text,
                start=len(end) - self.state.size,
                rule=self.state.rule,
                prefix=self.state.prefix,
                masked=[
                    (max(0, a - base), b - base)
                    for a, b in itertools.chain(log.redacted or (), self.ranges)
                    if b > base
                ],
            )
            if masks.ranges and write:
                start, stop = masks.ranges[0][0], masks.ranges[-1][1]
                _replace(log, base + start, text[start:stop])
            self.found += Counter(masks.found)
            moved = [(start + base, stop + base) for start, stop in masks.ranges]
            self.ranges = cover(self.ranges, moved)
            self.state = masks.state
            rows = min(len(text), self.state.size + 1)
            base, end = base + len(text) - rows, text[len(text) - rows :]


def _parts(log: Log) -> Iterator[bytes]:
    if isinstance(log, FileLog):
        # There is no row if its job was deleted meanwhile.
        rows = FileLog.objects.filter(pk=log.pk).values_list("content", flat=True)
        yield from map(bytes, rows)
        return
    for _, parts in store.read(log.day, [store.span_of(log)]):
        yield b"".join(parts)


def _replace(log: Log, offset: int, data: bytearray) -> None:
    if isinstance(log, FileLog):
        content = bytes(log.content)
        log.content = content[:offset] + bytes(data) + content[offset + len(data) :]
    else:
        store.replace(log.day, store.span_of(log, offset, offset + len(data)), data)


def _save(log: Log, passed: _Pass) -> None:
    log.redacted = [list(span) for span in cover(log.redacted or (), passed.ranges)]
    log.masked += passed.found.total()
    columns = ["redacted", "masked"]
    if passed.state.rule and masking.secrets_masked().goes_on(passed.state.rule):
        # The log ends within a secret: the rest of it is masked when it arrives.
        masking.settle(log, passed.state)
        columns += ["mask_pending", "mask_rule", "mask_prefix"]
    elif passed.ranges[-1][1] > log.held_size - len(log.mask_prefix):
        # The saved end of the log is masked now.
        log.mask_prefix = b""
        columns.append("mask_prefix")
    if isinstance(log, FileLog):
        columns.append("content")
    else:
        log.forget_digests()
        columns += DIGESTS
        log_features.delete(log.day, [log.pk])
        kept_groups.delete(log.day, [log.step_id])
        failure_tallies.forget([log.step_id])
    signed_parts.clear(log.day, [log.step_id])
    changed_steps.add([log.step_id])
    log.save(update_fields=columns)


def _fingerprint(log: Log) -> None:
    """Recompute the digest and features of a finished log."""
    row = _current(log, lock=False)
    if isinstance(row, HostResult) and row.status not in HOST_UNFINISHED:
        fingerprinting.take([row])
