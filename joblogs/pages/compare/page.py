"""Page that compares a host's log with another host's, a group's or an earlier run's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from joblogs import query
from joblogs.audit import Channel, ReadEntry
from joblogs.choices import StepType
from joblogs.compare import (
    BYTES_MAX,
    Comparison,
    Kind,
    Side,
    Steady,
    compare,
    single_hosts,
    steady_values,
)
from joblogs.logtext.ansi import ENCODINGS
from joblogs.models import JobInstance, StepInstance
from joblogs.pages import links
from joblogs.pages.log.host_log import HostLog, host_log, moment
from joblogs.pages.reading import read_entry
from joblogs.pages.rendering import partial, rendered
from joblogs.query import Attempts, Range, StepHost, host_history
from joblogs.query.overview import overview
from joblogs.step_groups import step_groups

from .rows import LogLink, rows_on_page

COMPARE_SECONDS = 1.0
"""Spent at most on logs that nobody compared yet."""
SAMPLE_HOSTS = 50
SAMPLE_BYTES = 4 * 1024 * 1024
"""Of a group, what is read to learn which hidden values nearly all of its hosts share."""


class CompareForm(forms.Form):
    """What to compare with, and how to show it."""

    WITH = [
        ("group", _("what most hosts printed")),
        ("attempt", _("its previous attempt")),
        ("earlier", _("the earlier run of this job")),
        ("host", _("another host")),
    ]
    to = forms.ChoiceField(required=False, choices=WITH, label=_("Compare with"))
    other = forms.CharField(required=False, max_length=256, label=_("another host"))
    masks = forms.ChoiceField(required=False, choices=[("0", "0"), ("1", "1")])
    view = forms.ChoiceField(required=False, choices=[("split", "split"), ("inline", "inline")])
    part = forms.ChoiceField(required=False, choices=[("start", "start"), ("end", "end")])
    all = forms.ChoiceField(required=False, choices=[("0", "0"), ("1", "1")])
    encoding = forms.ChoiceField(required=False, choices=[(e, e) for e in ENCODINGS])
    attempt = forms.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, label=_("attempt")
    )
    batch = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, label=_("batch"))


@dataclass
class Counterpart:
    """The other side, and why it is that one."""

    log: HostLog | None = None
    reason: str = ""
    """Why there is none: `nobody`, `no-group`, `alone`, `first`, `no-earlier`, `files` or
    `expired`."""
    gone: JobInstance | None = None
    """The job whose logs have expired."""
    group_hosts: int = 0
    steady: Mapping[tuple[int, int], Steady] = field(default_factory=dict)
    sampled_hosts: int = 0
    sampled_bytes: int = 0


def compare_page(
    step: StepInstance, bk_host_id: int, request: HttpRequest, jobs: QuerySet[JobInstance]
) -> HttpResponseBase:
    """A host's log beside another."""
    form = CompareForm(request.GET)
    form.is_valid()
    params = form.cleaned_data
    log = host_log(step, bk_host_id, Attempts(params.get("attempt"), params.get("batch")))
    to = params.get("to") or "group"
    other = _counterpart(log, to, params.get("other") or "", jobs)
    kept = _kept(params)
    context: dict[str, Any] = {
        "form": form,
        "step": step,
        "job": step.job,
        "log": log,
        "other": other,
        "to": to,
        "choices": [
            {
                "key": key,
                "label": label,
                "query": links.with_changes(kept, to=key, other=None, part=None),
            }
            for key, label in CompareForm.WITH
        ],
        "inline": params.get("view") == "inline",
        "masks": params.get("masks") != "0",
        "part": params.get("part") or "start",
        "everything": params.get("all") == "1",
        "expired": moment(other.gone.expired_at) if other.gone else None,
        "other_text": params.get("other") or "",
        "kept_fields": [(n, v) for n, v in kept.items() if n not in ("to", "other", "part")],
        "toggles": _toggles(kept),
    }
    reads: list[tuple[ReadEntry, int]] = []
    if other.log is not None:
        sides = _side(log, context["part"]), _side(other.log, context["part"])
        comparison = compare(*sides, masks=context["masks"], steady=other.steady)
        logs = _log_link(log, params), _log_link(other.log, params)
        context |= _result(comparison, params, logs)
        reads = list(_reads(request, log, other.log, sides, other))
    html = rendered("joblogs/compare.html", context, request)
    for read, size in reads:
        read.end(size)
    return HttpResponse(html)


def _reads(
    request: HttpRequest, log: HostLog, other: HostLog, sides: tuple[Side, Side], why: Counterpart
) -> Iterator[tuple[ReadEntry, int]]:
    """What to record, and its bytes: one read of a step, or one of each where they are two."""
    size, other_size = (len(side.data) for side in sides)
    if other.step != log.step:
        yield read_entry(request, log.step, channel=Channel.COMPARE, hosts=1), size
        yield read_entry(request, other.step, channel=Channel.COMPARE, hosts=1), other_size
        return
    hosts = max(len({log.result.host_id, other.result.host_id}), why.sampled_hosts)
    size += other_size + why.sampled_bytes
    yield read_entry(request, log.step, channel=Channel.COMPARE, hosts=hosts), size


def _result(
    comparison: Comparison, params: dict[str, Any], logs: tuple[LogLink, LogLink]
) -> dict[str, Any]:
    rows, rows_cut = rows_on_page(
        comparison,
        everything=params.get("all") == "1",
        encoding=params.get("encoding") or "utf-8",
        links=logs,
    )
    return {
        "comparison": comparison,
        "rows": partial(
            "compare_rows.html",
            rows=rows,
            inline=params.get("view") == "inline",
            all_lines=links.with_changes(_kept(params), all="1"),
        ),
        "rows_cut": rows_cut,
        "different": comparison.count(Kind.DIFFERENT),
        "left_only": comparison.count(Kind.LEFT),
        "right_only": comparison.count(Kind.RIGHT),
        "similar": comparison.count(Kind.SIMILAR),
        "same": comparison.count(Kind.SAME),
        "bytes_max": BYTES_MAX,
    }


def _kept(params: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in params.items() if value not in (None, "")}


def _toggles(kept: dict[str, str]) -> dict[str, str]:
    """What the switches of the page lead to."""
    other = {
        "masks": None if kept.get("masks") == "0" else "0",
        "all": None if kept.get("all") == "1" else "1",
        "view": None if kept.get("view") == "inline" else "inline",
        "part": None if kept.get("part") == "end" else "end",
    }
    return {name: links.with_changes(kept, **{name: to}) for name, to in other.items()}


def _log_link(log: HostLog, params: dict[str, Any]) -> LogLink:
    """Where the lines of a log are, as of the attempts that are compared."""
    count, batch = log.attempts
    kept = {"attempt": count, "batch": batch, "encoding": params.get("encoding") or None}
    keep = "".join(f"&{name}={value}" for name, value in kept.items() if value is not None)
    return LogLink(links.of_host(log.step, log.result.host_id)["log"], keep)


def _counterpart(log: HostLog, to: str, other: str, jobs: QuerySet[JobInstance]) -> Counterpart:
    if log.expired:
        return Counterpart(reason="expired", gone=log.step.job)
    if log.files or log.step.step_type == StepType.FILE:
        return Counterpart(reason="files")
    if to == "attempt":
        return _previous_attempt(log)
    if to == "earlier":
        return _earlier_run(log, jobs)
    if to == "host":
        return _other_host(log, other)
    return _majority(log)


def _previous_attempt(log: HostLog) -> Counterpart:
    now = max((result.execute_count for result in log.effective_results), default=0)
    before = [r for r in log.results if r.execute_count < now and r.role == log.result.role]
    if not before:
        return Counterpart(reason="first")
    attempts = Attempts(before[0].execute_count, log.attempts.batch)
    return Counterpart(host_log(log.step, log.result.host_id, attempts))


def _earlier_run(log: HostLog, jobs: QuerySet[JobInstance]) -> Counterpart:
    step = host_history.same_step_before(jobs, log.step, log.result.host_id)
    if step is None or not host_history.results_on(step, log.result.host_id):
        return Counterpart(reason="no-earlier")
    if step.job.expired_at is not None:
        return Counterpart(reason="expired", gone=step.job)
    return Counterpart(host_log(step, log.result.host_id, Attempts()))


def _other_host(log: HostLog, other: str) -> Counterpart:
    host = _named(log.step, other.strip())
    if host is None:
        return Counterpart(reason="nobody")
    other_log = host_log(log.step, host, log.attempts)
    groups = step_groups(overview(log.step, log.attempts), seconds=COMPARE_SECONDS).groups
    hosts = next((g.hosts for g in groups if any(h.bk_host_id == host for h in g.hosts)), [])
    group = _sampled(other_log, hosts[:SAMPLE_HOSTS])
    group.log = other_log
    return group


def _named(step: StepInstance, other: str) -> int | None:
    """A host of the step by its id, name or address."""
    for host, result in host_history.host_labels(step).items() if other else ():
        if other in (str(host), result.host_name, result.ip, result.ipv6):
            return host
    return None


def _majority(log: HostLog) -> Counterpart:
    crowd = step_groups(overview(log.step, log.attempts), seconds=COMPARE_SECONDS).crowd
    if crowd is None or not crowd.first.size:
        return Counterpart(reason="no-group")
    others = [host for host in crowd.hosts if host.bk_host_id != log.result.host_id]
    if not others:
        return Counterpart(reason="alone")
    group = _sampled(log, others[:SAMPLE_HOSTS])
    if group.log is None:
        group.log = host_log(log.step, others[0].bk_host_id, log.attempts)
    group.group_hosts = len(crowd.hosts)
    return group


def _sampled(log: HostLog, members: list[StepHost]) -> Counterpart:
    """What nearly all of these hosts share; and the one of them that shares all of it."""
    bytes_left, chosen = SAMPLE_BYTES, []
    for member in members:
        bytes_left -= member.size
        if bytes_left < 0:
            break
        chosen.append(member)
    if not chosen:
        return Counterpart()
    sides = [
        (host, Side(b"".join(parts), host.newest.own_names))
        for host, _, parts in query.script_range(log.step, chosen, Range())
    ]
    steady = steady_values(side for _, side in sides)
    best = min(sides, key=lambda pair: (single_hosts(pair[1], steady), pair[0].bk_host_id))[0]
    return Counterpart(
        host_log(log.step, best.bk_host_id, log.attempts),
        steady=steady,
        sampled_hosts=len(sides),
        sampled_bytes=sum(len(side.data) for _, side in sides),
    )


def _side(log: HostLog, part: str) -> Side:
    """The first or the last BYTES_MAX of a log, in whole lines."""
    names, text = log.result.own_names, log.text
    if text.size <= BYTES_MAX:
        return Side(text.read(0, text.size) if text.size else b"", names)
    if part == "end":
        data = text.read(text.size - BYTES_MAX, text.size)
        skipped = data.find(b"\n") + 1
        start = text.size - BYTES_MAX + skipped
        return Side(data[skipped:], names, text.newlines_before(start) + 1, cut=True)
    data = text.read(0, BYTES_MAX)
    return Side(data[: data.rfind(b"\n") + 1 or BYTES_MAX], names, cut=True)
