"""Pending finishes: end states kept out of a row until everything of it is stored.

While records are merged a row shows what it will be, so that each of them counts as if nothing were
held back. Just before it is written it gets back what readers may see: who reads "finished" can
read the logs (docs/records.md, "Finished means readable").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from joblogs.choices import (
    FINISHED,
    RUNNING,
    FileMode,
    FileStatus,
    HostStatus,
    RunStatus,
    file_rank,
    host_rank,
    run_rank,
)
from joblogs.models import FileLog, HostResult, JobInstance, StepInstance

from . import precedence
from .report import Outcome


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of row that finishes. `columns` say that it has, the status first."""

    type_name: str
    model: type[Any]
    columns: tuple[str, ...]
    rank: precedence.Rank
    running: Callable[[Any], int]
    """The status of a row that is not running already while its finish is held back."""
    counts_runs: bool = False
    owner: str = "pk"
    """The column with the key of the row that it is a part of, or of itself."""
    large: tuple[str, ...] = ()
    """Columns that no finish needs."""

    @property
    def ordered_columns(self) -> tuple[str, ...]:
        """With the columns beside the status that tell which of two records is the newer one."""
        order = ("update_time", "execute_count") if self.counts_runs else ("update_time",)
        return (*self.columns, *order)

    def changes(self, row: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        """What a record that says this changes in a row."""
        return precedence.changes(row, values, rank=self.rank, counts_runs=self.counts_runs)


_RUN_COLUMNS = ("status", "end_time", "total_time")
JOB = Kind(
    "job", JobInstance, _RUN_COLUMNS, run_rank, lambda row: RunStatus.RUNNING, counts_runs=True
)
STEP = Kind(
    "step",
    StepInstance,
    _RUN_COLUMNS,
    run_rank,
    lambda row: RunStatus.RUNNING,
    counts_runs=True,
    owner="job_id",
)
HOST_RESULT = Kind(
    "host_result",
    HostResult,
    ("status", "end_time", "total_time", "exit_code", "error_code", "tag"),
    host_rank,
    lambda row: HostStatus.RUNNING,
    large=("redacted",),
)
FILE_LOG = Kind(
    "file_log",
    FileLog,
    ("status",),
    file_rank,
    lambda row: FileStatus.DOWNLOADING if row.mode == FileMode.DOWNLOAD else FileStatus.UPLOADING,
    owner="host_result_id",
    large=("content", "redacted"),
)
KINDS = (JOB, STEP, HOST_RESULT, FILE_LOG)

Taken = tuple[int, bool]
"""The line of a record, and whether it changed anything besides the finish that it states."""


@dataclass(frozen=True, slots=True)
class Finish:
    """A finish that is held back: its kind's `ordered_columns`, and its records' lines."""

    values: tuple[Any, ...]
    taken: tuple[Taken, ...]
    job: int
    owner: int

    def changes(self, kind: Kind, row: Any) -> dict[str, Any]:
        """What it changes in its row, as that is stored by now."""
        return kind.changes(row, dict(zip(kind.ordered_columns, self.values, strict=True)))


@dataclass(slots=True)
class _MergedRow:
    """A row with pending values applied, and its stored finish; `before` is None if it is new."""

    row: Any
    before: tuple[Any, ...] | None
    earlier: tuple[Taken, ...] = ()
    """Records of earlier batches whose finish is held back."""
    taken: list[Taken] = field(default_factory=list)
    """Records of this transaction that state the finish which the row has now."""


class PendingRows:
    """Rows of a kind within one transaction, some of whose finishes are pending.

    `rows` are those that are stored, `held` the finishes by kind that earlier batches left, `job`
    tells the key of a row's job. `at_once`: all that comes of these rows is written in this very
    transaction, so that nothing but what is held already stays so.
    """

    def __init__(
        self,
        kind: Kind,
        held: Mapping[str, Mapping[int, Finish]],
        rows: Iterable[Any],
        outcome: Outcome,
        *,
        job: Callable[[Any], int],
        at_once: bool = False,
    ) -> None:
        self.kind, self._outcome, self._job, self._at_once = kind, outcome, job, at_once
        self._rows: dict[int, _MergedRow] = {}
        self._pending: list[tuple[_MergedRow, tuple[Any, ...]]] = []
        # What is held back is put onto the rows, unless somebody else has moved them on.
        of_kind = held[kind.type_name]
        for row in rows if of_kind else ():
            if (finish := of_kind.get(row.pk)) is None:
                continue
            before = self._values(row)
            merged = _MergedRow(row, before, finish.taken)
            precedence.apply(row, finish.changes(self.kind, row))
            if self._holds(merged):
                self._rows[id(row)] = merged
            else:
                self._set(row, self.kind.ordered_columns, before)

    def add(self, line: int, row: Any) -> None:
        """A record has made this row."""
        self._rows[id(row)] = _MergedRow(row, None)
        self._count(line, row, besides=True)

    def take(
        self, line: int, row: Any, values: Mapping[str, Any], *, news: bool = False
    ) -> dict[str, Any]:
        """Merge what a record says into its row: the columns that it changed, and their values.

        `news`: the record changed something else already.
        """
        changed = self.kind.changes(row, values)
        if not changed:
            self._outcome.count(changed=news)
            return changed
        if id(row) not in self._rows:
            self._rows[id(row)] = _MergedRow(row, self._values(row))
        precedence.apply(row, changed)
        self._count(line, row, besides=news or not changed.keys() <= set(self.kind.columns))
        return changed

    def hide_finishes(self) -> None:
        """Give the rows back what readers may see, just before they are written."""
        for merged in self._rows.values():
            if self._holds(merged):
                self._pending.append((merged, self._values(merged.row)))
                self._restore(merged)
            else:
                # What was stated goes in now, or something newer stands in its place.
                self._outcome.accepted += len(merged.taken) + len(merged.earlier)

    def held_back(self) -> dict[int, Finish | None]:
        """What is held back of the rows, once they are written, by their keys; None where newer
        records say that a row runs whose finish was held back."""
        held: dict[int, Finish | None] = {
            merged.row.pk: None for merged in self._rows.values() if merged.earlier
        }
        for merged, values in self._pending:
            row = merged.row
            taken = (*merged.earlier, *merged.taken)
            owner = getattr(row, self.kind.owner)
            held[row.pk] = Finish(values, taken, self._job(row), owner)
        return held

    def _count(self, line: int, row: Any, *, besides: bool) -> None:
        merged = self._rows[id(row)]
        if self._holds(merged):
            merged.taken.append((line, besides))
        else:
            self._outcome.accepted += 1

    def _holds(self, merged: _MergedRow) -> bool:
        """Whether readers may not yet see the finish that the row has now."""
        kind, row, before = self.kind, merged.row, merged.before
        is_finished = kind.rank(row.status) == FINISHED
        if not is_finished or (self._at_once and not merged.earlier):
            return False
        if before is None or kind.rank(before[0]) != FINISHED:
            return True
        # One that ended before and was run again since.
        return kind.counts_runs and bool(row.execute_count > before[-1])

    def _values(self, row: Any) -> tuple[Any, ...]:
        return tuple([getattr(row, column) for column in self.kind.ordered_columns])

    def _restore(self, merged: _MergedRow) -> None:
        kind, row, before = self.kind, merged.row, merged.before
        self._set(row, kind.columns, before or (None,) * len(kind.columns))
        if before is None or kind.rank(row.status) != RUNNING:
            # Waiting, or ended before and run again since.
            row.status = kind.running(row)

    @staticmethod
    def _set(row: Any, columns: Iterable[str], values: Iterable[Any]) -> None:
        for column, value in zip(columns, values, strict=False):
            setattr(row, column, value)
