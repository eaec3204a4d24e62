"""Which results of a host an export is about, and which of them hold the log that it prints."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from joblogs.models import HostResult
from joblogs.query import Attempts, Row, StepHost, standing_for

from .selection import Selection


@dataclass(frozen=True, slots=True)
class Run:
    """What a host printed, as of its newest attempt that is meant, or in one attempt of several."""

    shown: HostResult
    """Whose status and addresses are shown."""
    host: StepHost
    """With the rows that hold the log; with none if the host was not run again in this attempt."""
    results: tuple[HostResult, ...]

    @property
    def name(self) -> str:
        """What people call the host."""
        shown = self.shown
        return shown.host_name or shown.ip or shown.ipv6 or str(shown.host_id)


@dataclass(frozen=True, slots=True)
class HostRuns:
    """A selected host of a step."""

    results: tuple[HostResult, ...]
    """By attempt, batch and role."""
    runs: tuple[Run, ...]

    @property
    def shown(self) -> HostResult:
        """How the step went on it in the end."""
        return self.runs[-1].shown

    @property
    def whole(self) -> StepHost:
        """With all that it printed."""
        return _step_host(self.shown, [result for run in self.runs for result in run.results])


def runs_of(
    results: Sequence[HostResult], selection: Selection, with_files: Collection[int] | None
) -> HostRuns | None:
    """A host's runs; None if it has none among the attempts that are meant.

    `results` are all of the host in its step, `with_files` as `standing_for` has it.
    """
    meant = [result for result in results if _is_meant(result, selection.attempts)]
    if not meant:
        return None
    if selection.every_attempt:
        counts = sorted({result.execute_count for result in meant})
        return HostRuns(tuple(meant), tuple(_attempt(meant, n, with_files) for n in counts))
    shown, standing = _shown(meant), _standing(meant, with_files)
    kept = {result.pk for result in (shown, *standing)}
    told = tuple(result for result in meant if result.pk in kept)
    return HostRuns(told, (_run(shown, standing),))


def only(result: HostResult) -> StepHost:
    """A host with one of its results for its log."""
    return _step_host(result, [result])


def _attempt(results: Sequence[HostResult], count: int, with_files: Collection[int] | None) -> Run:
    """One attempt for itself: what was not run again then printed nothing."""
    until = [result for result in results if result.execute_count <= count]
    own = [result for result in until if result.execute_count == count]
    printed = [result for result in _standing(until, with_files) if result.execute_count == count]
    return _run(_shown(own), printed)


def _run(shown: HostResult, standing: Sequence[HostResult]) -> Run:
    return Run(shown, _step_host(shown, standing), tuple(standing))


def _is_meant(result: HostResult, attempts: Attempts) -> bool:
    top, batch = attempts
    return (top is None or result.execute_count <= top) and batch in (None, result.batch)


def _shown(results: Sequence[HostResult]) -> HostResult:
    # The target's before the source's, the newest attempt's before earlier ones' (DESIGN §2).
    return max(results, key=lambda r: (-r.role, r.execute_count, r.batch))


def _standing(
    results: Sequence[HostResult], with_files: Collection[int] | None
) -> list[HostResult]:
    by_pk = {result.pk: result for result in results}
    newest_first = sorted(results, key=lambda r: (r.batch, r.role, -r.execute_count))
    return [
        by_pk[standing_for([_row(result) for result in own], with_files).pk]
        for _, own in itertools.groupby(newest_first, key=lambda r: (r.batch, r.role))
    ]


def _step_host(shown: HostResult, standing: Sequence[HostResult]) -> StepHost:
    rows = tuple(map(_row, standing))
    return StepHost(shown.host_id, shown.bk_cloud_id, shown.ip, shown.ipv6, rows)


def _row(result: HostResult) -> Row:
    row = Row._make(getattr(result, name) for name in Row._fields)
    return row._replace(redacted=bool(result.redacted))
