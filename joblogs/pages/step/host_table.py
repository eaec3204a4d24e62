"""Table of the hosts of a step: sorted, filtered and paginated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from django import forms
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from joblogs import query
from joblogs.choices import FileStatus
from joblogs.models import StepInstance
from joblogs.pages.formats import address_label, duration, masked_label, number, size, state_label
from joblogs.pages.log.files import mean_percent
from joblogs.query import Completeness, Lost, State, StepHost
from joblogs.query.overview import Overview, Transfer, natural

from .groups import WORST_FIRST, Group, Kind

ROWS = 100
LOST_NAMED = 5


class TableForm(forms.Form):
    """Form for the filters and the order of the table."""

    SORTS = ("failed", "name", "address", "status", "exit", "took", "size")
    q = forms.CharField(required=False, max_length=256, label=_("host"))
    outcome = forms.ChoiceField(required=False, choices=[(k.value, k.value) for k in Kind])
    sort = forms.ChoiceField(
        required=False, choices=[(s, s) for name in SORTS for s in (name, f"-{name}")]
    )
    page = forms.IntegerField(required=False, min_value=1, max_value=100_000)
    group = forms.CharField(required=False, max_length=12)


class HostRow(NamedTuple):
    """Row of the table, as its template shows it."""

    name: str
    log: str
    history: str
    address: str
    kind: Kind
    status: str
    tag: str
    exit_code: str
    took: str
    took_share: int | None
    """Duration in per cent of the slowest host's; None if either is not known."""
    size: str
    state: State
    state_label: str
    masked: str
    is_usual: bool
    """Whether its log is complete, not empty and has no masked places."""
    files: str
    files_done: str
    percent: int | None
    """Mean progress of its files; None if it is not known."""


class Table(NamedTuple):
    """Page of the table."""

    rows: list[HostRow]
    total: int
    page: int
    pages: int
    sort: str


Key = Callable[[tuple[StepHost, Group]], Any]
_KEYS: dict[str, Key] = {
    "name": lambda pair: (),
    "address": lambda pair: natural(pair[0].newest.address),
    "status": lambda pair: (pair[0].status, pair[0].newest.tag or ""),
    "exit": lambda pair: _none_first(pair[0].newest.exit_code),
    "took": lambda pair: _none_first(pair[0].newest.duration),
    "size": lambda pair: pair[0].size,
}


def _by_outcome(groups: Sequence[Group]) -> list[Group]:
    """Return the groups sorted by kind, the worst first, with equal outcomes together."""
    outcomes: dict[Hashable, int] = {}
    ranks: dict[str, tuple[int, int, int]] = {}
    for place, group in enumerate(groups):
        outcome = (group.status, group.exit_code, group.tag)
        first = outcomes.setdefault(outcome, place)
        ranks[group.key] = WORST_FIRST[group.kind], first, place
    return sorted(groups, key=lambda group: ranks[group.key])


def table(
    step: StepInstance,
    groups: Sequence[Group],
    params: dict[str, Any],
    moved: Iterable[tuple[StepHost, Transfer]] = (),
    keep: str = "",
    lost: Lost | None = None,
) -> Table:
    """Return the requested rows. `moved` are a file step's transfers by host, `keep` is the query
    string of links to logs, and `lost` are the logs that could not be read."""
    files: dict[int, list[tuple[int, str | None]]] = defaultdict(list)
    for host, one in moved:
        files[host.bk_host_id].append((one.status, one.process))
    sort = params.get("sort") or "failed"
    if sort in ("failed", "-failed"):
        ordered = _by_outcome(groups)
        pairs = chosen(ordered if sort == "failed" else ordered[::-1], params)
    else:
        pairs = chosen(groups, params)
        # Equal hosts are sorted by name in every order, also in a reversed one.
        pairs.sort(key=lambda pair: pair[0].place, reverse=sort == "-name")
        key = _KEYS[sort.removeprefix("-")]
        pairs.sort(key=key, reverse=sort.startswith("-") and sort != "-name")
    pages = max(1, -(-len(pairs) // ROWS))
    page = min(params.get("page") or 1, pages)
    histories = reverse("staff:host", args=[0]).removesuffix("0/")
    at = "hosts/", histories, f"?{keep}" if keep else ""
    slowest = max((host.newest.duration or 0 for host, _group in pairs), default=0)
    shown = pairs[(page - 1) * ROWS : page * ROWS]
    unreadable = lost.among(step, [host for host, _group in shown]) if lost else set()
    gone = Completeness(State.UNREACHABLE)
    rows = [
        _row(
            *(host, group, files[host.bk_host_id], at, slowest),
            gone if host.bk_host_id in unreadable else query.log_state(step, host),
        )
        for host, group in shown
    ]
    return Table(rows, len(pairs), page, pages, sort)


def _row(
    host: StepHost,
    group: Group,
    files: list[tuple[int, str | None]],
    links: tuple[str, str, str],
    slowest: int,
    state: Completeness,
) -> HostRow:
    logs, histories, keep = links
    took = host.newest.duration
    newest = host.newest
    return HostRow(
        name=host.name,
        log=f"{logs}{host.bk_host_id}/{keep}",
        history=f"{histories}{host.bk_host_id}/",
        address=address_label(newest.bk_cloud_id, newest.address),
        kind=group.kind,
        status=group.label,
        tag=newest.tag or "",
        exit_code="–" if newest.exit_code is None else str(newest.exit_code),
        took=duration(took),
        took_share=took * 100 // slowest if took is not None and slowest else None,
        size=size(host.size),
        state=state.state,
        state_label=gettext("nothing received") if host.silent else state_label(state),
        masked=masked_label(host.masked),
        is_usual=state.state is State.COMPLETE and not host.silent and not host.masked,
        files=number(len(files)),
        files_done=number(sum(status == FileStatus.DONE for status, _ in files)),
        percent=mean_percent(files),
    )


def chosen(groups: Sequence[Group], params: dict[str, Any]) -> list[tuple[StepHost, Group]]:
    """Return the hosts that match the filters, each with its group."""
    text = (params.get("q") or "").strip().lower()
    return [
        (host, group)
        for group in groups
        if params.get("group") in (None, "", group.key)
        and params.get("outcome") in (None, "", group.kind)
        for host in group.hosts
        if not text or _matches_text(host, text)
    ]


def _matches_text(host: StepHost, text: str) -> bool:
    row = host.newest
    known = (host.name.lower(), row.ip or "", row.ipv6 or "")
    return text == str(host.bk_host_id) or any(text in name for name in known)


def _none_first(number: int | None) -> tuple[bool, int]:
    return number is not None, number or 0


def lost_names(shown: Overview, lost: set[int]) -> str:
    """Return the names of some of the hosts whose logs cannot be read now."""
    hosts = [host.name for host in shown.by_name if host.bk_host_id in lost] if lost else []
    return ", ".join(hosts[:LOST_NAMED]) + (", …" if len(hosts) > LOST_NAMED else "")
