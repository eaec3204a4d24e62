"""Parts of logs: byte ranges, and how complete a host's log is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from joblogs.choices import FINISHED, HostStatus, file_rank
from joblogs.logtext import store
from joblogs.models import FileLog, HostResult, StepInstance

from .completeness import Completeness, State, completeness
from .hosts import StepHost
from .results import Result

# State of several logs together: the first of these that holds for any.
_WORST = (
    State.EXPIRED,
    State.UNREACHABLE,
    State.TRUNCATED,
    State.INCOMPLETE,
    State.RECEIVING,
    State.COMPLETE,
)


class Range(NamedTuple):
    """Bytes of a host's log: from `offset`, at most `length` of them; or the last `tail`."""

    offset: int = 0
    length: int | None = None
    tail: int | None = None

    def within(self, size: int) -> tuple[int, int]:
        """[start, stop) in a log of this size."""
        if self.tail is not None:
            return max(0, size - self.tail), size
        start = min(self.offset, size)
        return start, size if self.length is None else min(size, start + self.length)


def script_range(
    step: StepInstance, hosts: Iterable[StepHost], part: Range
) -> Iterator[tuple[StepHost, int, Iterator[bytes]]]:
    """Each host with where its part starts, and the part's bytes.

    A host's bytes are gone once the next host is fetched.
    """
    hosts = list(hosts)
    if step.job.expired_at is not None:
        yield from ((host, 0, iter(())) for host in hosts)
        return
    cuts = [_cut(host, part) for host in hosts]
    stream = store.read(step.day, (span for _, spans in cuts for span in spans))
    for host, (start, spans) in zip(hosts, cuts, strict=True):
        states = store.first_bytes(stream, sum(span.stop - span.start for span in spans))
        yield host, start, states
        for _ in states:
            pass


def _cut(host: StepHost, part: Range) -> tuple[int, list[store.Span]]:
    """Where a part of a host's log starts, and the spans of its rows that it lies in."""
    start, stop = part.within(host.size)
    spans, before = [], 0
    for row in host.results:
        first, last = max(start, before), min(stop, before + row.held_size)
        if first < last:
            spans.append(store.span_of(row, first - before, last - before))
        before += row.held_size
    return start, spans


def readable_size(step: StepInstance, host: StepHost) -> int:
    """Bytes of a host's script log that can be read."""
    return 0 if step.job.expired_at is not None else host.size


def is_growing(step: StepInstance, host: StepHost) -> bool:
    """Whether more of a host's log may come."""
    return log_state(step, host).state is State.RECEIVING


def log_state(step: StepInstance, host: StepHost) -> Completeness:
    """How complete a host's log is; of several results, the one that is furthest from it."""
    return worst([result_state(step, result) for result in host.results])


def files_state(step: StepInstance, logs: Iterable[FileLog]) -> Completeness:
    """How complete a host's file logs are; of several, the one that is furthest from it."""
    if step.job.expired_at is not None:
        return Completeness(State.EXPIRED)
    return worst([_of_file(log) for log in logs])


def _of_file(log: FileLog) -> Completeness:
    finished = file_rank(log.status) == FINISHED
    return completeness(
        status=HostStatus.SUCCEEDED if finished else HostStatus.RUNNING,
        received_size=log.received_size,
        declared_size=None,
        truncated=log.truncated,
        expired=False,
    )


def result_state(step: StepInstance, result: Result | HostResult) -> Completeness:
    """How complete the log of one host result is."""
    is_fingerprinted = result.fingerprint_size == result.held_size
    return completeness(
        status=result.status,
        received_size=result.received_size,
        declared_size=result.declared_size,
        truncated=result.truncated,
        expired=step.job.expired_at is not None,
        held_sha256=result.digest if is_fingerprinted else None,
        declared_sha256=result.declared_sha256,
        redacted=bool(result.redacted),
    )


def worst(states: Sequence[Completeness]) -> Completeness:
    """State of several logs together."""
    if len(states) == 1:
        return states[0]
    state = min((one.state for one in states), key=_WORST.index, default=State.COMPLETE)
    return Completeness(state, sum(one.missing for one in states))
