"""Endpoint `/api/v1/…/summary`: short summary of a step on all its hosts.

The groups of the step page as JSON: failures first, how each group differs, and a few of its lines.
For any number of hosts the response has at most `max_chars` characters, so that a chat or an agent
can read it whole; it reports what was left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import database, failures, slow_work
from joblogs.api import exchange
from joblogs.api.base import Operation, read_entry, step_of_path
from joblogs.api.fields import (
    Parameter,
    count_param,
    number_of,
    read_query,
)
from joblogs.audit import Channel
from joblogs.choices import HOST_SUCCEEDED, HostStatus
from joblogs.errors import BadRequest, JobNotFound, PermissionDenied, ScopeNotFound
from joblogs.failures import Failures, Recovered
from joblogs.query import Attempts, StepHost
from joblogs.query.overview import Overview, overview
from joblogs.step_groups import (
    Excerpt,
    Printed,
    StepGroup,
    StepGroups,
    excerpts,
    step_groups,
)

from .fields import at_most
from .group_summary import LINE_CHARS, GroupSummary, folded, group_summary
from .http_status import HttpStatusView

CHARS_DEFAULT, CHARS_LEAST, CHARS_MOST = 8_000, 2_000, 200_000
COMPARE_SECONDS = 2.0
"""Longest time to group logs that are not grouped yet."""
GROUPS_READ = 40
"""Most groups whose lines are read."""
SLOWEST, CHANGES = 3, 10


class SummaryParams(Struct, frozen=True):
    """Parameters of the query string: length of the response, and which attempts."""

    max_chars: Annotated[
        int,
        Parameter(
            partial(at_most, CHARS_MOST, CHARS_DEFAULT, least=CHARS_LEAST),
            {"type": "integer", "minimum": CHARS_LEAST, "maximum": CHARS_MOST},
            f"Characters of the answer at most, by default {CHARS_DEFAULT}.",
        ),
    ]
    execute_count: Annotated[int | None, count_param("Only up to this attempt.")]
    batch: Annotated[int | None, count_param("Only this rolling batch.")]


class Counts(Struct, kw_only=True):
    """Numbers of hosts by outcome and output."""

    hosts: int
    succeeded: int
    failed: int
    unfinished: int
    no_output: Annotated[int, Meta(description="Have ended, and printed nothing.")]
    other_output: Annotated[int, Meta(description="Succeeded, with other output than most.")]
    compared: Annotated[int, Meta(description="Outputs that have been compared.")]
    to_compare: Annotated[int, Meta(description="Outputs there are; ask again while it is more.")]


class RecoveredFailure(Struct, kw_only=True):
    """Failure of the last run that did not recur."""

    status: Annotated[int, number_of(HostStatus, "Status")]
    exit_code: int | None
    host_count: int


class SinceLastRun(Struct, kw_only=True):
    """Changes since the last run of a step with this name in a job with this name."""

    job_instance_id: int
    step_instance_id: int
    time: int
    new: Annotated[list[str], Meta(description="Keys of failures that it did not have.")]
    recovered: list[RecoveredFailure]


class SlowHost(Struct):
    """One of the slowest hosts, with its duration in milliseconds."""

    bk_host_id: int
    host_name: str
    duration: int


class LeftOut(Struct):
    """Numbers of groups and hosts that did not fit; request them with a higher `max_chars`."""

    groups: int
    hosts: int


class StepSummary(Struct, kw_only=True):
    """Summary of a step."""

    name: str
    status: int
    counts: Counts
    groups: Annotated[list[GroupSummary], Meta(description="Failures first, the majority last.")]
    no_output: Annotated[str, Meta(description="Names of hosts that printed nothing, folded.")]
    unfinished: Annotated[str, Meta(description="Names of hosts that have not ended, folded.")]
    slowest: list[SlowHost]
    since_last_run: SinceLastRun | None
    left_out: LeftOut


class Summary(HttpStatusView):
    """View of the summary of a step, by GET."""

    http_method_names = ["get"]
    errors = (BadRequest, ScopeNotFound, PermissionDenied, JobNotFound)
    operations = {
        "get": Operation(
            id="summary",
            tag="Answers",
            summary="What happened on all hosts of a step",
            description="Groups of hosts that ended alike and printed alike, failures first, with "
            "what sets each apart; `group_hosts` lists the hosts of one.",
            request=SummaryParams,
            answer=StepSummary,
        )
    }

    @database.from_replica
    def get(
        self, request: Request, scope_type: str, scope_id: str, job: str, step: str
    ) -> HttpResponseBase:
        params = read_query(SummaryParams, request._request)
        instance = step_of_path(request, scope_type, scope_id, job, step)
        slow_work.begin(request._request)
        step_overview = overview(instance, Attempts(params.execute_count, params.batch))
        groups = step_groups(step_overview, seconds=COMPARE_SECONDS)
        read = excerpts(groups, _readable(groups.groups))
        known = failures.known_failures(step_overview, groups)
        answer = _summary(step_overview, groups, read.by_key, known, max_chars=params.max_chars)
        hosts = len(read.hosts | groups.read_hosts)
        entry = read_entry(request, instance, channel=Channel.SUMMARY, hosts=hosts)
        entry.end(read.size + groups.read_bytes)
        return exchange.success(request._request, answer)


def _readable(groups: Iterable[StepGroup]) -> list[StepGroup]:
    """Return the groups whose lines are shown: the first ones, and the majority."""
    listed = list(groups)
    return [*[group for group in listed if not group.is_crowd][: GROUPS_READ - 1]] + [
        group for group in listed if group.is_crowd
    ]


def _summary(
    overview: Overview,
    step_groups: StepGroups,
    lines: dict[str, Excerpt],
    known: Failures,
    *,
    max_chars: int,
) -> StepSummary:
    """Return the summary with as many groups as fit, in order; the majority is always included."""
    prints = overview.step.prints_output
    silent = [host for host in overview.hosts if host.silent] if prints else []
    running = [host for host in overview.hosts if not host.newest.finished]
    answer = StepSummary(
        name=overview.step.name[:LINE_CHARS],
        status=overview.step.status,
        counts=_counts(overview, step_groups, silent=len(silent), unfinished=len(running)),
        groups=[],
        no_output=folded(silent),
        unfinished=folded(running),
        slowest=_slowest(overview.hosts),
        since_last_run=_since_last_run(known),
        left_out=LeftOut(0, 0),
    )
    summaries = [
        group_summary(one, lines.get(one.key), known, prints=prints) for one in step_groups.groups
    ]
    last = [summary for summary in summaries if summary.majority]
    left = max_chars - _length(answer) - _length(last) - _ENVELOPE_CHARS
    for summary in summaries:
        if summary.majority:
            continue
        size = _length(summary) + 1
        if size > left or answer.left_out.groups:
            answer.left_out.groups += 1
            answer.left_out.hosts += summary.host_count
            continue
        answer.groups.append(summary)
        left -= size
    answer.groups += last
    return answer


_ENVELOPE_CHARS = 160


def _length(value: object) -> int:
    """Return the number of characters of a value as JSON."""
    return len(exchange.json_bytes(value).decode())


def _counts(overview: Overview, step_groups: StepGroups, *, silent: int, unfinished: int) -> Counts:
    succeeded = sum(host.status in HOST_SUCCEEDED for host in overview.hosts)
    others = (g for g in step_groups.groups if g.succeeded and g.other_output and not g.is_crowd)
    return Counts(
        hosts=len(overview.hosts),
        succeeded=succeeded,
        failed=len(overview.hosts) - succeeded - unfinished,
        unfinished=unfinished,
        no_output=silent,
        other_output=sum(len(g.hosts) for g in others if g.printed is Printed.COMPARED),
        compared=step_groups.compared,
        to_compare=step_groups.to_compare,
    )


def _since_last_run(known: Failures) -> SinceLastRun | None:
    last = known.last_run
    if last is None:
        return None
    return SinceLastRun(
        job_instance_id=last.job_instance_id,
        step_instance_id=last.step_instance_id,
        time=last.at,
        new=[key.hex() for key in sorted(last.new)][:CHANGES],
        recovered=[_recovered(one) for one in last.recovered[:CHANGES]],
    )


def _recovered(one: Recovered) -> RecoveredFailure:
    return RecoveredFailure(status=one.status, exit_code=one.exit_code, host_count=one.host_count)


def _slowest(hosts: list[StepHost]) -> list[SlowHost]:
    timed = [(host.newest.duration, host) for host in hosts if host.newest.duration is not None]
    timed.sort(key=lambda one: -(one[0] or 0))
    return [SlowHost(host.bk_host_id, host.name, took or 0) for took, host in timed[:SLOWEST]]
