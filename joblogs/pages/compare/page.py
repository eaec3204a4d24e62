"""Page that compares a host's log with another host's, a group's or an earlier run's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from joblogs.audit import Channel, ReadEntry
from joblogs.compare import BYTES_MAX, Comparison, Kind, Side, compare
from joblogs.counterparts import Counterpart, CounterpartKind, LogName, find_counterpart, side
from joblogs.logtext.encodings import CHOICES
from joblogs.models import JobInstance, StepInstance
from joblogs.object_store import ObjectUnreachable
from joblogs.pages import links
from joblogs.pages.log.host_log import HostLog, host_log, moment
from joblogs.pages.reading import read_entry
from joblogs.pages.rendering import partial, rendered
from joblogs.query import Attempts

from .rows import LogLink, codec_of, rows_on_page


class CompareForm(forms.Form):
    """Form for the log to compare with, and how to show the comparison."""

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
    encoding = forms.ChoiceField(required=False, choices=[(name, name) for name in CHOICES])
    attempt = forms.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, label=_("attempt")
    )
    batch = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, label=_("batch"))


def compare_page(
    step: StepInstance, bk_host_id: int, request: HttpRequest, jobs: QuerySet[JobInstance]
) -> HttpResponseBase:
    """Return the page with a host's log beside another log.

    The status is 503 if one of the two cannot be read now.
    """
    form = CompareForm(request.GET)
    form.is_valid()
    params = form.cleaned_data
    log = host_log(step, bk_host_id, Attempts(params.get("attempt"), params.get("batch")))
    to = params.get("to") or "group"
    name = LogName(step, bk_host_id, log.attempts)
    other = find_counterpart(
        name, log.host, CounterpartKind(to), other=params.get("other") or "", jobs=jobs
    )
    other_log = host_log(*other.log) if other.log is not None else None
    kept = _kept(params)
    context: dict[str, Any] = {
        "form": form,
        "step": step,
        "job": step.job,
        "log": log,
        "other": other,
        "other_log": other_log,
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
    sides = None
    if other_log is not None:
        left, right = (_side(one, end=context["part"] == "end") for one in (log, other_log))
        sides = (left, right) if left is not None and right is not None else None
        context |= {"left_gone": left is None, "right_gone": right is None}
    if other_log is not None and sides is not None:
        comparison = compare(*sides, masks=context["masks"], steady=other.steady)
        logs = _log_link(log, params), _log_link(other_log, params)
        context |= _result(comparison, params, logs)
        reads = list(_reads(request, log, other_log, sides, other))
    html = rendered("joblogs/compare.html", context, request)
    for read, size in reads:
        read.end(size)
    return HttpResponse(html, status=503 if other_log is not None and sides is None else 200)


def _side(log: HostLog, *, end: bool) -> Side | None:
    """Return the part of a log to compare; None if it cannot be read now."""
    try:
        return side(log.step, log.host, end=end)
    except ObjectUnreachable:
        return None


def _reads(
    request: HttpRequest, log: HostLog, other: HostLog, sides: tuple[Side, Side], why: Counterpart
) -> Iterator[tuple[ReadEntry, int]]:
    """Yield the audit entries with their bytes: one for each of the steps, which may be one."""
    size, other_size = (len(compared.data) for compared in sides)
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
        encoding=codec_of(params.get("encoding") or ""),
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
    """Return the query strings of the page's switches."""
    other = {
        "masks": None if kept.get("masks") == "0" else "0",
        "all": None if kept.get("all") == "1" else "1",
        "view": None if kept.get("view") == "inline" else "inline",
        "part": None if kept.get("part") == "end" else "end",
    }
    return {name: links.with_changes(kept, **{name: to}) for name, to in other.items()}


def _log_link(log: HostLog, params: dict[str, Any]) -> LogLink:
    """Return the link to a log's lines in the compared attempt and batch."""
    count, batch = log.attempts
    kept = {"attempt": count, "batch": batch, "encoding": params.get("encoding") or None}
    keep = "".join(f"&{name}={value}" for name, value in kept.items() if value is not None)
    return LogLink(links.of_host(log.step, log.result.host_id)["log"], keep)
