"""Page of a step: an overview of what happened on all of its hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from joblogs import failures, query
from joblogs.audit import Channel
from joblogs.choices import FINISHED, RUNNING, run_rank
from joblogs.models import StepInstance
from joblogs.pages import links, live
from joblogs.pages.formats import duration, elapsed
from joblogs.pages.jobs.outcome_bars import outcome_label, run_kind, status_label
from joblogs.pages.log.host_log import moment
from joblogs.pages.reading import read_entry
from joblogs.pages.rendering import partial
from joblogs.query import Attempts, StepHost
from joblogs.query.overview import Overview, overview
from joblogs.step_groups import excerpts, identical_groups, step_groups

from . import cards
from .groups import Kind, groups, kind_of_status, with_colours_of
from .history import since_last_run
from .host_map import LegendEntry, host_map, legend
from .host_table import Table, TableForm, chosen, lost_names, table
from .summary import slowest, summary
from .transfer_groups import transfer_groups

COMPARE_SECONDS = 2.0
"""Time limit for comparing new logs; then the page shows what is known, and reloads itself."""
FAILED = (Kind.BAD, Kind.LATE, Kind.SILENT)


class StepForm(TableForm):
    """Form for what to show of a step, and how."""

    alike = forms.ChoiceField(
        required=False, choices=[("similar", "similar"), ("identical", "identical")]
    )
    only = forms.ChoiceField(required=False, choices=[("failed", "failed")])
    attempt = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    batch = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    open = forms.CharField(required=False, max_length=12)
    """Key of a group to open besides the largest."""
    ways = forms.IntegerField(required=False, min_value=1, max_value=100_000)
    """Page number of the failing groups."""
    each = forms.ChoiceField(required=False, choices=[("1", "1")])
    """Whether to show groups of a single host separately."""


def step_page(step: StepInstance, request: HttpRequest) -> HttpResponseBase:
    """Return the page of a step, or its live part for a poll."""
    # Computed before the data is read: the next poll finds changes in between. An opened page gets
    # no version: few stay open long enough to poll.
    is_poll = live.is_poll(request)
    version = live.version_of(*_facts_of(step), query.step_facts(step)) if is_poll else ""
    if (same := live.unchanged(request, version)) is not None:
        return same
    params, step_overview = _read(step, request)
    prints = step.prints_output
    compared = step_groups(step_overview, seconds=COMPARE_SECONDS)
    similar = groups(compared, prints=prints)
    identical = params["alike"] == "identical" and prints
    shown, values = similar, compared
    if identical:
        params["group"] = ""  # the table has groups of similar output, which have other keys
        values = identical_groups(step_overview, compared)
        shown = groups(values, prints=prints)
        with_colours_of(shown, similar)
    only_failed = params["only"] == "failed"
    if only_failed:
        shown = [group for group in shown if group.kind in FAILED]
    outcomes = Counter[Kind]()
    for status, hosts in step_overview.statuses.items():
        outcomes[kind_of_status(status)] += hosts
    kept, keep = _kept(params), _on_log(params)
    moved = list(step_overview.transfers)
    placed = cards.layout(
        shown if prints else [],
        opened=params["open"],
        page=params["ways"] or 1,
        each=params["each"] == "1",
    )
    known = failures.known_failures(step_overview, values)
    read = excerpts(
        values,
        [group.values for group in placed.open],
        [group.values for group in placed.brief],
        what_is_there=True,
        keep=not known.is_recorded_now,  # a page writes one or the other
    )
    rows = table(step, similar, params, moved, keep, read.lost)
    map_legend = legend(similar, read.by_key)
    expired = step.job.expired_at is not None
    lost = read.lost.hosts if read.lost else set()
    places = cards.Places(kept, keep, identical=identical, expired=expired, known=known)
    is_comparing = compared.compared < compared.to_compare
    context: dict[str, Any] = {
        "step": step,
        "job": step.job,
        "params": params,
        "overview": step_overview,
        "prints": prints,
        "verdict": partial(
            "verdict.html",
            **summary(step, similar, compared)._asdict(),
            slowest=slowest(step_overview),
            comma=pgettext("between clauses", ", "),
            stop=(stop := pgettext("end of a sentence", ".")),
            blank=" " if stop.isascii() else "",  # full-width signs bring their own
        ),
        "since_last": since_last_run(step, known),
        "map": host_map(step_overview.by_name, similar, keep),
        "legend": _with_places(map_legend, placed, kept),
        "groups": partial(
            "groups.html",
            **cards.context(
                *(placed, read, places),
                crowd_hosts=len(values.crowd.hosts) if values.crowd else 0,
                targets=[entry.group for entry in map_legend],
            ),
        ),
        "identical": identical,
        "only_failed": only_failed,
        "failed_toggle": links.with_changes(kept, only=None if only_failed else "failed"),
        "transfers": [
            group
            for group in transfer_groups(
                moved, [group for group in compared.groups if group.failed], known
            )
            if not only_failed or group.colour == Kind.BAD
        ],
        "table": rows,
        "rows": partial("host_rows.html", rows=rows.rows, prints=prints),
        "pages": _pages(rows, kept),
        "heads": _heads(rows, kept, HEADS if prints else HEADS[:-1]),
        "kept": [(k, v) for k, v in kept.items() if k in ("attempt", "batch", "alike", "only")],
        "kinds": [(kind, outcome_label(kind)) for kind in Kind],
        "narrowed": _narrowed(kept),
        "toggle": links.with_changes(kept, alike=None if identical else "identical", page=None),
        "keep": keep,
        "urls": links.of_step(step),
        "started": moment(step.start_time),
        "ended": moment(step.end_time),
        "took": duration(step.total_time),
        "kind": run_kind(step, outcomes),
        "status": status_label(step, outcomes),
        "since": step.start_time if run_rank(step.status) == RUNNING else None,
        "elapsed": elapsed(step.start_time),
        "lost": lost_names(step_overview, lost),
        "lost_total": len(lost),
        "expired": moment(step.job.expired_at),
        "bytes": sum(host.size for host in step_overview.hosts),
    }
    response = live.page(
        request,
        "joblogs/step.html",
        "joblogs/_step.html",
        context,
        version="" if is_comparing else version,  # the next poll compares more
        runs=is_comparing or _runs(step, step_overview),
    )
    read_hosts = len(read.hosts | compared.read_hosts)
    entry = read_entry(request, step, channel=Channel.STEP, hosts=read_hosts, poll=is_poll)
    entry.end(read.size + compared.read_bytes)
    return response


def _facts_of(step: StepInstance) -> tuple[object, ...]:
    job = step.job
    times = step.start_time, step.end_time, step.total_time
    return step.status, step.name, *times, job.status, job.name, job.operator, job.expired_at


def _runs(step: StepInstance, step_overview: Overview) -> bool:
    """Return whether more of the step is to come."""
    if not step_overview.all_finished:
        return True
    return run_rank(step.status) < FINISHED and run_rank(step.job.status) < FINISHED


def step_hosts(step: StepInstance, request: HttpRequest) -> HttpResponseBase:
    """Return the selected hosts as text, one per line; `as` selects names, addresses or ids."""
    _, shown = hosts_shown(step, request)
    write = _WRITTEN.get(request.GET.get("as", ""), _WRITTEN["names"])
    lines = [write(host) for host in shown]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


def hosts_shown(step: StepInstance, request: HttpRequest) -> tuple[dict[str, Any], list[StepHost]]:
    """Return the requested filters, and all hosts of the table, on all its pages."""
    params, step_overview = _read(step, request)
    prints = step.prints_output
    values = step_groups(step_overview)
    if params["alike"] == "identical" and prints:
        values = identical_groups(step_overview, values)
    made = groups(values, prints=prints)
    return params, [host for host, _group in chosen(made, params)]


def _address(host: StepHost) -> str:
    cloud, address = host.newest.bk_cloud_id, host.newest.address
    return f"{cloud}:{address}" if cloud and address else address


_WRITTEN = {
    "names": lambda host: host.name.replace("\n", " "),
    "ids": lambda host: str(host.bk_host_id),
    "addresses": _address,
}


def _read(step: StepInstance, request: HttpRequest) -> tuple[dict[str, Any], Overview]:
    form = StepForm(request.GET)
    form.is_valid()
    params = {name: form.cleaned_data.get(name) for name in form.fields}
    return params, overview(step, Attempts(params["attempt"], params["batch"]))


def _kept(params: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in params.items() if value not in (None, "")}


def _narrowed(kept: dict[str, str]) -> str:
    """Return the query parameters with which the table's hosts are listed as text."""
    names = ("q", "outcome", "group", "attempt", "batch")
    return "".join(f"&{urlencode({name: kept[name]})}" for name in names if name in kept)


def _on_log(params: dict[str, Any]) -> str:
    """Return the query string for links to the logs of hosts."""
    kept = {name: str(params[name]) for name in ("attempt", "batch") if params[name] is not None}
    return links.with_changes(kept)


def _with_places(
    entries: Sequence[LegendEntry], placed: cards.Layout, kept: dict[str, str]
) -> list[tuple[LegendEntry, str]]:
    """Return the legend's entries with their addresses: a card on this page or on the first one."""
    shown = {group.key for group in (*placed.order, *placed.one_offs)}
    first = "?" + links.with_changes(kept, ways=None, only=None)
    return [
        (entry, f"{'' if entry.group in shown else first}#g-{entry.group}") for entry in entries
    ]


def _pages(rows: Table, kept: dict[str, str]) -> dict[str, str]:
    pages = {}
    if rows.page > 1:
        pages["before"] = links.with_changes(kept, page=str(rows.page - 1))
    if rows.page < rows.pages:
        pages["after"] = links.with_changes(kept, page=str(rows.page + 1))
    return pages


Head = tuple[str, Any, bool]
"""Column of the table: its sort key, its label, and whether it has numbers."""
HEADS: list[Head] = [
    ("name", _("host"), False),
    ("address", _("address"), False),
    ("failed", _("outcome"), False),
    ("exit", _("exit"), True),
    ("took", _("duration"), True),
    ("size", _("size"), True),
]


def _heads(rows: Table, kept: dict[str, str], shown: Sequence[Head]) -> list[dict[str, Any]]:
    """Return the column headers with the links that sort by them, and the current sorting."""
    heads = []
    for name, label, right in shown:
        # Numbers are sorted in descending order first: people look for large ones.
        first = f"-{name}" if right else name
        other = name if right else f"-{name}"
        query = links.with_changes(kept, sort=other if rows.sort == first else first, page=None)
        now = {name: "ascending", f"-{name}": "descending"}.get(rows.sort, "")
        heads.append({"label": label, "right": right, "query": query, "sorted": now})
    return heads
