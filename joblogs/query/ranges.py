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

# The state of several logs together is the first of these that one of them has.
_WORST_FIRST = (
    State.EXPIRED,
    State.UNREACHABLE,
    State.TRUNCATED,
    State.INCOMPLETE,
    State.RECEIVING,
    State.COMPLETE,
)


class Range(NamedTuple):
    """Range of a host's log, in bytes: at most `length` from `offset` on, or the last `tail`."""

    offset: int = 0
    length: int | None = None
    tail: int | None = None

    def within(self, size: int) -> tuple[int, int]:
        """Return [start, stop) in a log of this size."""
        if self.tail is not None:
            return max(0, size - self.tail), size
        start = min(self.offset, size)
        return start, size if self.length is None else min(size, start + self.length)


def script_range(
    step: StepInstance, hosts: Iterable[StepHost], part: Range
) -> Iterator[tuple[StepHost, int, Iterator[bytes]]]:
    """Yield each host with the offset at which its part starts, and the part's bytes.

    The bytes of a host have to be read before the next host is fetched.
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
    """Return the offset at which a part of a host's log starts, and its spans in the stored
    logs."""
    start, stop = part.within(host.size)
    spans, before = [], 0
    for row in host.results:
        first, last = max(start, before), min(stop, before + row.held_size)
        if first < last:
            spans.append(store.span_of(row, first - before, last - before))
        before += row.held_size
    return start, spans


def readable_size(step: StepInstance, host: StepHost) -> int:
    """Return the number of bytes of a host's script log that can be read."""
    return 0 if step.job.expired_at is not None else host.size


def is_growing(step: StepInstance, host: StepHost) -> bool:
    """Return whether more of a host's log may arrive."""
    return log_state(step, host).state is State.RECEIVING


def log_state(step: StepInstance, host: StepHost) -> Completeness:
    """Return the completeness of a host's log; the worst one if it has several results."""
    return worst([result_state(step, result) for result in host.results])


def files_state(step: StepInstance, logs: Iterable[FileLog]) -> Completeness:
    """Return the completeness of a host's file logs together: the worst one."""
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
    """Return the completeness of the log of one host result."""
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
    """Return the completeness of several logs together: the worst state, all missing bytes."""
    if len(states) == 1:
        return states[0]
    state = min((one.state for one in states), key=_WORST_FIRST.index, default=State.COMPLETE)
    return Completeness(state, sum(one.missing for one in states))
