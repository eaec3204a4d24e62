"""Endpoint `/api/v1/…/search_history`: the steps of a scope that printed a text."""

from __future__ import annotations

import datetime
from functools import partial
from typing import Annotated

from django.http.response import HttpResponseBase
from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import access, database, slow_work
from joblogs.api.base import ApiView, Operation, caller_of, read_entry, search_entry
from joblogs.api.exchange import success
from joblogs.api.fields import TEXT, Parameter, Params, flag_param, read_query, text_param
from joblogs.api.parameters import optional_text
from joblogs.audit import Channel
from joblogs.choices import Outcome
from joblogs.errors import BadRequest, PermissionDenied, ScopeNotFound
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

from .fields import LogLine, at_most, day_param, outcome_param, searched_text

SECONDS = 10.0
STEPS, STEPS_MAX = 50, 200
DAYS = 30


def _cursor(params: Params, field: str) -> Cursor | None:
    text = optional_text(params, field)
    try:
        return None if text is None else Cursor.of(text)
    except (ValueError, OverflowError):
        raise BadRequest(BadRequest.FIELD, field) from None


class HistoryParams(Struct, frozen=True):
    """Parameters of the query string: what to search for, and in which jobs."""

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
    since: Annotated[
        datetime.date | None,
        day_param(f"Jobs created on this UTC day or later; by default {DAYS} days in all."),
    ]
    until: Annotated[
        datetime.date | None, day_param("Jobs created on this UTC day or before; today.")
    ]
    name: Annotated[str | None, text_param("Jobs whose name holds this, in any case.")]
    host: Annotated[str | None, text_param("Only the host of this name, address or id.")]
    status: Annotated[Outcome | None, outcome_param]
    length: Annotated[
        int,
        Parameter(
            partial(at_most, STEPS_MAX, STEPS),
            {"type": "integer", "minimum": 1, "maximum": STEPS_MAX, "default": STEPS},
            "Steps with hits at most.",
        ),
    ]
    cursor: Annotated[
        Cursor | None,
        Parameter(_cursor, TEXT, "Where to go on: from the previous answer."),
    ]

    @property
    def question(self) -> Question:
        """The search. Raise BadRequest."""
        until = self.until or timezone.now().date()
        since = self.since or first_day(until, DAYS)
        if since > until or (until - since).days >= SPAN_DAYS_MAX:
            raise BadRequest(BadRequest.FIELD, "since")
        question = Question(
            text=self.q,
            regex=self.regex,
            ignore_case=not self.case,
            since=since,
            until=until,
            name=self.name,
            host=self.host,
            outcome=self.status,
        )
        try:
            question.parsed()
        except InvalidPattern:
            raise BadRequest(BadRequest.FIELD, "q") from None
        except TooWide:
            raise BadRequest(BadRequest.TOO_WIDE) from None
        return question


class FoundStep(Struct, kw_only=True):
    """Step with hits."""

    job_instance_id: int
    job_name: str
    job_create_time: int
    step_instance_id: int
    step_name: str
    hits: Annotated[int, Meta(description="Lines that match.")]
    hosts_with_hits: int
    folded: Annotated[list[str], Meta(description="The names of these hosts in few words.")]
    bk_host_id: Annotated[int, Meta(description="Host of the line that is shown.")]
    execute_count: Annotated[
        int | None,
        Meta(description="Attempt that printed the line, if a later one on the host replaced it."),
    ]
    file: Annotated[str, Meta(description="Of a file step the path of its file, else empty.")]
    line: Annotated[LogLine, Meta(description="The first hit on that host.")]

    @classmethod
    def of(cls, hits: StepHits) -> FoundStep:
        step = hits.step
        return cls(
            job_instance_id=step.job.job_instance_id,
            job_name=step.job.name,
            job_create_time=step.job.create_time,
            step_instance_id=step.step_instance_id,
            step_name=step.name,
            hits=hits.hits,
            hosts_with_hits=len(hits.hosts),
            folded=hits.folded,
            bk_host_id=hits.host.bk_host_id,
            execute_count=hits.attempt,
            file=hits.label,
            line=LogLine.of(hits.line),
        )


class FoundInHistory(Struct, kw_only=True):
    """Steps that printed a text, and the extent of the search."""

    steps: Annotated[list[FoundStep], Meta(description="The newest job first.")]
    since: datetime.date
    until: datetime.date
    steps_searched: Annotated[
        int,
        Meta(description="Steps that were read or that, by their signatures, cannot hold it."),
    ]
    steps_read: Annotated[int, Meta(description="Those of them whose text was read.")]
    bytes_read: int
    steps_expired: Annotated[int, Meta(description="Steps whose text has gone.")]
    logs_cut: Annotated[
        int, Meta(description="Logs of which only the beginning was searched: they take too long.")
    ]
    logs_unreadable: Annotated[
        int, Meta(description="Logs that cannot be read now: damaged, or out of reach.")
    ]
    cursor: Annotated[
        str | None,
        Meta(description="What goes on from here; null if all was searched."),
    ]


class SearchHistory(ApiView):
    """View of a search of the jobs of a scope, by GET."""

    http_method_names = ["get"]
    errors = (BadRequest, ScopeNotFound, PermissionDenied)
    operations = {
        "get": Operation(
            id="search_history",
            tag="Answers",
            summary="In which steps of a scope a text was printed",
            description="The newest jobs first. It ends after "
            f"{SECONDS:.0f} seconds or `length` steps with a `cursor`. An unknown parameter is "
            "refused.",
            request=HistoryParams,
            answer=FoundInHistory,
        )
    }

    @database.from_replica
    def get(self, request: Request, scope_type: str, scope_id: str) -> HttpResponseBase:
        scope = access.readable_scope(caller_of(request), scope_type=scope_type, scope_id=scope_id)
        params = read_query(HistoryParams, request._request)
        question = params.question
        slow_work.begin(request._request)
        search = HistorySearch(
            access.jobs_in(scope),
            [scope],
            question,
            seconds=SECONDS,
            steps_max=params.length,
            start=params.cursor,
        )
        steps = list(search)
        search_entry(request, channel=Channel.API_HISTORY).record(search)
        for hits in steps:
            entry = read_entry(
                request,
                hits.step,
                channel=Channel.API_HISTORY,
                hosts=len(hits.hosts),
                search=True,
            )
            entry.end(hits.searched_bytes)
        found = FoundInHistory(
            steps=[FoundStep.of(hits) for hits in steps],
            since=question.since,
            until=question.until,
            steps_searched=len(search.steps),
            steps_read=search.read_steps,
            bytes_read=search.read_bytes,
            steps_expired=search.expired_steps,
            logs_cut=search.cut_logs,
            logs_unreadable=search.lost_logs,
            cursor=None if search.cursor is None else str(search.cursor),
        )
        return success(request._request, found)
