"""Runs of a host in an export: as of the newest selected attempt, or each attempt separately."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from joblogs.models import HostResult
from joblogs.query import Result, StepHost
from joblogs.query.hosts import host_with, newest_of

from .selection import Selection


@dataclass(frozen=True, slots=True)
class HostRuns:
    """A selected host of a step."""

    results: Sequence[HostResult]
    """By attempt, batch and role."""
    runs: Sequence[StepHost]
    """A run without results: the host was not run again in this attempt."""

    @property
    def newest(self) -> Result | HostResult:
        """The newest result of the host."""
        return self.runs[-1].newest

    @property
    def whole(self) -> StepHost:
        """The host with the output of all its runs."""
        return StepHost(self.newest, [result for run in self.runs for result in run.results])


def runs_of(
    results: Sequence[HostResult], selection: Selection, with_files: Collection[int] | None
) -> HostRuns | None:
    """Return a host's runs; None if it has none among the selected attempts.

    `results` are all results of the host in its step, `with_files` is from `owners_of_files`.
    """
    selected = list(filter(selection.attempts.include, results))
    if not selected:
        return None
    if selection.every_attempt:
        return HostRuns(selected, list(_each_attempt(selected, with_files)))
    run = host_with(selected, with_files)
    keys = {result.pk for result in (run.newest, *run.results)}
    return HostRuns([result for result in selected if result.pk in keys], [run])


def _each_attempt(
    results: Sequence[HostResult], with_files: Collection[int] | None
) -> Iterator[StepHost]:
    """Yield each attempt separately; a host that was not run again has no output in it."""
    for count in sorted({result.execute_count for result in results}):
        until = [result for result in results if result.execute_count <= count]
        printed = host_with(until, with_files).results
        own = newest_of(result for result in until if result.execute_count == count)
        yield StepHost(own, [result for result in printed if result.execute_count == count])
