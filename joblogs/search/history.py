"""Search over history: finds the steps of many jobs, newest first, that printed a text.

Signatures exclude steps that cannot contain it; the others are searched like in a search within one
step. Steps without a signature are always searched, so that nothing is missed.
"""

from __future__ import annotations

import datetime
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import QuerySet

from joblogs import query, signed_parts
from joblogs.choices import Outcome, Role
from joblogs.filters import JobFilter, first_moment, last_moment
from joblogs.grouping.host_ranges import fold
from joblogs.models import HostResult, JobInstance, Scope, StepInstance
from joblogs.query import StepHost
from joblogs.signatures import PatternPlaces
from joblogs.signed_parts import FIRST_HOST, LAST_HOST, PartRow

from .finder import FoundLine
from .history_question import Cursor, Question, step_mark
from .patterns import Pattern
from .steps import LOST_STEPS, Budget, Search

STEPS_AT_ONCE = 2000
"""Steps whose signatures are queried together."""
LOADED_AT_ONCE = 100

Ranges = list[tuple[int, int]]
"""Ranges of host ids of a step: first and last."""


@dataclass(slots=True)
class StepHits:
    """Hits in a step: the hosts, the number of lines, and the first line with its host."""

    step: StepInstance
    host: StepHost
    label: str
    line: FoundLine
    attempt: int | None = None
    """Execute count that printed the line, if a later attempt replaced it on its host."""
    names: list[str] = field(default_factory=list)
    hosts: set[int] = field(default_factory=set)
    hits: int = 0
    searched_bytes: int = 0

    @property
    def folded(self) -> list[str]:
        """Folded names of the hosts."""
        return fold(self.names)


class SearchedStep(NamedTuple):
    """Step that a search covered: the key of its scope, and its ids."""

    scope: int
    job_instance_id: int
    step_instance_id: int


class _Candidate(NamedTuple):
    """Step that may contain the text, on some of its hosts."""

    create_time: int
    pk: int
    ranges: Ranges
    position: int
    """Index among the covered steps."""


@dataclass(slots=True)
class HistorySearch:
    """Search to be iterated once; afterwards it has its progress and what it read.

    `jobs` are the jobs that the reader may see, `scopes` are their scopes.
    """

    jobs: QuerySet[JobInstance]
    scopes: Iterable[Scope]
    question: Question
    seconds: float = 0
    """0 means no limit."""
    steps_max: int = 0
    """Maximum steps with hits; 0 means no limit."""
    start: Cursor | None = None
    steps: list[SearchedStep] = field(default_factory=list)
    """Steps that were searched, or excluded by their signature."""
    read_steps: int = 0
    """Number of steps whose text was read."""
    expired_steps: int = 0
    """Number of steps whose text has expired."""
    read_bytes: int = 0
    lost_logs: int = 0
    """Number of logs that could not be read: damaged, or unreachable now."""
    lost: list[tuple[StepInstance, list[StepHost]]] = field(default_factory=list)
    """The first LOST_STEPS steps with unreadable logs, and the hosts of these logs."""
    cut_logs: int = 0
    """Number of logs of which only the beginning was searched: one alone exceeds the time limit."""
    found: int = 0
    """Number of steps with hits."""
    cursor: Cursor | None = None
    """Where to continue; None if everything was searched."""
    _ends: float = 0

    def __iter__(self) -> Iterator[StepHits]:
        """Yield the steps with hits, newest first. Raises InvalidPattern or TooWide."""
        pattern, places = self.question.parsed()
        self._ends = time.monotonic() + self.seconds
        last = self.question.until
        if self.start is not None:
            last = min(last, self.start.day)
        # By ordinals: there is no date before year 1.
        for number in range(last.toordinal(), self.question.since.toordinal() - 1, -1):
            day = datetime.date.fromordinal(number)
            if day != last and self._is_over():
                self.cursor = Cursor(day)
                return
            for candidate, step in self._loaded(self._candidates(day, places)):
                yield from self._searched(step, candidate, pattern)
                if self.cursor is not None:
                    return

    def _is_over(self) -> bool:
        return bool(self.seconds) and time.monotonic() > self._ends

    def _searched(
        self, step: StepInstance, candidate: _Candidate, pattern: Pattern
    ) -> Iterator[StepHits]:
        here = Cursor(step.day, candidate.create_time, step_mark(step.pk))
        if self._is_over() or (self.steps_max and self.found >= self.steps_max):
            self.cursor = here._replace(host=candidate.ranges[0][0])
            del self.steps[candidate.position :]
            return
        every = query.hosts_as(step, Role.TARGET)
        earlier = _earlier(step, every)
        hosts = self._chosen(step, sorted([*every, *earlier], key=_id), candidate.ranges)
        if not hosts:
            return
        left = max(0.001, self._ends - time.monotonic()) if self.seconds else 0
        budget = Budget(seconds=left)
        search = Search(step, hosts, pattern, shown=1, budget=budget, what_is_there=True)
        step_hits: StepHits | None = None
        for hits in search:
            if search.stopped and not self._is_too_long(search, hosts):
                break  # this log is searched again completely when the search continues
            if step_hits is None:
                line = next(line for line in hits.lines if line.matches)
                attempt = hits.host.attempt if hits.host in earlier else None
                step_hits = StepHits(step, hits.host, hits.label, line, attempt)
            step_hits.hits += hits.count
            if hits.host.bk_host_id not in step_hits.hosts:
                step_hits.hosts.add(hits.host.bk_host_id)
                step_hits.names.append(hits.host.name)
        if search.stopped_at is not None:
            is_cut = self._is_too_long(search, hosts)
            self.cut_logs += is_cut
            self.cursor = here._replace(host=search.stopped_at.bk_host_id + is_cut)
            del self.steps[candidate.position + 1 :]
        self.read_steps += 1
        self.read_bytes += search.searched_bytes
        self.lost_logs += len(search.lost)
        if search.lost and len(self.lost) < LOST_STEPS:
            self.lost.append((step, search.lost))
        if step_hits is not None:
            self.found += 1
            step_hits.searched_bytes = search.searched_bytes
            yield step_hits

    def _is_too_long(self, search: Search, hosts: list[StepHost]) -> bool:
        """Return whether the log in which a search stopped had all the time: it is not searched
        again, or no search would get past it. Any other log is searched again from its start."""
        stopped = search.stopped_at
        is_first = stopped is not None and stopped.bk_host_id == hosts[0].bk_host_id
        return is_first and self.read_steps == 0

    def _chosen(self, step: StepInstance, hosts: list[StepHost], ranges: Ranges) -> list[StepHost]:
        if self.question.host is not None:
            meant = self._host_ids(step)
            hosts = [host for host in hosts if host.bk_host_id in meant]
        return [
            host
            for host in hosts
            if any(first <= host.bk_host_id <= last for first, last in ranges)
            and self.question.outcome in (None, Outcome.of(host.status))
        ]

    def _host_ids(self, step: StepInstance) -> set[int]:
        name = self.question.host or ""
        results = HostResult.objects.on_hosts(
            name, scopes=[step.job.scope], bk_host_ids=_number(name)
        )
        return set(results.filter(step=step).values_list("host_id", flat=True))

    def _loaded(
        self, candidates: Iterator[_Candidate]
    ) -> Iterator[tuple[_Candidate, StepInstance]]:
        while some := list(itertools.islice(candidates, LOADED_AT_ONCE)):
            rows = StepInstance.objects.filter(pk__in=[candidate.pk for candidate in some])
            steps = {step.pk: step for step in rows.select_related("job__scope")}
            for candidate in some:
                if candidate.pk in steps:
                    yield candidate, steps[candidate.pk]

    def _candidates(self, day: datetime.date, places: PatternPlaces) -> Iterator[_Candidate]:
        """Yield the steps of a day that may contain the text, newest first."""
        living: list[tuple[int, int, SearchedStep]] = []
        for create_time, pk, expired_at, *numbers in self._steps(day):
            if expired_at is None:
                living.append((create_time, pk, SearchedStep(*numbers)))
            else:
                self.expired_steps += 1
        for start in range(0, len(living), STEPS_AT_ONCE):
            some = living[start : start + STEPS_AT_ONCE]
            possible = _possible(day, [pk for _, pk, _ in some], places)
            for create_time, pk, step in some:
                self.steps.append(step)
                if pk not in possible:
                    continue
                ranges = possible[pk]
                if self.start is not None and self.start.is_at(create_time, pk):
                    ranges = [(max(first, self.start.host), last) for first, last in ranges]
                yield _Candidate(create_time, pk, ranges, len(self.steps) - 1)
                if self.cursor is not None:
                    return

    def _steps(self, day: datetime.date) -> list[tuple[Any, ...]]:
        wanted = JobFilter(
            created_from=first_moment(day),
            created_to=last_moment(day),
            name=self.question.name,
            host=self.question.host,
            host_id=next(iter(_number(self.question.host or "")), None),
        ).narrow(self.jobs, self.scopes)
        steps = StepInstance.objects.filter(job__in=wanted.filter(day=day).order_by())
        start = self.start
        at = start.create_time if start is not None and start.day == day else None
        if at is not None:
            steps = steps.filter(job__create_time__lte=at)
        ordered = steps.order_by("-job__create_time", "-pk")
        times = ("job__create_time", "pk", "job__expired_at")
        keys = ("job__scope", "job__job_instance_id", "step_instance_id")
        rows = list(ordered.values_list(*times, *keys))
        newest = itertools.takewhile(lambda row: row[0] == at, rows)
        # A step that was removed meanwhile is not here: those of its time are searched again.
        places = (n for n, row in enumerate(newest) if start and start.is_at(row[0], row[1]))
        return rows[next(places, 0) :]


def _id(host: StepHost) -> int:
    return host.bk_host_id


def _earlier(step: StepInstance, hosts: Sequence[StepHost]) -> list[StepHost]:
    """Return hosts with the logs of their earlier attempts that are not read otherwise, since these
    are searched, too. One statement for each attempt."""
    counts = HostResult.objects.for_step(step).targets().order_by("execute_count")
    known = {result.pk for host in hosts for result in host.results}
    earlier = []
    for count in list(counts.values_list("execute_count", flat=True).distinct())[:-1]:
        for host in query.hosts_as(step, Role.TARGET, query.Attempts(count)):
            if not known.issuperset(result.pk for result in host.results):
                earlier.append(host)
                known.update(result.pk for result in host.results)
    return earlier


def _number(text: str) -> list[int]:
    return [int(text)] if text.isdecimal() and len(text) < 19 else []


def _possible(day: datetime.date, steps: Sequence[int], places: PatternPlaces) -> dict[int, Ranges]:
    """Return the steps of a day that may contain a text, and on which hosts."""
    # Queried first: steps that are signed again after this no longer count as changed.
    changed = signed_parts.changed_steps(steps)
    parts = signed_parts.parts_of(day, [pk for pk in steps if pk not in changed])
    every = (part for own in parts.values() for part in own)
    chosen = signed_parts.possible(day, every, places) if places.needs else list(every)
    possible: dict[int, Ranges] = {}
    for part in chosen:
        if part.size:
            possible.setdefault(part.step_id, []).append((part.first_host, part.last_host))
    for pk in steps:
        unsigned = _after(parts.get(pk, []))
        if unsigned <= LAST_HOST:
            possible.setdefault(pk, []).append((unsigned, LAST_HOST))
    return possible


def _after(parts: Sequence[PartRow]) -> int:
    """Return the id after the last signed host."""
    return parts[-1].last_host + 1 if parts else FIRST_HOST
