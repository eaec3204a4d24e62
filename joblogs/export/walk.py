"""Iteration over the rows and logs of a selection, in canonical order and bounded memory."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from joblogs import query, search
from joblogs.choices import Outcome, StepType
from joblogs.models import HostResult, JobInstance, StepInstance
from joblogs.query import State, StepHost, canonical_order
from joblogs.query.hosts import by_host, file_bytes, owners_of_files

from .host_logs import ExportedLog, LeftOut, ProgressCallback, ignore, logs_of
from .runs import HostRuns, runs_of
from .selection import Selection


@dataclass(frozen=True, slots=True)
class Group:
    """Selected hosts of a step that are processed together."""

    step: StepInstance
    hosts: list[HostRuns]

    @property
    def runs(self) -> list[StepHost]:
        return [run for host in self.hosts for run in host.runs]


@dataclass(slots=True)
class Tally:
    """Counts of an export: rows, bytes of text, and logs by completeness."""

    jobs: int = 0
    steps: int = 0
    hosts: int = 0
    size: int = 0
    states: Counter[State] = field(default_factory=Counter)


Item = JobInstance | StepInstance | Group


class ReadRecord(Protocol):
    """Protocol of an audit row of one step, updated before and after its logs are read."""

    hosts: int

    def begin(self, size: int) -> None: ...

    def end(self, size: int) -> None: ...


class Reading(Protocol):
    """Protocol of a factory of a step's audit row; `search`: its logs are searched for a text."""

    def __call__(self, step: StepInstance, *, search: bool) -> ReadRecord: ...


@dataclass
class _Unrecorded:
    """Audit row of a step that is not recorded."""

    step: StepInstance
    search: bool
    hosts: int = 0

    def begin(self, size: int) -> None:
        pass

    def end(self, size: int) -> None:
        pass


@dataclass
class Walk:
    """Iteration over a selection, to be used once.

    The read of a group of hosts is recorded before any of its text is returned.
    """

    selection: Selection
    passed: ProgressCallback = ignore
    left_out: LeftOut | None = None
    """Called for logs that cannot be read, which are left out; None: the error is raised."""
    reading: Reading = _Unrecorded
    tally: Tally = field(default_factory=Tally)
    created: int = field(default_factory=lambda: int(time.time() * 1000))
    _step: StepInstance | None = None
    _record: ReadRecord | None = None
    _size: int = 0

    def items(self) -> Iterator[Item]:
        """Yield each job, its steps, and their hosts in groups.

        If the selection narrows hosts, jobs and steps without selected hosts are left out.
        """
        for item in self._items():
            match item:
                case JobInstance():
                    self.tally.jobs += 1
                case StepInstance():
                    self.tally.steps += 1
                case Group():
                    self.tally.hosts += len(item.hosts)
                    self._count_script_states(item)
            yield item

    def _count_script_states(self, group: Group) -> None:
        step = group.step
        if step.step_type == StepType.FILE and step.job.expired_at is None:
            return  # its logs are file logs, which are counted when they are read
        states = (query.log_state(step, run) for run in group.runs)
        self.tally.states.update(host.state for host in states)

    def _items(self) -> Iterator[Item]:
        chosen = self.selection
        for page in canonical_order.jobs_in_order(chosen.narrowed_jobs()):
            for job, steps in canonical_order.steps_in_order(page, chosen.steps):
                waiting: list[Item] = [job]
                for step in steps:
                    waiting.append(step)
                    if not chosen.narrows_hosts:
                        yield from waiting
                        waiting.clear()
                    for group in self._groups(step):
                        yield from waiting
                        waiting.clear()
                        yield group
                    if waiting:
                        waiting.pop()
                if not chosen.narrows_hosts:
                    yield from waiting

    def _groups(self, step: StepInstance) -> Iterator[Group]:
        for page in canonical_order.results_in_order(step, self.selection.condition):
            hosts = self._selected(step, page)
            shown_keys = {
                result.pk for host in hosts for run in host.runs for result in run.results
            }
            self.passed(sum(result.held_size for result in page if result.pk not in shown_keys))
            if hosts:
                self._begin(step, hosts)
            if self.selection.contains is not None:
                hosts = self._holding(step, hosts)
            if hosts:
                yield Group(step, hosts)

    def _begin(self, step: StepInstance, hosts: Sequence[HostRuns]) -> None:
        """Record the read of these hosts of a step before it starts."""
        if self._step != step or self._record is None:
            self.settle()
            self._step = step
            self._record = self.reading(step, search=self.selection.contains is not None)
        self._record.hosts += len(hosts)
        sizes_of = {result.pk: result.held_size for host in hosts for result in host.results}
        files = file_bytes(sizes_of) if step.step_type == StepType.FILE else 0
        self._record.begin(self._size + sum(sizes_of.values()) + files)

    def _selected(self, step: StepInstance, page: Sequence[HostResult]) -> list[HostRuns]:
        chosen = self.selection
        with_files = owners_of_files(step, page)
        hosts = []
        for results in by_host(page):
            host = runs_of(results, chosen, with_files) if chosen.names(results) else None
            if host and chosen.outcome in (None, Outcome.of(host.newest.status)):
                hosts.append(host)
        return hosts

    def _holding(self, step: StepInstance, hosts: Sequence[HostRuns]) -> list[HostRuns]:
        """Return the hosts with a log that contains the text.

        Matching logs are read twice instead of being kept in memory.
        """
        pattern = self.selection.contains
        assert pattern is not None  # noqa: S101 - called only then
        searched = 0

        def taken(size: int) -> None:
            nonlocal searched
            searched += size
            self.passed(size)

        holding = []
        wholes = [host.whole for host in hosts]
        for host, logs in zip(
            hosts, logs_of(step, wholes, taken, left_out=self.left_out), strict=True
        ):
            searched = 0
            if any(search.occurs(pattern, log.parts) for log in logs):
                holding.append(host)  # its bytes are counted when they are returned
            else:
                self._size += searched
        return holding

    def logs(
        self, step: StepInstance, hosts: Sequence[StepHost]
    ) -> Iterator[Iterator[ExportedLog]]:
        """Yield the logs of each host, counted as they are read."""
        for own in logs_of(step, hosts, self._taken, left_out=self.left_out):
            yield self._count_states(step, own)

    def _count_states(
        self, step: StepInstance, logs: Iterator[ExportedLog]
    ) -> Iterator[ExportedLog]:
        for log in logs:
            if log.file is not None:
                self.tally.states[query.files_state(step, [log.file]).state] += 1
            yield log
            self.tally.states[State.UNREACHABLE] += bool(log.missing)

    def _taken(self, size: int) -> None:
        self.tally.size += size
        self._size += size
        # If a text is searched for, these bytes were reported during the search.
        self.passed(size if self.selection.contains is None else 0)

    def is_empty(self, *, rows_count: bool) -> bool:
        """Return whether nothing was selected; with `rows_count` a job without hosts counts too."""
        return not (self.tally.hosts or (rows_count and self.tally.jobs))

    def settle(self) -> None:
        """Complete the audit row of the current step."""
        if self._record is not None:
            self._record.end(self._size)
        self._step, self._record, self._size = None, None, 0
