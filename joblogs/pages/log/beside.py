"""List of hosts beside an open log: the hosts of its group, the failed hosts, or all hosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from joblogs.models import StepInstance
from joblogs.pages import links
from joblogs.pages.formats import host_status_label, number
from joblogs.pages.rendering import partial
from joblogs.pages.step.groups import Kind, kind_of_status
from joblogs.query import Attempts, StepHost
from joblogs.query.overview import overview
from joblogs.step_groups import step_groups

from .request import LogRequest

LISTED = 200
"""Maximum hosts listed, around the one whose log is open."""
_FAILED = (Kind.BAD, Kind.LATE)
_LABELS = {"group": _("same group"), "failed": _("failed"), "all": _("all hosts")}


class BesideForm(forms.Form):
    """Form for the hosts to list, and the direction to move from the current host."""

    among = forms.ChoiceField(required=False, choices=[(name, name) for name in _LABELS])
    to = forms.ChoiceField(required=False, choices=[("next", "next"), ("previous", "previous")])


class HostLink(NamedTuple):
    """Link to the log of a listed host."""

    name: str
    address: str
    kind: str
    status: str
    is_open: bool


@dataclass(frozen=True)
class Beside:
    """Hosts of a step by name, for each choice of the list."""

    host: StepHost
    group: list[StepHost]
    failed: list[StepHost]
    every: list[StepHost]

    def among(self, name: str) -> list[StepHost]:
        """Return the hosts of a choice; the hosts of the group by default."""
        return {"failed": self.failed, "all": self.every}.get(name, self.group)

    @property
    def neighbours(self) -> list[StepHost]:
        """Hosts for the links to the previous and next host: the group; if the host is alone in it,
        the failed hosts if it failed and is not the only one; otherwise all hosts."""
        if len(self.group) > 1:
            return self.group
        return self.failed if self.host in self.failed and len(self.failed) > 1 else self.every


def beside_of(step: StepInstance, bk_host_id: int, attempts: Attempts) -> Beside:
    """Return the hosts to list beside a host, without reading any log.

    Raises Http404 if the host is not a target of the step.
    """
    step_overview = overview(step, attempts)
    every = step_overview.by_name
    host = next((one for one in every if one.bk_host_id == bk_host_id), None)
    if host is None:
        raise Http404
    groups = step_groups(step_overview).groups
    group = next(one for one in groups if host in one.hosts)
    failed = [one for one in every if kind_of_status(one.status) in _FAILED]
    return Beside(host, sorted(group.hosts, key=lambda one: one.place), failed, every)


def neighbour_page(step: StepInstance, bk_host_id: int, request: HttpRequest) -> HttpResponse:
    """Redirect to the log of the next or previous host; the last is followed by the first."""
    params, log_request = _read(request)
    hosts = beside_of(step, bk_host_id, log_request.attempts).neighbours
    place = [host.bk_host_id for host in hosts].index(bk_host_id)
    other = hosts[(place + (-1 if params["to"] == "previous" else 1)) % len(hosts)]
    log = links.of_host(step, other.bk_host_id)["log"]
    return HttpResponseRedirect(f"{log}?{_kept(log_request)}".removesuffix("?"))


def beside_page(step: StepInstance, bk_host_id: int, request: HttpRequest) -> HttpResponse:
    """Return the list of hosts as a part of a log's page."""
    params, log_request = _read(request)
    found = beside_of(step, bk_host_id, log_request.attempts)
    choice = params["among"] or "group"
    hosts = found.among(choice)
    place = hosts.index(found.host) if found.host in hosts else 0
    start = max(0, min(place - LISTED // 2, len(hosts) - LISTED))
    shown = hosts[start : start + LISTED]
    kept, logs = _kept(log_request), links.of_step(step)["hosts"]
    choices = [(name, str(_LABELS[name]), number(len(found.among(name)))) for name in _LABELS]
    html = partial(
        "beside.html",
        choices=choices,
        choice=choice,
        hosts=[_link(host, found.host, logs, kept) for host in shown],
        more=_more(len(hosts) - len(shown)),
    )
    return HttpResponse(html)


def _read(request: HttpRequest) -> tuple[dict[str, Any], LogRequest]:
    form = BesideForm(request.GET)
    form.is_valid()
    return {"among": "", "to": ""} | form.cleaned_data, LogRequest.read(request.GET)


def _kept(request: LogRequest) -> str:
    """Return the query string with which the log of another host is opened."""
    return links.with_changes(request.in_page, file=None)


def _link(host: StepHost, opened: StepHost, logs: str, kept: str) -> HostLink:
    address = f"{logs}{host.bk_host_id}/?{kept}".removesuffix("?")
    status = host_status_label(host.status, host.newest.exit_code)
    return HostLink(host.name, address, kind_of_status(host.status), status, host is opened)


def _more(count: int) -> str:
    return gettext("and %(n)s more") % {"n": number(count)} if count else ""


def beside_context(urls: dict[str, str], request: LogRequest) -> dict[str, str]:
    """Return the URLs of the list beside a log and of the previous and next host."""
    kept = request.in_page
    return {
        "previous": f"{urls['log_neighbour']}?{links.with_changes(kept, to='previous')}",
        "next": f"{urls['log_neighbour']}?{links.with_changes(kept, to='next')}",
        "list": f"{urls['log_beside']}?{links.with_changes(kept)}",
    }
