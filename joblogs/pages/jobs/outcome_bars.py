"""Outcome bars of jobs and steps, and the time bars of steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from joblogs.choices import RunStatus, StepType
from joblogs.models import JobInstance, StepInstance
from joblogs.pages.formats import number
from joblogs.pages.rendering import partial
from joblogs.pages.step.groups import Kind, kind_of_status
from joblogs.query.job_list import Tally

WIDTH = 1_000
"""Width of a bar, in its own units."""
LEAST = 12
"""Minimum width of a segment: one failed host of 20,000 must be visible."""
_CONTINUED = (RunStatus.SKIPPED, RunStatus.ERROR_IGNORED)
"""Statuses of runs that continued although something failed."""
_WAIT = (RunStatus.WAITING, RunStatus.ROLLING_WAITING, RunStatus.WAITING_CONFIRMATION)
_RUN = (RunStatus.RUNNING, RunStatus.TERMINATING)


class Segment(NamedTuple):
    """Segment of an outcome bar: the hosts with one outcome."""

    kind: Kind
    label: str
    x: int
    width: int


_OUTCOMES = {
    Kind.OK: _("succeeded"),
    Kind.BAD: _("failed"),
    Kind.LATE: _("timed out"),
    Kind.SILENT: _("no output"),
    Kind.RUNNING: _("running"),
    Kind.WAITING: _("waiting"),
}


def outcome_label(kind: Kind) -> str:
    """Return the label of an outcome."""
    return gettext(_OUTCOMES[kind])


def outcomes(tallies: Iterable[Tally]) -> Counter[Kind]:
    """Return the number of hosts by outcome."""
    hosts = Counter[Kind]()
    for tally in tallies:
        hosts[kind_of_status(tally.status)] += tally.hosts
    return hosts


class Bar(NamedTuple):
    """Time bar of a step on the time line of its job."""

    x: int
    width: int


def outcome_bar(hosts: Counter[Kind]) -> SafeString:
    """Return an outcome bar: the number of hosts by outcome, the worst first."""
    total = sum(hosts.values())
    there = [kind for kind in Kind if hosts[kind]]
    free = WIDTH - LEAST * len(there)
    segments, x = [], 0
    for kind in there:
        width = LEAST + free * hosts[kind] // total
        width = WIDTH - x if kind is there[-1] else width
        label = f"{number(hosts[kind])} {outcome_label(kind)}"
        segments.append(Segment(kind, label, x, width))
        x += width
    return partial("outcome_bar.html", segments=segments)


def run_kind(run: JobInstance | StepInstance, hosts: Counter[Kind]) -> Kind:
    """Return the outcome of a job or step: LATE if it continued or succeeded although hosts
    failed."""
    if run.status in _CONTINUED:
        return Kind.LATE
    if run.status == RunStatus.SUCCEEDED:
        return Kind.LATE if _failed(hosts) else Kind.OK
    if run.status in _WAIT:
        return Kind.WAITING
    return Kind.RUNNING if run.status in _RUN else Kind.BAD


def status_label(run: JobInstance | StepInstance, hosts: Counter[Kind]) -> str:
    """Return the label of a job's or step's status; the number itself for an unknown status.

    If it succeeded although hosts failed, the label includes their number.
    """
    label = str(run.get_status_display())
    if run.status == RunStatus.SUCCEEDED and (failed := _failed(hosts)):
        return gettext("%(status)s, %(n)s failed") % {"status": label, "n": number(failed)}
    return label


def _failed(hosts: Counter[Kind]) -> int:
    return hosts[Kind.BAD] + hosts[Kind.LATE]


def step_type_label(step: StepInstance) -> str:
    known = step.step_type in StepType.values
    return str(StepType(step.step_type).label if known else step.step_type)


def bars(steps: Sequence[StepInstance], now: int) -> dict[int, Bar]:
    """Return the time bars of steps on a line from the first start to the last end; a running step
    ends now (`now` in milliseconds)."""
    times = {
        step.pk: (step.start_time, step.end_time or max(now, step.start_time))
        for step in steps
        if step.start_time is not None
    }
    if not times:
        return {}
    first = min(start for start, _end in times.values())
    whole = max(1, max(end for _start, end in times.values()) - first)
    by_step = {}
    for pk, (start, end) in times.items():
        x = min(WIDTH - LEAST, (start - first) * WIDTH // whole)
        width = max(LEAST, (end - start) * WIDTH // whole)
        by_step[pk] = Bar(x, min(width, WIDTH - x))
    return by_step
