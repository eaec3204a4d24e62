"""Tools for agents (`docs/mcp.md`); each makes one or two requests to the API.

The SDK derives their schemas from signatures and docstrings, and runs each call in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Literal

from django.utils import translation
from django.utils.translation import gettext
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from .answer_texts import (
    bounded,
    comparison_lines,
    host_lines,
    job_lines,
    search_lines,
    step_lines,
)
from .log_window import byte_window, line_window
from .store_api import ApiError, LogPart, StoreApi
from .summary_text import summary_text

Language = Literal["en", "zh"]
TEXT_CHARS: dict[Language, int] = {"en": 6_000, "zh": 3_000}
"""Most characters of a text, by language: a Chinese character counts as two."""
SUMMARY_CHARS = 24_000
"""Most characters of the API's summary from which the text is made."""
DAYS_MAX, JOBS_MAX, HOSTS_MAX, LINES_MAX, BYTES_MAX = 30, 50, 100, 400, 12_000
_DAY, _DAY_MS = r"^(\d{4}-\d\d-\d\d)?$", 24 * 3600 * 1000

Scope = Annotated[
    str, Field(description="TYPE:ID, such as biz:2; empty: the only one that the token may read.")
]
Job = Annotated[int, Field(ge=1, description="job_instance_id")]
Step = Annotated[int, Field(ge=1, description="step_instance_id")]
Host = Annotated[int, Field(ge=1, description="bk_host_id")]
Attempt = Annotated[
    int | None, Field(ge=0, description="As of this attempt (execute_count); else the latest.")
]
Start = Annotated[int, Field(ge=0, description="How many to pass over.")]


class Tools:
    """Tools that query one store. Texts are limited in length; errors are raised as ToolError."""

    def __init__(self, api: StoreApi, language: Language) -> None:
        self._api = api
        self._language: Language = language

    def list_jobs(
        self,
        scope: Scope = "",
        days: Annotated[int, Field(ge=1, le=DAYS_MAX, description="How many days to list.")] = 7,
        until: Annotated[
            str, Field(pattern=_DAY, description="The last of them, as YYYY-MM-DD; empty: today.")
        ] = "",
        name: Annotated[str, Field(description="Only jobs with this in their name.")] = "",
        status: Annotated[
            int | None, Field(description="3 succeeded, 4 failed, 2 running …")
        ] = None,
        start: Start = 0,
        length: Annotated[int, Field(ge=1, le=JOBS_MAX)] = 20,
    ) -> str:
        """The jobs of a scope, newest first: number, time (UTC), status, name, who started it."""
        with _answering(self._language):
            kind, number = self._scope(scope)
            end = _end_of(until)
            jobs = self._api.get(
                *("v3", "get_job_instance_list"),
                bk_scope_type=kind,
                bk_scope_id=number,
                create_time_start=end - days * _DAY_MS,
                create_time_end=end,
                name=name or None,
                status=status,
                start=start,
                length=length,
            )
            return self._bounded(job_lines(jobs))

    def list_steps(self, job: Job, scope: Scope = "") -> str:
        """The steps of a job: number, kind, status, name."""
        with _answering(self._language):
            kind, number = self._scope(scope)
            status = self._api.get(
                *("v3", "get_job_instance_status"),
                bk_scope_type=kind,
                bk_scope_id=number,
                job_instance_id=job,
            )
            return self._bounded(step_lines(status))

    def explain_step(
        self,
        job: Job,
        step: Step,
        scope: Scope = "",
        attempt: Attempt = None,
        language: Annotated[
            Language | None, Field(description="Of the text; by default the server's.")
        ] = None,
    ) -> str:
        """What happened on all hosts of a step, in one short text: groups of hosts that ended alike
        and printed alike, the failures first, each with what sets it apart and some of its lines
        (those marked > are the ones that matter)."""
        spoken = language or self._language
        with _answering(spoken):
            summary = self._api.get(
                *self._step(scope, job, step),
                "summary",
                max_chars=SUMMARY_CHARS,
                execute_count=attempt,
            )
            return summary_text(summary, job=job, step=step, most=TEXT_CHARS[spoken])

    def list_hosts(
        self,
        job: Job,
        step: Step,
        group: Annotated[
            str, Field(pattern="^[0-9a-f]{12}$", description="A key that explain_step gave.")
        ],
        scope: Scope = "",
        attempt: Attempt = None,
        start: Start = 0,
    ) -> str:
        """The hosts of one group of explain_step: bk_host_id, name, address."""
        with _answering(self._language):
            hosts = self._api.get(
                *self._step(scope, job, step),
                *("groups", group),
                execute_count=attempt,
                start=start,
                length=HOSTS_MAX,
            )
            return self._bounded(host_lines(hosts, start))

    def search_step(
        self,
        job: Job,
        step: Step,
        text: Annotated[str, Field(min_length=1, max_length=1024, description="What to look for.")],
        scope: Scope = "",
        regex: Annotated[bool, Field(description="It is a regular expression (RE2).")] = False,
        match_case: bool = False,
        only: Literal["", "failed", "succeeded", "running"] = "",
        context: Annotated[int, Field(ge=0, le=5, description="Lines around each hit.")] = 1,
        attempt: Attempt = None,
        start: Start = 0,
    ) -> str:
        """Which hosts of a step printed a text: hosts with the same hits are one group."""
        with _answering(self._language):
            hits = self._api.get(
                *self._step(scope, job, step),
                "search",
                q=text,
                regex=int(regex),
                case=int(match_case),
                status=only or None,
                context=context,
                execute_count=attempt,
                start=start,
            )
            return self._bounded(search_lines(hits))

    def compare_hosts(
        self,
        job: Job,
        step: Step,
        host: Host,
        other: Annotated[
            str,
            Field(
                description="majority: what most hosts printed; previous_attempt; earlier_run of "
                "the job; else another host's bk_host_id, name or address."
            ),
        ] = "majority",
        scope: Scope = "",
        attempt: Attempt = None,
    ) -> str:
        """A host's log beside another: the lines that differ, with those around."""
        with _answering(self._language):
            comparison = self._api.get(
                *self._step(scope, job, step),
                "compare",
                host=host,
                execute_count=attempt,
                **{"with": other},
            )
            return self._bounded(comparison_lines(comparison))

    def read_log(
        self,
        job: Job,
        step: Step,
        host: Host,
        scope: Scope = "",
        from_line: Annotated[
            int, Field(description="First line, from 1; -50: the last 50 lines.")
        ] = 1,
        lines: Annotated[int, Field(ge=1, le=LINES_MAX)] = 100,
        from_byte: Annotated[
            int | None,
            Field(description="Bytes instead of lines, from here; -2000: the last 2000 bytes."),
        ] = None,
        length: Annotated[int, Field(ge=1, le=BYTES_MAX, description="Bytes to read.")] = 4_000,
        attempt: Attempt = None,
    ) -> str:
        """A part of the log of one host, by lines (with their numbers) or by bytes."""
        with _answering(self._language):
            path = (*self._step(scope, job, step), "hosts", host, "log")

            def read(start: int, size: int) -> LogPart:
                return self._api.log_part(*path, start=start, length=size, execute_count=attempt)

            if from_byte is not None:
                return byte_window(read, max(from_byte, -BYTES_MAX), length)
            return line_window(read, from_line or 1, lines)

    def _bounded(self, lines: Iterator[str]) -> str:
        return bounded(lines, TEXT_CHARS[self._language])

    def _step(self, scope: str, job: int, step: int) -> tuple[str | int, ...]:
        return ("v1", *self._scope(scope), "jobs", job, "steps", step)

    def _scope(self, scope: str) -> tuple[str, str]:
        """Return type and id of a scope; of an empty one, the only scope of the token."""
        if scope:
            kind, colon, number = scope.partition(":")
            if not colon or kind not in ("biz", "biz_set", "tenant_set"):
                raise ApiError(
                    gettext("%(scope)s is not TYPE:ID, such as biz:2.") % {"scope": scope}
                )
            return kind, number
        found = self._api.get("v4", "get_user_authorized_scopes")
        names = [(one["bk_scope_type"], one["bk_scope_id"]) for one in found["scope_list"]]
        if found["total"] != 1:
            listed = ", ".join(":".join(name) for name in names) or "-"
            text = gettext("Name the scope. The token may read %(n)s: %(names)s")
            raise ApiError(text % {"n": found["total"], "names": listed})
        return names[0]


def _end_of(day: str) -> int:
    """Return the end of a day (UTC) in milliseconds since the epoch; if empty, the time now."""
    if not day:
        return int(time.time() * 1000)
    try:
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:
        raise ApiError(gettext("%(day)s is no day.") % {"day": day}) from None
    return int(start.timestamp() * 1000) + _DAY_MS


@contextmanager
def _answering(language: Language) -> Iterator[None]:
    """Activate a language, and raise errors of the API as ToolError."""
    with translation.override("zh-hans" if language == "zh" else "en"):
        try:
            yield
        except ApiError as error:
            raise ToolError(str(error)) from None
