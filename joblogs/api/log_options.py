"""Options of a batch read that BlueKing JOB does not have (`docs/api.md`, Extras).

Without these fields the response is exactly that of BlueKing JOB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from joblogs import query
from joblogs.errors import BadRequest
from joblogs.models import FileLog, StepInstance
from joblogs.query import Address, Completeness, Range, State, StepHost
from joblogs.search import LONG_LINE_BYTES, PATTERN_MAX, Budget, InvalidPattern, Pattern, Search

from .fields import (
    COUNT,
    ID,
    TEXT,
    Json,
    Parameter,
    ParameterGroup,
    Params,
    count_param,
    described,
    flag_param,
)
from .parameters import is_blank, optional_integer, optional_text

GREP_SECONDS = 20
GREP_HITS = 10_000
"""Most hits of a host whose lines are returned; `log_matches` counts all."""
CONTEXT_MAX = 20


_PART: dict[str, Json] = {
    "offset": described(COUNT, "First byte wanted of each script log."),
    "length_bytes": described(ID, "Bytes wanted of each script log."),
    "tail_bytes": described(ID, "The last bytes of each script log; not beside the two above."),
}


def _part(params: Params) -> Range | None:
    offset = optional_integer(params, "offset", least=0)
    length = optional_integer(params, "length_bytes", least=1)
    tail = optional_integer(params, "tail_bytes", least=1)
    if tail is not None and (offset, length) != (None, None):
        raise BadRequest(BadRequest.FIELD, "tail_bytes")
    if offset is None and length is None and tail is None:
        return None
    return Range(offset or 0, length, tail)


def _grep(params: Params, field: str) -> Pattern | None:
    if is_blank(params.get(field)):
        return None
    try:
        pattern = Pattern.of(optional_text(params, field) or "")
    except InvalidPattern:
        raise BadRequest(BadRequest.FIELD, field) from None
    if not all(is_blank(params.get(name)) for name in _PART):
        raise BadRequest(BadRequest.FIELD, field)
    return pattern


def _context(params: Params, field: str) -> int:
    context = optional_integer(params, field, least=0) or 0
    if context > CONTEXT_MAX:
        raise BadRequest(BadRequest.FIELD, field)
    return context


class LogOptions(Struct, frozen=True, kw_only=True):
    """Options of a request; by default none. Reading them raises BadRequest, naming the field."""

    part: Annotated[Range | None, ParameterGroup(_part, _PART)] = None
    grep: Annotated[
        Pattern | None,
        Parameter(
            _grep,
            TEXT | {"minLength": 1, "maxLength": PATTERN_MAX},
            "Only the lines that match; not beside a range.",
        ),
    ] = None
    grep_context: Annotated[
        int,
        Parameter(
            _context,
            {"type": "integer", "minimum": 0, "maximum": CONTEXT_MAX},
            "Lines to show around each match.",
        ),
    ] = 0
    execute_count: Annotated[
        int | None, count_param("Only up to this attempt; the first is 0.")
    ] = None
    batch: Annotated[int | None, count_param("Only this rolling batch.")] = None
    return_log_state: Annotated[bool, flag_param("Tell how complete each log is.")] = False


class LogState(Struct):
    """How complete a log is."""

    state: Annotated[State, Meta(description="How complete it is.")]
    size: Annotated[int, Meta(description="Bytes that can be read.")]
    missing: Annotated[int, Meta(description="Bytes that are known to be missing.")]


class MissingHost(Struct):
    """Host that was named by its address and is not in the step."""

    bk_cloud_id: int
    ip: str


Logged = tuple[StepHost, Iterable[bytes], dict[str, Any], int]
"""A host, its text in parts, the additional keys of its entry, and how many bytes of log were read
for it; for a search, all bytes that were searched."""


def script_logs(step: StepInstance, hosts: list[StepHost], options: LogOptions) -> Iterator[Logged]:
    """Yield each host with the requested part of its script log."""
    if options.grep is not None:
        logged = _grepped(step, hosts, options, options.grep)
    elif options.part is not None:
        logged = _cut(step, hosts, options.part)
    else:
        logged = ((host, parts, {}, host.size) for host, parts in query.script_logs(step, hosts))
    return _with_state(step, logged) if options.return_log_state else logged


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
        context=options.grep_context,
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
            # A host that was not searched in time has no count.
            searched = not search.stopped or index < search.searched_logs
            matches = {"log_matches": 0 if searched else None}
            yield host, [], matches, search.searched_bytes - reported
            reported = search.searched_bytes


def file_state(step: StepInstance, logs: Sequence[FileLog]) -> LogState:
    """Return how complete a host's file logs are: the state of the least complete one."""
    return _state(query.files_state(step, logs), sum(log.held_size for log in logs))


def _state(completeness: Completeness, size: int) -> LogState:
    return LogState(completeness.state, size, completeness.missing)


def missing_hosts(
    step: StepInstance, wanted: Sequence[int | Address], hosts: Sequence[StepHost]
) -> list[int | MissingHost]:
    """Return the hosts of a request without an entry in the response, as the request names them."""
    ids = {host.bk_host_id for host in hosts}
    addresses = {name for name in wanted if isinstance(name, Address)}
    holders = query.holders(step, addresses) if addresses else {}
    return [
        name if isinstance(name, int) else MissingHost(name.bk_cloud_id, name.address)
        for name in dict.fromkeys(wanted)
        if not ids.intersection([name] if isinstance(name, int) else holders.get(name, []))
    ]
