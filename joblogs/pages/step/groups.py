"""Groups of a step's hosts with the same outcome and similar output, as the pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

from joblogs.choices import HOST_SUCCEEDED, HostStatus, host_rank
from joblogs.pages.formats import host_status_label
from joblogs.query import StepHost
from joblogs.step_groups import Printed, StepGroup, StepGroups

TIMED_OUT = {
    *(HostStatus.TIMED_OUT, HostStatus.SCRIPT_TIMED_OUT, HostStatus.FILE_TIMED_OUT),
    *(HostStatus.SCRIPT_LOG_TIMED_OUT, HostStatus.FILE_LOG_TIMED_OUT),
}
SHADES = 5
"""Number of colours for failing groups; all further ones share the last colour."""


class Kind(StrEnum):
    """Outcome of a host, which has its colour on the pages; the worst first."""

    BAD = "bad"
    LATE = "late"
    SILENT = "silent"
    RUNNING = "run"
    WAITING = "wait"
    OK = "ok"


WORST_FIRST = {kind: rank for rank, kind in enumerate(Kind)}


def kind_of_status(status: int) -> Kind:
    """Return the outcome for a status alone."""
    if status in HOST_SUCCEEDED:
        return Kind.OK
    if status in TIMED_OUT:
        return Kind.LATE
    return (Kind.WAITING, Kind.RUNNING, Kind.BAD)[host_rank(status)]


def kind_of(host: StepHost, *, prints: bool) -> Kind:
    """Return the outcome of a host; `prints`: hosts of its step have output at all."""
    kind = kind_of_status(host.status)
    return Kind.SILENT if prints and host.silent and kind in (Kind.BAD, Kind.LATE) else kind


@dataclass(eq=False)
class Group:
    """Group of a step as the page colours and names it."""

    values: StepGroup
    kind: Kind
    like: Group | None = None
    """Group that has the same output except for some values."""
    colour: str = ""

    def __post_init__(self) -> None:
        group = self.values
        self.key, self.hosts, self.crowd = group.key, group.hosts, group.is_crowd
        self.status, self.exit_code, self.tag = group.status, group.exit_code, group.tag

    @cached_property
    def label(self) -> str:
        """Label of the status; for a non-zero exit code, the code."""
        return host_status_label(self.status, self.exit_code)

    @cached_property
    def worst_first(self) -> tuple[bool, int, int]:
        """Key to sort the hosts of several groups by: rare and bad ones first."""
        return self.crowd, WORST_FIRST[self.kind], len(self.hosts)

    @property
    def failed_by_exit_code(self) -> bool:
        """Whether the label already has the exit code."""
        return self.status == HostStatus.EXIT_CODE_NOT_ZERO and bool(self.exit_code)

    @property
    def first(self) -> StepHost:
        return self.hosts[0]

    @property
    def failed(self) -> bool:
        return self.values.failed

    @property
    def known(self) -> bool:
        """Whether its output has been compared."""
        return self.values.printed is not Printed.UNKNOWN

    @property
    def silent(self) -> bool:
        return self.values.printed is Printed.NOTHING


def groups(step_groups: StepGroups, *, prints: bool) -> list[Group]:
    """Return the groups in the same order with their colours; `prints`: hosts of the step have
    output at all."""
    by_values: dict[StepGroup, Group] = {}
    for group in step_groups.groups:
        kind = kind_of(min(group.hosts, key=attrgetter("bk_host_id")), prints=prints)
        by_values[group] = Group(group, kind)
    for group, shown in by_values.items():
        shown.like = by_values[group.like] if group.like is not None else None
    found = list(by_values.values())
    _colour(found)
    return found


def with_colours_of(groups: Sequence[Group], others: Sequence[Group]) -> None:
    """Set the colours of groups to those of their first hosts in other groups, as on the map."""
    colours: Mapping[int, str] = {
        host.bk_host_id: group.colour for group in others for host in group.hosts
    }
    for group in groups:
        group.colour = colours[group.first.bk_host_id]


def _colour(made: Sequence[Group]) -> None:
    bad = [group for group in made if group.kind is Kind.BAD]
    bad.sort(key=lambda group: (-len(group.hosts), group.first.place))
    shades = {group.key: f"bad{min(shade, SHADES)}" for shade, group in enumerate(bad, start=1)}
    for group in made:
        differs = group.kind is Kind.OK and group.values.other_output
        other = "mute" if group.silent else "odd"
        group.colour = shades.get(group.key) or (other if differs else str(group.kind))
