"""The bytes of a step's logs, host by host, in groups of bounded size."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

from joblogs.choices import StepType
from joblogs.logtext import store
from joblogs.logtext.store.apart import LeftOut, read_apart
from joblogs.models import FileLog, HostResult, StepInstance

from .hosts import StepHost, file_weights


def script_logs(
    step: StepInstance, hosts: Iterable[StepHost], left_out: LeftOut | None = None
) -> Iterator[tuple[StepHost, Iterable[bytes]]]:
    """Yield each host with its script log, as parts to be joined without a separator.

    The parts of a short log are a list; those of any other log have to be read before the next host
    is fetched. With `left_out` a log that cannot be read has no part, or ends early, and that hears
    of it; else Unreadable is raised.
    """
    if step.job.expired_at is not None:
        yield from ((host, []) for host in hosts)
        return
    hosts = list(hosts)
    spans = (store.span_of(row) for host in hosts for row in host.results)
    if left_out is None:
        stream = store.read(step.day, spans)
    else:
        stream = read_apart(step.day, spans, left_out)
    for host in hosts:
        size = host.size
        if len(host.results) == 1 and 0 < size <= store.GROUP_BYTES:
            _, whole = next(stream)
            yield host, whole
            continue
        parts = store.first_bytes(stream, size)
        yield host, parts
        for _ in parts:
            pass


class FileLogs:
    """File logs of a host. `rows` has all of them; iterating yields each with its content.

    If the contents are too large for one statement, they are fetched while iterating, and a row
    keeps its content only until the next one.
    """

    def __init__(self, rows: list[FileLog], *, loaded: bool) -> None:
        self.rows, self._loaded = rows, loaded

    def __iter__(self) -> Iterator[FileLog]:
        if self._loaded:
            yield from self.rows
            return
        for run in _runs(self.rows):
            owners = FileLog.objects.filter(pk__in=[row.pk for row in run])
            contents = dict(owners.values_list("pk", "content"))
            for row in run:
                row.content = contents.pop(row.pk, b"")
                yield row
                row.content = b""

    @property
    def size(self) -> int:
        """Bytes of content."""
        return sum(row.held_size for row in self.rows)


def file_logs(
    step: StepInstance, hosts: Iterable[StepHost], *, masks: bool = False
) -> Iterator[tuple[StepHost, FileLogs]]:
    """Yield each host with its file logs, by batch, mode and task key.

    A target has its downloads, a source its uploads, a host that is both has both. The masked
    ranges are loaded only with `masks`: they may be larger than the contents.
    """
    unread = [] if masks else ["redacted"]
    if step.job.expired_at is not None:
        yield from ((host, FileLogs([], loaded=True)) for host in hosts)
        return
    hosts = list(hosts)
    weights = file_weights(row.pk for host in hosts for row in host.results)
    for group in _file_groups(hosts, weights):
        owners = [row.pk for host in group for row in host.results if row.pk in weights]
        loaded = sum(weights.get(pk, 0) for pk in owners) <= store.GROUP_BYTES
        logs = FileLog.objects.of_results(owners)
        rows = logs.defer(*unread, *([] if loaded else ["content"])) if owners else ()
        # By code point, whatever the database's collation.
        order = sorted(rows, key=attrgetter("host_result_id", "batch", "mode", "task_key"))
        by_owner = {
            owner: list(own)
            for owner, own in itertools.groupby(order, key=attrgetter("host_result_id"))
        }
        for host in group:
            own = [log for row in host.results for log in by_owner.pop(row.pk, ())]
            own.sort(key=attrgetter("batch", "mode", "task_key"))
            yield host, FileLogs(own, loaded=loaded)


def expected_offsets(step: StepInstance) -> Iterator[dict[str, Any]]:
    """Yield the offset at which the next piece of each log of a step starts, host by host."""
    ends = ("received_size", "host_id", "execute_count", "batch")
    if step.step_type != StepType.FILE:
        scripts = HostResult.objects.for_step(step).targets()
        for size, host, count, batch in scripts.order_by(*ends[1:]).values_list(*ends).iterator():
            yield _offset(host, count, batch, size)
    files = FileLog.objects.for_step(step).order_by("host_result", "pk")
    columns = ("received_size", "host_result__host_id", "execute_count", "batch", "task_key")
    for size, host, count, batch, key in files.values_list(*columns).iterator():
        yield _offset(host, count, batch, size, task_key=key)


def _offset(host: int, count: int, batch: int, size: int, **key: str) -> dict[str, Any]:
    place = {"bk_host_id": host, "execute_count": count, "batch": batch}
    return {**place, **key, "expected_offset": size}


def _runs(rows: list[FileLog]) -> Iterator[list[FileLog]]:
    run: list[FileLog] = []
    remaining = store.GROUP_BYTES
    for row in rows:
        if run and row.held_size > remaining:
            yield run
            run, remaining = [], store.GROUP_BYTES
        run.append(row)
        remaining -= row.held_size
    if run:
        yield run


def _file_groups(hosts: list[StepHost], weights: dict[int, int]) -> Iterator[list[StepHost]]:
    group: list[StepHost] = []
    remaining = store.GROUP_BYTES
    for host in hosts:
        weight = sum(weights.get(row.pk, 0) for row in host.results)
        if group and weight > remaining:
            yield group
            group, remaining = [], store.GROUP_BYTES
        group.append(host)
        remaining -= weight
    if group:
        yield group
