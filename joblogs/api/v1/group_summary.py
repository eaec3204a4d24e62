"""One group of the summary of a step: its hosts, how it differs, and a few of its lines."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from joblogs.api.fields import number_of, or_unset
from joblogs.choices import HostStatus
from joblogs.failures import Failures
from joblogs.grouping.host_ranges import fold_within
from joblogs.grouping.line_groups import Why
from joblogs.logtext.encodings import reading_encoding
from joblogs.logtext.terminal import last_seen
from joblogs.logtext.utf16_parts import parts_as_utf8
from joblogs.query import StepHost
from joblogs.step_groups import Excerpt, Printed, Relation, ShownDifference, StepGroup

LINES, LINE_CHARS, NAMES_CHARS, VALUES = 6, 240, 300, 4


class ValueCount(Struct):
    """Value, and the number of hosts that have it."""

    value: str
    hosts: int


class Difference(Struct, kw_only=True):
    """Value in which a group differs from most hosts."""

    label: Annotated[str, Meta(description="What stands before it in its line.")]
    own: list[ValueCount]
    usual: ValueCount | None
    low: Annotated[str | None, Meta(description="The others are about from here …")]
    high: Annotated[str | None, Meta(description="… to here.")]


class GroupLine(Struct):
    """Line of a log, as a terminal shows it in the end."""

    number: int
    text: str
    differs: bool


class KnownFailure(Struct, kw_only=True):
    """Failure of a group, and its occurrences in earlier runs of this step."""

    key: Annotated[str, Meta(description="The same on other hosts and in other runs.")]
    seen_before: bool
    first_time: Annotated[int | None, Meta(description="Of the first run that had it.")] = None
    runs: Annotated[int, Meta(description="Runs before this one that had it.")] = 0
    hosts: Annotated[int, Meta(description="Different hosts of those runs; about, if many.")] = 0


class GroupSummary(Struct, kw_only=True):
    """Group of hosts with the same result and similar output."""

    key: str
    host_count: int
    hosts: Annotated[str, Meta(description="Their names, folded; cut where they are many.")]
    sample_host_id: Annotated[int, Meta(description="The bk_host_id of one of them.")]
    status: Annotated[int, number_of(HostStatus, "Status")]
    exit_code: int | None
    tag: str
    succeeded: bool
    output: Annotated[
        Printed | UnsetType,
        Meta(description="What is known of their output; left out where a step has none."),
    ] = UNSET
    majority: Annotated[bool, Meta(description="The largest group of those that succeeded.")]
    apart_by: Annotated[Why | None, Meta(description="What sets it apart from most.")]
    failure: Annotated[KnownFailure | UnsetType, Meta(description="Of hosts that failed.")] = UNSET
    differences: list[Difference] = []
    lines_are: Annotated[Relation | UnsetType, Meta(description="What the lines are.")] = UNSET
    lines: Annotated[list[GroupLine], Meta(description="Of one of its hosts.")] = []


def group_summary(
    group: StepGroup, excerpt: Excerpt | None, known: Failures, *, prints: bool
) -> GroupSummary:
    """Return the summary of a group with the lines of its excerpt.

    `prints`: whether the step has output.
    """
    compared = group.printed is Printed.COMPARED and not group.is_crowd
    summary = GroupSummary(
        key=group.key,
        host_count=len(group.hosts),
        hosts=folded(group.hosts),
        sample_host_id=group.first.bk_host_id,
        status=group.status,
        exit_code=group.exit_code,
        tag=group.tag,
        succeeded=group.succeeded,
        output=group.printed if prints else UNSET,
        majority=group.is_crowd,
        failure=_failure(group, known),
        apart_by=group.why if compared and (group.other_output or group.failed) else None,
    )
    if excerpt is not None:
        summary.lines_are = or_unset(excerpt.relation)
        lines = excerpt.lines[:LINES]
        summary.lines = [GroupLine(line.number, _text(line.data), line.differs) for line in lines]
        summary.differences = [_difference(one) for one in excerpt.differences[:VALUES]]
    return summary


def _difference(one: ShownDifference) -> Difference:
    usual = one.usual
    return Difference(
        label=_text(one.label),
        own=[ValueCount(_text(value.text), value.hosts) for value in one.own[:VALUES]],
        usual=None if usual is None else ValueCount(_text(usual.text), usual.hosts),
        low=None if one.low is None else _text(one.low),
        high=None if one.high is None else _text(one.high),
    )


def _text(data: bytes) -> str:
    """Return a line, or a part of one, as a terminal shows it in the end, cut to LINE_CHARS."""
    data = parts_as_utf8(data[: 4 * LINE_CHARS])
    # Bytes that are invalid in the line's encoding are surrogates, which JSON cannot hold.
    text = " ".join(last_seen(data, reading_encoding(data)))
    text = text.encode(errors="replace").decode()
    return text if len(text) <= LINE_CHARS else text[: LINE_CHARS - 1] + "…"


def folded(hosts: list[StepHost]) -> str:
    """Return the folded names of hosts, cut to NAMES_CHARS."""
    return fold_within((host.name for host in hosts), NAMES_CHARS)


def _failure(group: StepGroup, known: Failures) -> KnownFailure | UnsetType:
    key = known.keys.get(group.key)
    if key is None:
        return UNSET
    seen = known.of(group)
    if seen is None:
        return KnownFailure(key=key.hex(), seen_before=False)
    return KnownFailure(
        key=key.hex(),
        seen_before=True,
        first_time=seen.first_at,
        runs=seen.runs,
        hosts=seen.hosts.number,
    )
