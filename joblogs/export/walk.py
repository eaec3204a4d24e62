"""The rows and logs of a selection in their order, in bounded memory, and what was read of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from joblogs import query, search
from joblogs.choices import Outcome, StepType
from joblogs.models import FileLog, HostResult, JobInstance, StepInstance
from joblogs.query import FileLogs, State, StepHost, canonical_order
from joblogs.query.hosts import by_host, file_bytes, owners_of_files

from .runs import HostRuns, runs_of
from .selection import Selection


@dataclass(frozen=True, slots=True)
class Group:
    """Some selected hosts of a step."""

    step: StepInstance
    hosts: list[HostRuns]

    @property
    def runs(self) -> list[StepHost]:
        return [run for host in self.hosts for run in host.runs]


@dataclass(frozen=True, slots=True)
class Log:
    """Log of a script or of one file transfer. Its parts can be read once."""

    size: int
    parts: Iterator[bytes]
    file: FileLog | None = None


@dataclass(slots=True)
class Tally:
    """What went out: rows, bytes of text, and how complete the logs of hosts are."""

    jobs: int = 0
    steps: int = 0
    hosts: int = 0
    size: int = 0
    states: Counter[State] = field(default_factory=Counter)


Item = JobInstance | StepInstance | Group


class ReadRecord(Protocol):
    """Audit row of one step: updated before and after its logs are read."""

    hosts: int

    def begin(self, size: int) -> None: ...

    def end(self, size: int) -> None: ...


class Reading(Protocol):
    """Makes the record of a step; `search` where its logs are looked through for a text."""

    def __call__(self, step: StepInstance, *, search: bool) -> ReadRecord: ...


ProgressCallback = Callable[[int], object]
"""Called with the number of bytes of text that were read since its last call."""


def _ignore(*sizes: object) -> None:
    pass


@dataclass
class _Unrecorded:
    """Record of a step that is not audited."""

    step: StepInstance
    search: bool
    hosts: int = 0

    def begin(self, size: int) -> None:
        pass

    def end(self, size: int) -> None:
        pass


@dataclass
class Walk:
    """A selection, to be walked once.

    What is read of a step is recorded before anything of it goes out, group of hosts by group.
    """

    selection: Selection
    passed: ProgressCallback = _ignore
    reading: Reading = _Unrecorded
    tally: Tally = field(default_factory=Tally)
    created: int = field(default_factory=lambda: int(time.time() * 1000))
    _step: StepInstance | None = None
    _record: ReadRecord | None = None
    _size: int = 0

    def items(self) -> Iterator[Item]:
        """Each job, its steps, and their hosts in groups.

        Where hosts are chosen, jobs and steps without any of them are left out.
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
            return  # its logs are those of files: counted as they are read
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
        """Record what is about to be read of these hosts of a step."""
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
        """Hosts of which a log holds the text. Matching logs are read twice, not kept in memory."""
        pattern = self.selection.contains
        assert pattern is not None  # noqa: S101 - called only then
        searched = 0

        def taken(size: int) -> None:
            nonlocal searched
            searched += size
            self.passed(size)

        holding = []
        for host, logs in zip(
            hosts, logs_of(step, [host.whole for host in hosts], taken), strict=True
        ):
            searched = 0
            if any(search.occurs(pattern, log.parts) for log in logs):
                holding.append(host)  # what it holds counts as it goes out
            else:
                self._size += searched
        return holding

    def logs(self, step: StepInstance, hosts: Sequence[StepHost]) -> Iterator[Iterator[Log]]:
        """Of each host its logs, counted as they are read."""
        for own in logs_of(step, hosts, self._taken):
            yield self._count_file_states(step, own)

    def _count_file_states(self, step: StepInstance, logs: Iterator[Log]) -> Iterator[Log]:
        for log in logs:
            if log.file is not None:
                self.tally.states[query.files_state(step, [log.file]).state] += 1
            yield log

    def _taken(self, size: int) -> None:
        self.tally.size += size
        self._size += size
        # Where a text is looked for, it has passed once already.
        self.passed(size if self.selection.contains is None else 0)

    def is_empty(self, *, rows_count: bool) -> bool:
        """Whether nothing was selected; `rows_count`: a job without a host is something too."""
        return not (self.tally.hosts or (rows_count and self.tally.jobs))

    def settle(self) -> None:
        """Record what was read of the step that is left behind."""
        if self._record is not None:
            self._record.end(self._size)
        self._step, self._record, self._size = None, None, 0


def logs_of(
    step: StepInstance, hosts: Sequence[StepHost], taken: ProgressCallback = _ignore
) -> Iterator[Iterator[Log]]:
    """Of each host its logs: a script's, then those of files by batch, mode and task key.

    Text is fetched in groups of bounded size; a host's is gone once the next host is fetched.
    """
    scripts, files = query.script_logs(step, hosts), query.file_logs(step, hosts, masks=True)
    for (host, parts), (_, own) in zip(scripts, files, strict=True):
        yield _logs_of_host(step, host, parts, own, taken)


def _logs_of_host(
    step: StepInstance,
    host: StepHost,
    parts: Iterable[bytes],
    files: FileLogs,
    taken: ProgressCallback,
) -> Iterator[Log]:
    size = query.readable_size(step, host)
    if size or step.step_type != StepType.FILE:
        yield Log(size, _counted(parts, taken))
    for file in files:
        yield Log(file.held_size, _counted([bytes(file.content)], taken), file)


def _counted(parts: Iterable[bytes], taken: ProgressCallback) -> Iterator[bytes]:
    for part in parts:
        # Before it is yielded: a caller that stops in the middle has read it too.
        taken(len(part))
        yield part
