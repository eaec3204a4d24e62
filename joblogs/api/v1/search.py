"""Endpoint `/api/v1/…/search`: hits in the logs of a step, grouped by hosts with equal hits."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import database, query, slow_work
from joblogs.api.base import ApiView, Operation, read_entry, step_of_path
from joblogs.api.exchange import success
from joblogs.api.fields import Parameter, count_param, flag_param, read_query
from joblogs.audit import Channel
from joblogs.choices import Role, StepType
from joblogs.errors import BadRequest, JobNotFound, PermissionDenied, ScopeNotFound
from joblogs.export import Outcome
from joblogs.query import Attempts, host_history
from joblogs.search import (
    PATTERN_MAX,
    Budget,
    HitGroup,
    InvalidPattern,
    Pattern,
    Search,
    gather,
)

from .fields import LogLine, at_most, context_param, outcome_param, searched_text

SECONDS = 10.0
PAGE_MAX = 20_000
"""Hosts that one request searches."""
SHOWN = 3
"""Most hits of a group whose lines are shown."""


class SearchParams(Struct, frozen=True):
    """Parameters of the query string: what to search for, and where."""

    q: Annotated[
        str,
        Parameter(
            searched_text,
            {"type": "string", "minLength": 1, "maxLength": PATTERN_MAX},
            "The text to search for.",
            required=True,
        ),
    ]
    regex: Annotated[bool, flag_param("It is a regular expression (RE2).")]
    case: Annotated[bool, flag_param("Match case.")]
    context: Annotated[int, context_param]
    status: Annotated[Outcome | None, outcome_param]
    start: Annotated[int | None, count_param("First host to search.")]
    length: Annotated[
        int,
        Parameter(
            partial(at_most, PAGE_MAX, PAGE_MAX),
            {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_MAX},
            "Hosts to search.",
        ),
    ]
    execute_count: Annotated[int | None, count_param("Only up to this attempt.")]
    batch: Annotated[int | None, count_param("Only this rolling batch.")]

    @property
    def pattern(self) -> Pattern:
        """The pattern to search for. Raise BadRequest."""
        try:
            return Pattern.of(self.q, regex=self.regex, ignore_case=not self.case)
        except InvalidPattern:
            raise BadRequest(BadRequest.FIELD, "q") from None


class FoundOn(Struct):
    """Host with hits."""

    bk_host_id: int
    name: str


class FoundGroup(Struct, kw_only=True):
    """Hosts whose hits are equal except for times, numbers and similar values."""

    file: Annotated[str, Meta(description="Of a file step the path of the file, else empty.")]
    total: Annotated[int, Meta(description="Hosts of the group.")]
    folded: Annotated[list[str], Meta(description="Their names in few words.")]
    hosts: Annotated[list[FoundOn], Meta(description="The first of them.")]
    hits: Annotated[int, Meta(description="Lines that match, on each host.")]
    is_outlier: Annotated[
        bool, Meta(description="Only a value tells these hosts from those of another group.")
    ]
    lines: Annotated[
        list[LogLine], Meta(description=f"The first {SHOWN} hits of one host, and lines around.")
    ]

    @classmethod
    def of(cls, group: HitGroup) -> FoundGroup:
        return cls(
            file=group.label,
            total=group.total,
            folded=group.folded,
            hosts=[FoundOn(host.bk_host_id, host.name) for host in group.hosts],
            hits=group.count,
            is_outlier=group.is_outlier,
            lines=[LogLine.of(line) for line in group.lines],
        )


class FoundHits(Struct, kw_only=True):
    """Hits of a search in a step."""

    total: Annotated[int, Meta(description="Hosts that could be searched.")]
    hits: Annotated[int, Meta(description="Lines that match.")]
    hosts_with_hits: int
    hosts_without_hits: Annotated[
        int | None, Meta(description="Null if the search ended before all were searched.")
    ]
    groups: Annotated[list[FoundGroup], Meta(description="The smallest first.")]
    hosts_beyond: Annotated[int, Meta(description="Hosts of groups that are too many to show.")]
    stopped: Annotated[bool, Meta(description=f"It ended after {SECONDS:.0f} seconds.")]
    next_start: Annotated[
        int | None, Meta(description="The `start` that searches on; null if there are no more.")
    ]


class SearchStep(ApiView):
    """View of a search in the logs of a step, by GET."""

    http_method_names = ["get"]
    errors = (BadRequest, ScopeNotFound, PermissionDenied, JobNotFound)
    operations = {
        "get": Operation(
            id="search",
            tag="Answers",
            summary="Which hosts of a step printed a text, in groups",
            description="Hosts by ascending id. An unknown parameter is refused.",
            request=SearchParams,
            answer=FoundHits,
        )
    }

    @database.from_replica
    def get(
        self, request: Request, scope_type: str, scope_id: str, job: str, step: str
    ) -> HttpResponseBase:
        params = read_query(SearchParams, request._request)
        pattern = params.pattern
        instance = step_of_path(request, scope_type, scope_id, job, step)
        slow_work.begin(request._request)
        attempts = Attempts(params.execute_count, params.batch)
        hosts = [
            host
            for host in query.hosts_as(instance, Role.TARGET, attempts)
            if params.status in (None, Outcome.of(host.status))
        ]
        start = params.start or 0
        search = Search(
            instance,
            hosts[start : start + params.length],
            pattern,
            context=params.context,
            shown=SHOWN,
            budget=Budget(seconds=SECONDS),
        )
        results = gather(search, host_history.host_labels(instance))
        searched = len(search.hosts)
        if search.stopped:
            # For a file step, files are counted, so it is not known which hosts are left.
            searched = search.searched_logs if instance.step_type != StepType.FILE else len(hosts)
        following = start + searched
        found = FoundHits(
            total=len(hosts),
            hits=results.hits,
            hosts_with_hits=len(results.hosts),
            hosts_without_hits=None if search.stopped else searched - len(results.hosts),
            groups=[FoundGroup.of(group) for group in results.groups],
            hosts_beyond=results.beyond,
            stopped=bool(search.stopped),
            next_start=following if following < len(hosts) else None,
        )
        entry = read_entry(
            request, instance, channel=Channel.API_SEARCH, hosts=len(search.hosts), search=True
        )
        entry.end(search.searched_bytes)
        return success(request._request, found)
