"""Outcome bars of jobs and steps, and the time bars of steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from joblogs.choices import RunStatus, StepType
from joblogs.models import JobInstance, StepInstance
from joblogs.pages.step.groups import Kind, kind_of_status
from joblogs.query.job_list import Tally

WIDTH = 1_000
"""Of a bar, in its own units."""
LEAST = 12
"""As wide is what is there at all: one failed host of 20,000 must be seen."""
_OK = (RunStatus.SUCCEEDED, RunStatus.SKIPPED, RunStatus.ERROR_IGNORED)
_WAIT = (RunStatus.WAITING, RunStatus.ROLLING_WAITING, RunStatus.WAITING_CONFIRMATION)
_RUN = (RunStatus.RUNNING, RunStatus.TERMINATING)


class Segment(NamedTuple):
    """Segment of an outcome bar: so many hosts of one outcome."""

    kind: Kind
    hosts: int
    x: int
    width: int


class Bar(NamedTuple):
    """When a step ran, on the time line of its job."""

    x: int
    width: int


def outcome_bar(tallies: Iterable[Tally]) -> list[Segment]:
    """Outcome bar: how many hosts had which outcome, the worst first."""
    hosts = Counter[Kind]()
    for tally in tallies:
        hosts[kind_of_status(tally.status)] += tally.hosts
    total = sum(hosts.values())
    there = [kind for kind in Kind if hosts[kind]]
    free = WIDTH - LEAST * len(there)
    segments, x = [], 0
    for kind in there:
        width = LEAST + free * hosts[kind] // total
        width = WIDTH - x if kind is there[-1] else width
        segments.append(Segment(kind, hosts[kind], x, width))
        x += width
    return segments


def run_kind(run: JobInstance | StepInstance) -> Kind:
    """What became of a job or a step."""
    if run.status in _OK:
        return Kind.OK
    if run.status in _WAIT:
        return Kind.WAITING
    return Kind.RUNNING if run.status in _RUN else Kind.BAD


def status_label(run: JobInstance | StepInstance) -> str:
    """Its status in words; a number that is not known as it is."""
    return str(run.get_status_display())


def step_type_label(step: StepInstance) -> str:
    known = step.step_type in StepType.values
    return str(StepType(step.step_type).label if known else step.step_type)


def bars(steps: Sequence[StepInstance], now: int) -> dict[int, Bar]:
    """Steps on the line from the first one's start to the last one's end; one that runs ends
    now."""
    times = {
        step.pk: (step.start_time, step.end_time or max(now, step.start_time))
        for step in steps
        if step.start_time is not None
    }
    if not times:
        return {}
    first = min(start for start, _ in times.values())
    whole = max(1, max(end for _, end in times.values()) - first)
    by_step = {}
    for pk, (start, end) in times.items():
        x = min(WIDTH - LEAST, (start - first) * WIDTH // whole)
        width = max(LEAST, (end - start) * WIDTH // whole)
        by_step[pk] = Bar(x, min(width, WIDTH - x))
    return by_step
