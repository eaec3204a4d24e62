"""Summary sentence of a step page: what happened on how many hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.translation import gettext, ngettext

from joblogs.choices import RunStatus, StepType, run_rank
from joblogs.models import StepInstance
from joblogs.pages.formats import duration, number
from joblogs.query.overview import Overview
from joblogs.step_groups import StepGroups

from .groups import Group, Kind


class Part(NamedTuple):
    """Part of the summary sentence: the colour's kind and the text."""

    kind: str
    text: str


class Summary(NamedTuple):
    """Summary sentence in parts, and further sentences."""

    parts: list[Part]
    more: list[str]


def summary(step: StepInstance, groups: Sequence[Group], compared: StepGroups) -> Summary:
    """Return the summary of a step from the groups of its similar hosts."""
    hosts = Counter[Kind]()
    for group in groups:
        hosts[group.kind] += len(group.hosts)
    bad = [group for group in groups if group.kind is Kind.BAD]
    # The number of ways to fail is not known before all output is compared.
    ways = sum(group.like is None for group in bad) if all(group.known for group in bad) else 0
    parts = [
        Part(str(kind), _text(kind, hosts[kind], ways))
        for kind in (Kind.OK, Kind.BAD, Kind.LATE, Kind.SILENT, Kind.RUNNING, Kind.WAITING)
        if hosts[kind]
    ]
    if not parts:
        return Summary([Part("none", _nothing(step))], [])
    return Summary(parts, list(_more(step, groups, hosts, compared)))


def _text(kind: Kind, n: int, ways: int) -> str:
    counts = {"n": number(n), "ways": number(ways)}
    if kind is Kind.OK:
        return ngettext("%(n)s succeeded", "%(n)s succeeded", n) % counts
    if kind is Kind.BAD:
        if ways > 1:
            return ngettext("%(n)s failed in %(ways)s ways", "%(n)s failed in %(ways)s ways", n) % (
                counts
            )
        return ngettext("%(n)s failed", "%(n)s failed", n) % counts
    if kind is Kind.LATE:
        return ngettext("%(n)s timed out", "%(n)s timed out", n) % counts
    if kind is Kind.SILENT:
        return ngettext("%(n)s had no output", "%(n)s had no output", n) % counts
    if kind is Kind.RUNNING:
        return ngettext("%(n)s is running", "%(n)s are running", n) % counts
    return ngettext("%(n)s is waiting", "%(n)s are waiting", n) % counts


def _nothing(step: StepInstance) -> str:
    if step.step_type == StepType.APPROVAL:
        return gettext("Approval steps do not run on hosts")
    if step.status == RunStatus.WAITING:
        return gettext("This step has not started yet")
    if run_rank(step.status) < 2:
        return gettext("No host has reported yet")
    return gettext("No host results have been recorded")


def _more(
    step: StepInstance, groups: Sequence[Group], hosts: Counter[Kind], compared: StepGroups
) -> list[str]:
    if step.step_type == StepType.FILE:
        return []
    more = []
    succeeded = [group for group in groups if group.kind is Kind.OK and not group.crowd]
    # A different tag or exit code is not different output; no output is stated separately.
    others = [g for g in succeeded if g.values.other_output and g.known and not g.silent]
    differ = sum(len(group.hosts) for group in others)
    if others and differ * 2 < hosts[Kind.OK]:
        text = ngettext(
            "%(n)s succeeded with different output.",
            "%(n)s succeeded with different output.",
            differ,
        )
        more.append(text % {"n": number(differ)})
    elif others:
        different = len(others) + any(group.crowd and not group.silent for group in groups)
        more.append(
            gettext("The hosts that succeeded printed %(n)s different outputs.")
            % {"n": number(different)}
        )
    mute = sum(len(group.hosts) for group in succeeded if group.silent)
    if mute and any(group.kind is Kind.OK and not group.silent for group in groups):
        text = ngettext("%(n)s succeeded, no output.", "%(n)s succeeded, no output.", mute)
        more.append(text % {"n": number(mute)})
    if compared.compared < compared.to_compare:
        text = gettext("%(n)s of %(all)s outputs compared so far.")
        values = {"n": number(compared.compared), "all": number(compared.to_compare)}
        more.append(text % values)
    return more


def slowest(overview: Overview) -> str:
    """Return a sentence, as HTML, about the slowest host if it took much longer than most."""
    durations = [host.newest.duration for host in overview.hosts]
    timed = sorted(took for took in durations if took is not None)
    if len(timed) < 3:
        return ""
    longest, middle = timed[-1], timed[len(timed) // 2]
    if longest < 1_000 or longest < 2 * middle:
        return ""
    host = next(host for host in reversed(overview.hosts) if host.newest.duration == longest)
    return format_html(
        gettext("Slowest: {host} {took} (median {median})."),
        host=format_html('<a href="hosts/{}/">{}</a>', host.bk_host_id, host.name),
        took=duration(longest),
        median=duration(middle),
    )
