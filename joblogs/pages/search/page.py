"""Search in the logs of a step."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from joblogs import query, slow_work
from joblogs.audit import Channel
from joblogs.choices import HOST_SUCCEEDED, HOST_UNFINISHED, Role
from joblogs.logtext.encodings import CHOICES
from joblogs.models import StepInstance
from joblogs.pages import links
from joblogs.pages.log.host_log import moment
from joblogs.pages.reading import read_entry
from joblogs.pages.rendering import partial, rendered
from joblogs.query import Attempts, Result, State, StepHost, host_history
from joblogs.search import (
    PATTERN_MAX,
    Budget,
    HostWithHits,
    InvalidPattern,
    Pattern,
    Search,
    SearchResults,
    gather,
    label_of,
)
from joblogs.search.hit_groups import HOSTS_MAX

from .shown import host_links, shown_group

SECONDS = 10.0
AROUND_MAX = 5
SHOWN = 3
"""Maximum hits shown for each host."""


class SearchForm(forms.Form):
    """Form for what to search for, and on which hosts."""

    q = forms.CharField(required=False, max_length=PATTERN_MAX, strip=False, label=_("Search"))
    regex = forms.BooleanField(required=False, label=_("regular expression"))
    case = forms.BooleanField(required=False, label=_("match case"))
    context = forms.IntegerField(
        required=False, min_value=0, max_value=AROUND_MAX, label=_("lines of context")
    )
    hosts = forms.ChoiceField(
        required=False,
        label=_("hosts"),
        choices=[
            ("", _("all hosts")),
            ("failed", _("failed hosts")),
            ("ok", _("hosts that succeeded")),
        ],
    )
    host = forms.IntegerField(required=False, min_value=0, max_value=2**62, label=_("host id"))
    attempt = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    batch = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    encoding = forms.ChoiceField(required=False, choices=[(name, name) for name in CHOICES])


def search_page(step: StepInstance, request: HttpRequest) -> HttpResponseBase:
    """Return the page with the search form and the results."""
    form = SearchForm(request.GET)
    context: dict[str, Any] = {
        "form": form,
        "step": step,
        "job": step.job,
        "seconds": f"{SECONDS:.0f}",
        "urls": links.of_step(step),
        "around": range(AROUND_MAX + 1),
        "chosen_around": 1,
        "encodings": list(CHOICES),
    }
    search = None
    context["expired"] = moment(step.job.expired_at)
    if not context["expired"] and form.is_valid() and form.cleaned_data["q"]:
        try:
            pattern = _pattern(form.cleaned_data)
        except InvalidPattern as error:
            form.add_error("q", gettext("Invalid search: %s") % error)
        else:
            slow_work.begin(request)
            search = _search(step, form.cleaned_data, pattern, context)
    html = rendered("joblogs/search.html", context, request)
    if search is not None:
        read = read_entry(
            request, step, channel=Channel.SEARCH, hosts=len(search.hosts), search=True
        )
        read.end(search.searched_bytes)
    return HttpResponse(html)


def _pattern(params: dict[str, Any]) -> Pattern:
    return Pattern.of(
        params["q"],
        regex=params["regex"],
        ignore_case=not params["case"],
        in_utf16=params["encoding"] == "utf-16",
    )


def _search(
    step: StepInstance, params: dict[str, Any], pattern: Pattern, context: dict[str, Any]
) -> Search:
    labels = host_history.host_labels(step)
    attempts = Attempts(params["attempt"], params["batch"])
    hosts = [
        host
        for host in query.hosts_as(step, Role.TARGET, attempts)
        if _is_selected(host, labels.get(host.bk_host_id), params)
    ]
    around = params["context"] if params["context"] is not None else 1
    search = Search(
        *(step, hosts, pattern),
        context=around,
        shown=SHOWN,
        budget=Budget(seconds=SECONDS),
        what_is_there=True,
    )
    encoding = params["encoding"]
    results = gather(search, labels)
    kept = {"attempt": params["attempt"], "batch": params["batch"]}
    kept_hidden = [(name, str(value)) for name, value in kept.items() if value is not None]
    without = _without(search, results, labels)
    lost = [
        HostWithHits(h.bk_host_id, label_of(h.bk_host_id, labels.get(h.bk_host_id)))
        for h in search.lost
    ]
    without_total = 0 if search.stopped else len(hosts) - len(results.hosts) - len(lost)
    logs = context["urls"]["hosts"]
    keep = "".join(f"&{name}={value}" for name, value in kept_hidden)
    keep += f"&encoding={encoding}" if encoding else ""
    context |= {
        "chosen_around": around,
        "kept_hidden": kept_hidden,
        "groups": partial(
            "hit_groups.html",
            groups=[
                shown_group(group, pattern, encoding, logs=logs, keep=keep)
                for group in results.groups
            ],
        ),
        "without_more": without_total - len(without),
        "search": search,
        "results": results,
        "without": partial("host_links.html", hosts=host_links(without, logs)),
        "without_total": without_total,
        "lost": partial("host_links.html", hosts=host_links(lost[:HOSTS_MAX], logs)),
        "lost_total": len(lost),
        "partial": sum(query.log_state(step, host).state != State.COMPLETE for host in hosts),
    }
    return search


def _is_selected(host: StepHost, label: Result | None, params: dict[str, Any]) -> bool:
    if params["host"] is not None:
        return bool(host.bk_host_id == params["host"])
    status = label.status if label is not None else None
    if params["hosts"] == "ok":
        return status in HOST_SUCCEEDED
    if params["hosts"] == "failed":
        return status not in (*HOST_SUCCEEDED, *HOST_UNFINISHED)
    return True


def _without(
    search: Search, results: SearchResults, labels: dict[int, Result]
) -> list[HostWithHits]:
    """Return hosts without hits, at most HOSTS_MAX; none if not everything was searched."""
    if search.stopped:
        return []
    known = results.hosts | {host.bk_host_id for host in search.lost}
    silent = [host.bk_host_id for host in search.hosts if host.bk_host_id not in known]
    return [HostWithHits(host, label_of(host, labels.get(host))) for host in silent[:HOSTS_MAX]]
