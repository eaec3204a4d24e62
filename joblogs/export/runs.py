"""Runs of a host in an export: the selected results, and those that hold its log."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from joblogs.models import HostResult
from joblogs.query import Attempts, Row, StepHost, effective_attempt

from .selection import Selection


@dataclass(frozen=True, slots=True)
class Run:
    """Output of a host as of its newest selected attempt, or of one attempt of several."""

    newest: HostResult
    """Whose status and addresses are shown."""
    host: StepHost
    """With the rows that hold the log; with none if the host was not run again in this attempt."""
    results: tuple[HostResult, ...]

    @property
    def name(self) -> str:
        """Display name of the host."""
        newest = self.newest
        return newest.host_name or newest.ip or newest.ipv6 or str(newest.host_id)


@dataclass(frozen=True, slots=True)
class HostRuns:
    """A selected host of a step."""

    results: tuple[HostResult, ...]
    """By attempt, batch and role."""
    runs: tuple[Run, ...]

    @property
    def newest(self) -> HostResult:
        """Its last result."""
        return self.runs[-1].newest

    @property
    def whole(self) -> StepHost:
        """With all of its output."""
        return _step_host(self.newest, [result for run in self.runs for result in run.results])


def runs_of(
    results: Sequence[HostResult], selection: Selection, with_files: Collection[int] | None
) -> HostRuns | None:
    """A host's runs; None if it has none among the selected attempts.

    `results` are all of the host in its step, `with_files` as `effective_attempt` has it.
    """
    selected = [result for result in results if _is_meant(result, selection.attempts)]
    if not selected:
        return None
    if selection.every_attempt:
        counts = sorted({result.execute_count for result in selected})
        return HostRuns(tuple(selected), tuple(_attempt(selected, n, with_files) for n in counts))
    newest, effective_results = _newest(selected), _effective_results(selected, with_files)
    keys = {result.pk for result in (newest, *effective_results)}
    shown_results = tuple(result for result in selected if result.pk in keys)
    return HostRuns(shown_results, (_run(newest, effective_results),))


def only(result: HostResult) -> StepHost:
    """A host with one of its results for its log."""
    return _step_host(result, [result])


def _attempt(results: Sequence[HostResult], count: int, with_files: Collection[int] | None) -> Run:
    """One attempt for itself: what was not run again then printed nothing."""
    until = [result for result in results if result.execute_count <= count]
    own = [result for result in until if result.execute_count == count]
    printed = [
        result for result in _effective_results(until, with_files) if result.execute_count == count
    ]
    return _run(_newest(own), printed)


def _run(newest: HostResult, effective_results: Sequence[HostResult]) -> Run:
    return Run(newest, _step_host(newest, effective_results), tuple(effective_results))


def _is_meant(result: HostResult, attempts: Attempts) -> bool:
    top, batch = attempts
    return (top is None or result.execute_count <= top) and batch in (None, result.batch)


def _newest(results: Sequence[HostResult]) -> HostResult:
    # The target's before the source's, the newest attempt's before earlier ones'.
    return max(results, key=lambda r: (-r.role, r.execute_count, r.batch))


def _effective_results(
    results: Sequence[HostResult], with_files: Collection[int] | None
) -> list[HostResult]:
    by_pk = {result.pk: result for result in results}
    newest_first = sorted(results, key=lambda r: (r.batch, r.role, -r.execute_count))
    return [
        by_pk[effective_attempt([_row(result) for result in own], with_files).pk]
        for _, own in itertools.groupby(newest_first, key=lambda r: (r.batch, r.role))
    ]


def _step_host(newest: HostResult, effective_results: Sequence[HostResult]) -> StepHost:
    rows = tuple(map(_row, effective_results))
    return StepHost(newest.host_id, newest.bk_cloud_id, newest.ip, newest.ipv6, rows)


def _row(result: HostResult) -> Row:
    row = Row._make(getattr(result, name) for name in Row._fields)
    return row._replace(redacted=bool(result.redacted))
