"""Search over the logs of many jobs: "has any host ever printed this?"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from joblogs import slow_work
from joblogs.audit import Channel
from joblogs.choices import Outcome
from joblogs.filters import DayField, JobFilter, ScopeField
from joblogs.models import JobInstance, Scope, StepInstance
from joblogs.pages import links
from joblogs.pages.log.host_log import moment
from joblogs.pages.reading import read_entry, search_entry
from joblogs.pages.rendering import rendered
from joblogs.pages.search.hits import HitLine, hit_lines
from joblogs.query import StepHost
from joblogs.search import (
    PATTERN_MAX,
    SPAN_DAYS_MAX,
    Cursor,
    HistorySearch,
    InvalidPattern,
    Question,
    StepHits,
    TooWide,
    first_day,
)

SECONDS = 10.0
STEPS = 30
DAYS = 30
FOLDED_MAX = 12
"""Maximum parts of folded host names shown for a step."""


class HistoryForm(forms.Form):
    """Form for what to search for, and in which jobs."""

    q = forms.CharField(required=False, max_length=PATTERN_MAX, strip=False, label=_("Search"))
    regex = forms.BooleanField(required=False, label=_("regular expression"))
    case = forms.BooleanField(required=False, label=_("match case"))
    scope = ScopeField(None, required=False, label=_("scope"), empty_label=_("all scopes"))
    name = forms.CharField(required=False, max_length=512, label=_("job name"))
    host = forms.CharField(required=False, max_length=256, label=_("host"))
    hosts = forms.ChoiceField(
        required=False,
        label=_("outcome"),
        choices=[
            ("", _("all hosts")),
            (str(Outcome.FAILED), _("failed hosts")),
            (str(Outcome.SUCCEEDED), _("hosts that succeeded")),
        ],
    )
    since = DayField(required=False, label=_("from"))
    until = DayField(required=False, label=_("to"))

    def __init__(self, *args: Any, scopes: QuerySet[Scope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scope: Any = self.fields["scope"]
        scope.queryset = scopes.order_by("scope_type", "scope_id")
        scope.label_from_instance = lambda one: one.name or str(one)
        self.fields["host"].widget.attrs["placeholder"] = _("address, name or id")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = self.cleaned_data
        until = values.get("until") or timezone.now().date()
        since = values.get("since") or first_day(until, DAYS)
        is_span = not {"since", "until"} & self.errors.keys()
        if is_span and not 0 <= (until - since).days < SPAN_DAYS_MAX:
            text = gettext("The span must be 1 to %(n)s days.") % {"n": SPAN_DAYS_MAX}
            self.add_error("since", text)
        return values | {"since": since, "until": until}

    def question(self) -> Question:
        """Return the question that a valid form asks."""
        values = self.cleaned_data
        return Question(
            text=values["q"],
            regex=values["regex"],
            ignore_case=not values["case"],
            since=values["since"],
            until=values["until"],
            name=values["name"] or None,
            host=values["host"] or None,
            outcome=Outcome(values["hosts"]) if values["hosts"] else None,
        )


class ShownStep(NamedTuple):
    """Step with hits, as its template shows it."""

    hits: StepHits
    created: object
    folded: str
    pages: dict[str, str]
    search: str
    """Address of the same search within the step."""
    line: HitLine
    log: str
    """Address of the shown line."""


class LostStep(NamedTuple):
    """Step with logs that could not be searched, as its template shows it."""

    step: StepInstance
    hosts: str
    """Names of some of the hosts whose logs were not searched."""
    page: str


def history_page(
    jobs: QuerySet[JobInstance], scopes: QuerySet[Scope], request: HttpRequest
) -> HttpResponseBase:
    """Return the page with the search form and the steps with hits, newest first."""
    form = HistoryForm(request.GET, scopes=scopes)
    kept = {name: str(value) for name, value in request.GET.items() if value and name != "cursor"}
    context: dict[str, Any] = {
        "form": form,
        "seconds": f"{SECONDS:.0f}",
        "no_scope": not request.user.is_superuser and not scopes.exists(),
    }
    search = None
    shown: list[StepHits] = []
    if form.is_valid() and form.cleaned_data["q"]:
        search = _search(form, jobs, scopes, _cursor(request))
    if search is not None:
        slow_work.begin(request)
        shown = list(search)
        pattern, _places = search.question.parsed()
        keep = {name: value for name, value in kept.items() if name in ("q", "regex", "case")}
        context |= {
            "search": search,
            "found": [_shown(hits, hit_lines([hits.line], pattern, "")[0], keep) for hits in shown],
            "lost": [_lost(step, hosts) for step, hosts in search.lost],
            "went_on": "cursor" in request.GET,
            "reached": None if search.cursor is None else search.cursor.day,
            "more": None
            if search.cursor is None
            else links.with_changes(kept, cursor=str(search.cursor)),
        }
        search_entry(request, channel=Channel.HISTORY).record(search)
    for hits in shown:
        hosts = len(hits.hosts)
        read = read_entry(request, hits.step, channel=Channel.HISTORY, hosts=hosts, search=True)
        read.end(hits.searched_bytes)
    return HttpResponse(rendered("joblogs/history.html", context, request))


def _search(
    form: HistoryForm,
    jobs: QuerySet[JobInstance],
    scopes: QuerySet[Scope],
    start: Cursor | None,
) -> HistorySearch | None:
    """Return the requested search; None if it is invalid, with the error added to the form."""
    question = form.question()
    try:
        question.parsed()
    except InvalidPattern as error:
        form.add_error("q", gettext("Invalid search: %s") % error)
        return None
    except TooWide:
        form.add_error(
            "q",
            gettext(
                "Narrow the search: a text under 3 bytes or an expression without fixed text "
                "needs a job name, a host or a single day."
            ),
        )
        return None
    scope = form.cleaned_data["scope"]
    own = list(scopes) if scope is None else [scope]
    return HistorySearch(
        JobFilter(scope=scope).narrow(jobs),
        own,
        question,
        seconds=SECONDS,
        steps_max=STEPS,
        start=start,
    )


def _cursor(request: HttpRequest) -> Cursor | None:
    try:
        return Cursor.of(request.GET["cursor"]) if request.GET.get("cursor") else None
    except (ValueError, OverflowError):
        return None


def _lost(step: StepInstance, hosts: Sequence[StepHost]) -> LostStep:
    names = [host.name for host in hosts]
    more = " …" if len(names) > FOLDED_MAX else ""
    return LostStep(step, ", ".join(names[:FOLDED_MAX]) + more, links.of_step(step)["step"])


def _shown(hits: StepHits, line: HitLine, keep: dict[str, str]) -> ShownStep:
    pages = links.of_step(hits.step)
    folded = hits.folded
    attempt = {} if hits.attempt is None else {"attempt": str(hits.attempt)}
    at = {"line": str(line.number)} if line.offset is None else {"byte": str(line.offset)}
    place = f"?{links.with_changes(at | attempt)}"
    if line.offset is None:
        place += f"#L{line.number}"
    return ShownStep(
        hits=hits,
        created=moment(hits.step.job.create_time),
        folded=", ".join(folded[:FOLDED_MAX]) + (" …" if len(folded) > FOLDED_MAX else ""),
        pages=pages,
        search=f"{pages['search']}?{links.with_changes(keep | attempt)}",
        line=line,
        log=f"{pages['hosts']}{hits.host.bk_host_id}/{place}",
    )
