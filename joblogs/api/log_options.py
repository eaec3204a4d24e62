"""Options of a batch read that BlueKing JOB does not have (`docs/api.md`, Extras).

Without these fields the answer does not change by a byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joblogs import query
from joblogs.errors import BadRequest
from joblogs.models import FileLog, StepInstance
from joblogs.query import Address, Attempts, Completeness, Range, StepHost
from joblogs.search import LONG_LINE_BYTES, Budget, InvalidPattern, Pattern, Search

from .parameters import flag, is_blank, optional_integer, optional_text

GREP_SECONDS = 20
GREP_HITS = 10_000
"""Hits of a host whose lines are given; `log_matches` counts all."""
CONTEXT_MAX = 20


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Options of a request; by default none."""

    attempts: Attempts = Attempts()
    part: Range | None = None
    grep: Pattern | None = None
    context: int = 0
    state: bool = False

    @property
    def is_text_only(self) -> bool:
        """Whether the answer needs nothing of the logs but their text."""
        return self.grep is None and not self.state

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> LogOptions:
        """Raises BadRequest, naming the field."""
        part, grep = _part(body), _grep(body)
        if part is not None and grep is not None:
            raise BadRequest(BadRequest.FIELD, "grep")
        context = optional_integer(body, "grep_context", least=0) or 0
        if context > CONTEXT_MAX:
            raise BadRequest(BadRequest.FIELD, "grep_context")
        return cls(
            attempts=Attempts(
                optional_integer(body, "execute_count", least=0),
                optional_integer(body, "batch", least=0),
            ),
            part=part,
            grep=grep,
            context=context,
            state=flag(body, "return_log_state"),
        )


def _part(body: Mapping[str, Any]) -> Range | None:
    offset = optional_integer(body, "offset", least=0)
    length = optional_integer(body, "length_bytes", least=1)
    tail = optional_integer(body, "tail_bytes", least=1)
    if tail is not None and (offset, length) != (None, None):
        raise BadRequest(BadRequest.FIELD, "tail_bytes")
    if offset is None and length is None and tail is None:
        return None
    return Range(offset or 0, length, tail)


def _grep(body: Mapping[str, Any]) -> Pattern | None:
    if is_blank(body.get("grep")):
        return None
    text = optional_text(body, "grep")
    try:
        return Pattern.of(text or "")
    except InvalidPattern:
        raise BadRequest(BadRequest.FIELD, "grep") from None


Logged = tuple[StepHost, Iterable[bytes], dict[str, Any], int]
"""A host, its text in parts, the keys that an option adds to its entry, and how many bytes of log
were read meanwhile: of a search all that was searched, with or without matches."""


def script_logs(step: StepInstance, hosts: list[StepHost], options: LogOptions) -> Iterator[Logged]:
    """Each host with the requested part of its script log."""
    if options.grep is not None:
        logged = _grepped(step, hosts, options, options.grep)
    elif options.part is not None:
        logged = _cut(step, hosts, options.part)
    else:
        logged = ((host, parts, {}, host.size) for host, parts in query.script_logs(step, hosts))
    return _with_state(step, logged) if options.state else logged


def _with_state(step: StepInstance, logged: Iterator[Logged]) -> Iterator[Logged]:
    for host, text, keys, size in logged:
        state = _state(query.log_state(step, host), query.readable_size(step, host))
        yield host, text, keys | {"log_state": state}, size


def _cut(step: StepInstance, hosts: list[StepHost], part: Range) -> Iterator[Logged]:
    for host, start, parts in query.script_range(step, hosts, part):
        size = query.readable_size(step, host)
        first, stop = part.within(size)
        which = {"log_attempt": host.attempt, "log_batch": host.batch}
        yield host, parts, {"log_offset": start, "log_size": size} | which, stop - first


def _grepped(
    step: StepInstance, hosts: list[StepHost], options: LogOptions, pattern: Pattern
) -> Iterator[Logged]:
    search = Search(
        step,
        hosts,
        pattern,
        context=options.context,
        shown=GREP_HITS,
        line_bytes=LONG_LINE_BYTES,
        budget=Budget(seconds=GREP_SECONDS),
    )
    results = iter(search)
    hits, reported = next(results, None), 0
    for index, host in enumerate(hosts):
        if hits is not None and hits.host.bk_host_id == host.bk_host_id:
            lines = [line.data for line in hits.lines]
            yield host, lines, {"log_matches": hits.count}, search.searched_bytes - reported
            reported = search.searched_bytes
            hits = next(results, None)
        else:
            # A host that the search did not come to has no count: nobody knows.
            searched = not search.stopped or index < search.searched_logs
            matches = {"log_matches": 0 if searched else None}
            yield host, [], matches, search.searched_bytes - reported
            reported = search.searched_bytes


def file_state(step: StepInstance, logs: Sequence[FileLog]) -> dict[str, Any]:
    """How complete a host's file logs are: as far as the furthest from it."""
    return _state(query.files_state(step, logs), sum(log.held_size for log in logs))


def _state(completeness: Completeness, size: int) -> dict[str, Any]:
    return {
        "state": completeness.state.value,
        "size": size,
        "missing": completeness.missing,
    }


def missing_hosts(
    step: StepInstance, wanted: Sequence[int | Address], hosts: Sequence[StepHost]
) -> list[int | dict[str, Any]]:
    """The hosts of a request that the answer has no entry for, as the request names them."""
    ids = {host.bk_host_id for host in hosts}
    addresses = {name for name in wanted if isinstance(name, Address)}
    holders = query.holders(step, addresses) if addresses else {}
    return [
        name if isinstance(name, int) else {"bk_cloud_id": name.bk_cloud_id, "ip": name.address}
        for name in dict.fromkeys(wanted)
        if not ids.intersection([name] if isinstance(name, int) else holders.get(name, []))
    ]
