"""Pending finishes: final states that are held back until all data of a row is stored.

While records are merged, a row has its final values, so that records are counted as if nothing were
held back. Just before it is saved, it gets back the values that readers may see: if a reader sees
"finished", the logs can be read (docs/records.md, "Finished means readable").
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
    """A type of row that finishes. `columns` belong to its finish, the status first."""

    type_name: str
    model: type[Any]
    columns: tuple[str, ...]
    rank: precedence.Rank
    running: Callable[[Any], int]
    """Function that returns the status to show while the finish of a waiting row is held back."""
    counts_runs: bool = False
    owner: str = "pk"
    """Column with the key of the row that it is a part of, or its own key."""
    large: tuple[str, ...] = ()
    """Large columns that no finish needs."""

    @property
    def ordered_columns(self) -> tuple[str, ...]:
        """`columns`, and those that decide with the status which of two records is newer."""
        order = ("update_time", "execute_count") if self.counts_runs else ("update_time",)
        return (*self.columns, *order)

    def changes(self, row: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns of a row that a record with these values changes."""
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
"""Line number of a record, and whether it changed anything besides its finish."""


@dataclass(frozen=True, slots=True)
class Finish:
    """A finish that is held back: values of its kind's `ordered_columns`, and its records."""

    values: tuple[Any, ...]
    taken: tuple[Taken, ...]
    job: int
    owner: int

    def changes(self, kind: Kind, row: Any) -> dict[str, Any]:
        """Return the columns that the finish changes in its row as it is stored now."""
        return kind.changes(row, dict(zip(kind.ordered_columns, self.values, strict=True)))


@dataclass(slots=True)
class _MergedRow:
    """A row with its pending values, and its stored finish; `before` is None for a new row."""

    row: Any
    before: tuple[Any, ...] | None
    earlier: tuple[Taken, ...] = ()
    """Records of earlier batches with the finish that is held back."""
    taken: list[Taken] = field(default_factory=list)
    """Records of this transaction with the row's current finish."""


class PendingRows:
    """Rows of a kind within one transaction, some of which have pending finishes.

    `rows` are the stored rows, `held` the finishes of earlier batches by kind, and `job` returns
    the key of a row's job. `at_once`: all data of these rows is written in this transaction, so
    that no finishes are held back except those that already are.
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
        # Apply the held finishes to the rows, unless another stream has stored newer data.
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
        """Add a row that a record has created."""
        self._rows[id(row)] = _MergedRow(row, None)
        self._count(line, row, besides=True)

    def take(
        self, line: int, row: Any, values: Mapping[str, Any], *, news: bool = False
    ) -> dict[str, Any]:
        """Merge a record's values into its row; return the columns that changed, with their values.

        `news`: the record has changed something else already.
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
        """Set the values that readers may see on the rows, just before they are saved."""
        for merged in self._rows.values():
            if self._holds(merged):
                self._pending.append((merged, self._values(merged.row)))
                self._restore(merged)
            else:
                # The finish is written now, or newer data has replaced it.
                self._outcome.accepted += len(merged.taken) + len(merged.earlier)

    def held_back(self) -> dict[int, Finish | None]:
        """Return the finishes that are held back, by key of the row, after the rows were saved.

        None stands for a row whose earlier finish newer records have replaced.
        """
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
        """Return whether readers may not see the row's current finish yet."""
        kind, row, before = self.kind, merged.row, merged.before
        is_finished = kind.rank(row.status) == FINISHED
        if not is_finished or (self._at_once and not merged.earlier):
            return False
        if before is None or kind.rank(before[0]) != FINISHED:
            return True
        # It had finished before, and was run again.
        return kind.counts_runs and bool(row.execute_count > before[-1])

    def _values(self, row: Any) -> tuple[Any, ...]:
        return tuple([getattr(row, column) for column in self.kind.ordered_columns])

    def _restore(self, merged: _MergedRow) -> None:
        kind, row, before = self.kind, merged.row, merged.before
        self._set(row, kind.columns, before or (None,) * len(kind.columns))
        if before is None or kind.rank(row.status) != RUNNING:
            # It was waiting, or had finished before and was run again.
            row.status = kind.running(row)

    @staticmethod
    def _set(row: Any, columns: Iterable[str], values: Iterable[Any]) -> None:
        for column, value in zip(columns, values, strict=False):
            setattr(row, column, value)
