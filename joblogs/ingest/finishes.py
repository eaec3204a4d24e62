"""Finishes of a stream, which become visible together with or after all other data of their job.

A job's finishes are held back while the stream may still contain records of the job. Then they are
written in separate transactions, host results first, then steps and jobs, locked in the common
order (job, step, host result; ids ascending).
"""

from __future__ import annotations

import functools
import itertools
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from joblogs import database

from . import changed_steps, digests, notice_work, precedence
from .batching import End
from .held_finishes import (
    FILE_LOG,
    HOST_RESULT,
    JOB,
    KINDS,
    STEP,
    Finish,
    Kind,
)
from .report import CUT_MESSAGE, Outcome, Reason, Refused

HELD_MAX = 50_000
"""Most finishes that a stream holds back; beyond it the oldest are written before its end."""
QUIET_BATCHES = 4
"""Batches in a row without a record of a job, after which the job is taken to be complete."""
ROWS_AT_ONCE = 1000

PARTS = {HOST_RESULT: FILE_LOG, JOB: STEP}
"""Kinds of rows in the order in which they are written, and the kind of their parts."""

_Due = tuple[int, Kind, int]
"""Key of the owner, kind and key of a row whose finish is to be written."""
Span = tuple[int, int, int]
"""Key of a job, and the first and last line of a batch about it."""


class Finishes:
    """Finishes that one stream holds back, and the jobs of which it may still contain records.

    `held` has the finishes of each kind by key of the row.
    """

    def __init__(self) -> None:
        self.held: dict[str, dict[int, Finish]] = {kind.type_name: {} for kind in KINDS}
        self._last_batch: dict[int, int] = {}
        self._batch_number = 0
        self._newest: int | None = None
        self._mixed = False
        """Whether the stream returned to a job after records of another one."""

    def hold(self, kind: Kind, held_back: Mapping[int, Finish | None]) -> None:
        """Add the finishes that a committed transaction holds back (`PendingRows.held_back`)."""
        held = self.held[kind.type_name]
        for key, finish in held_back.items():
            if finish is None:
                held.pop(key, None)
            else:
                held[key] = finish

    def track(self, spans: Iterable[Span]) -> None:
        """Note which jobs a batch was about, once it is applied."""
        self._batch_number += 1
        end, newest = 0, self._newest
        for at, (job, first, last) in enumerate(sorted(spans, key=lambda span: span[1])):
            goes_on = at == 0 and job == self._newest
            if first < end or (job in self._last_batch and not goes_on):
                self._mixed = True
            if last > end:
                end, newest = last, job
            self._last_batch[job] = self._batch_number
        self._newest = newest
        held = {finish.job for finish in self._all()}
        self._last_batch = {
            job: at for job, at in self._last_batch.items() if job in held or job == newest
        }

    def write_due(self, end: End) -> Outcome:
        """Write the finishes of complete jobs, and the oldest ones beyond HELD_MAX.

        At the end of the stream all jobs are complete. If it was cut, jobs before the last one are
        complete; of the others every record that states a finish is refused.
        """
        outcome = Outcome()
        if not any(self.held.values()):
            return outcome
        if end is End.WHOLE:
            self._write(None, outcome)
            return outcome
        if not self._mixed:
            self._write(self._passed(QUIET_BATCHES if end is End.OPEN else 0), outcome)
        if end is End.CUT:
            self._refuse_all(outcome)
            return outcome
        # First the jobs without records for the longest time, then parts of the remaining jobs.
        self._write(self._quietest(self._size() - HELD_MAX), outcome)
        oldest = itertools.islice(self._due(HOST_RESULT, None), max(0, self._size() - HELD_MAX))
        self._write_rows(HOST_RESULT, list(oldest), outcome)
        return outcome

    def _refuse_all(self, outcome: Outcome) -> None:
        for kind in KINDS:
            outcome.refused += [
                Refused(line, kind.type_name, Reason.INVALID, CUT_MESSAGE)
                for finish in self.held[kind.type_name].values()
                for line, _ in finish.taken
            ]
            self.held[kind.type_name].clear()

    def _all(self) -> Iterable[Finish]:
        return itertools.chain.from_iterable(held.values() for held in self.held.values())

    def _size(self) -> int:
        return sum(map(len, self.held.values()))

    def _passed(self, batches: int) -> set[int]:
        """Return jobs that the stream has left, for at least this many batches."""
        return {
            job
            for job, last in self._last_batch.items()
            if job != self._newest and self._batch_number - last >= batches
        }

    def _quietest(self, count: int) -> set[int]:
        """Return jobs with at least this many finishes together, except the current job."""
        chosen: set[int] = set()
        if count > 0:
            sizes = Counter(finish.job for finish in self._all())
            for job in sorted(self._last_batch, key=self._last_batch.__getitem__):
                if count > 0 and job != self._newest:
                    chosen.add(job)
                    count -= sizes[job]
        return chosen

    def _due(self, owner: Kind, jobs: Collection[int] | None) -> Iterator[_Due]:
        """Yield the finishes of owners and their parts, oldest first."""
        for kind in (owner, PARTS[owner]):
            for key, finish in self.held[kind.type_name].items():
                if jobs is None or finish.job in jobs:
                    yield finish.owner, kind, key

    def _write(self, jobs: Collection[int] | None, outcome: Outcome) -> None:
        """Write the finishes of these jobs; None: of all jobs."""
        for owner in PARTS if jobs is None or jobs else ():
            self._write_rows(owner, list(self._due(owner, jobs)), outcome)

    def _write_rows(self, owner: Kind, due: list[_Due], outcome: Outcome) -> None:
        # Write each owner with or after its parts.
        due.sort(key=lambda entry: (entry[0], entry[1] is owner, entry[2]))
        for start in range(0, len(due), ROWS_AT_ONCE):
            some = due[start : start + ROWS_AT_ONCE]
            started = time.thread_time()
            write = functools.partial(self._write_some, owner, some)
            written, changed = database.retrying(write)
            outcome.accepted += written.accepted
            outcome.duplicates += written.duplicates
            outcome.refused += written.refused
            for _, kind, key in some:
                del self.held[kind.type_name][key]
            if owner is HOST_RESULT:
                digests.take(changed, seconds=time.thread_time() - started)

    def _write_some(self, owner: Kind, some: Sequence[_Due]) -> tuple[Outcome, list[Any]]:
        """Write finishes in one transaction; return the outcome and the changed owners."""
        outcome = Outcome()
        keys = {kind: [key for _, of, key in some if of is kind] for kind in (PARTS[owner], owner)}
        with transaction.atomic():
            # The owners are locked first, even if they do not change.
            owners = list(_locked(owner, {key for key, _, _ in some}))
            parts = PARTS[owner]
            ended: list[Any] = []
            if keys[parts]:
                ended = self._finish(parts, keys[parts], _locked(parts, keys[parts]), outcome)
            due_keys = set(keys[owner])
            own = [row for row in owners if row.pk in due_keys]
            changed = self._finish(owner, keys[owner], own, outcome)
            steps = {r.step_id for r in changed} if owner is HOST_RESULT else {r.pk for r in ended}
            changed_steps.add(steps)
            notice_work.add_ended([step.pk for step in ended] if owner is JOB else [])
            return outcome, changed

    def _finish(
        self, kind: Kind, keys: Sequence[int], rows: Iterable[Any], outcome: Outcome
    ) -> list[Any]:
        """Write the finishes of locked rows; return the rows that changed."""
        held, changed, resolved = self.held[kind.type_name], [], set(keys)
        for row in rows:
            finish = held[row.pk]
            resolved.discard(row.pk)
            if precedence.apply(row, finish.changes(kind, row)):
                changed.append(row)
                outcome.accepted += len(finish.taken)
            else:
                # Another stream has written the same finish or newer data.
                for _, besides in finish.taken:
                    outcome.count(changed=besides)
        database.save_columns(kind.model, kind.ordered_columns, changed)
        message = f"the {kind.type_name} was removed while the stream was read"
        outcome.refused += [
            Refused(line, kind.type_name, Reason.UNKNOWN_PARENT, message)
            for key in sorted(resolved)
            for line, _ in held[key].taken
        ]
        return changed


def _locked(kind: Kind, keys: Collection[int]) -> QuerySet[Any]:
    rows: QuerySet[Any] = kind.model._default_manager.filter(database.InArray("pk", keys))
    return rows.defer(*kind.large).select_for_update(no_key=True).order_by("pk")
