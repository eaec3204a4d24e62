"""Overview of all hosts of a step, in a constant number of statements.

The rows of a step are loaded once, as slim tuples; which attempt is shown, which hosts belong
together and which results hold their logs is then decided in memory.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, QuerySet
from django.utils.functional import cached_property

from joblogs import database
from joblogs.choices import (
    FINISHED,
    HOST_SUCCEEDED,
    FileMode,
    HostStatus,
    StepType,
    host_rank,
)
from joblogs.database import Param
from joblogs.logtext import fingerprint
from joblogs.logtext.host_names import names_of
from joblogs.models import FileLog, HostResult, StepInstance

from .completeness import Completeness
from .hosts import EVERY_ATTEMPT, ROW_VALUES, Attempts, Row, StepHost, effective_attempt
from .ranges import state_of


class Result(NamedTuple):
    """A host result: the columns of a Row, in its order, and those that the pages show besides."""

    pk: int
    host_id: int
    role: int
    batch: int
    execute_count: int
    actual_execute_count: int | None
    status: int
    held_size: int
    bk_cloud_id: int
    ip: str | None
    ipv6: str | None
    received_size: int
    declared_size: int | None
    declared_sha256: bytes | None
    truncated: bool
    fingerprint_size: int | None
    digest: bytes | None
    masked: int
    redacted: bool
    host_name: str | None
    tag: str | None
    exit_code: int | None
    start_time: int | None
    end_time: int | None
    total_time: int | None
    shape: bytes | None
    shape_version: int | None
    value_hashes: bytes | None

    @property
    def name(self) -> str:
        """Display name of the host."""
        return self.host_name or self.ip or self.ipv6 or str(self.host_id)

    @property
    def row(self) -> Row:
        """The columns that the attempts rule needs."""
        return Row._make(self[: len(Row._fields)])


@dataclass(eq=False)
class HostOverview:
    """A host of a step: its newest result, and those that hold its log."""

    # Not frozen: there are as many as hosts, and those take three times as long to make.
    newest: Result
    effective_results: tuple[Result, ...]
    name: str
    place: int = 0
    """Among the hosts of its overview, in the order of their names."""

    @property
    def bk_host_id(self) -> int:
        return self.newest.host_id

    @property
    def address(self) -> str:
        return self.newest.ip or self.newest.ipv6 or ""

    @property
    def status(self) -> int:
        return self.newest.status

    @property
    def size(self) -> int:
        """Bytes of script log."""
        effective_results = self.effective_results
        if len(effective_results) == 1:
            return effective_results[0].held_size
        return sum(result.held_size for result in effective_results)

    @property
    def masked(self) -> int:
        """Places in its script log where a secret was."""
        return sum(result.masked for result in self.effective_results)

    @property
    def finished(self) -> bool:
        return host_rank(self.newest.status) == FINISHED

    @property
    def succeeded(self) -> bool:
        return self.status in HOST_SUCCEEDED

    @property
    def silent(self) -> bool:
        """It has ended, and not a byte of it ever arrived."""
        return self.finished and not any(result.received_size for result in self.effective_results)

    @property
    def duration(self) -> int | None:
        """Milliseconds, as stated or by the start and end times."""
        newest = self.newest
        if newest.total_time is not None:
            return newest.total_time
        if newest.start_time is None or newest.end_time is None:
            return None
        return max(0, newest.end_time - newest.start_time)

    @property
    def own_names(self) -> tuple[bytes, ...]:
        """Names of the host itself, which the similarity masks replace."""
        return names_of(self.newest)

    @property
    def as_step_host(self) -> StepHost:
        """For those who read its text."""
        newest, rows = self.newest, tuple(result.row for result in self.effective_results)
        return StepHost(newest.host_id, newest.bk_cloud_id, newest.ip, newest.ipv6, rows)

    def state(self, step: StepInstance) -> Completeness:
        """How complete its log is."""
        return state_of(step, [result.row for result in self.effective_results])

    def print_of(self, *, identical: bool) -> tuple[bytes, ...] | None:
        """What tells whether two hosts printed the same, or the like; None if not known yet."""
        prints = []
        for result in self.effective_results:
            if not result.held_size:
                continue
            rows = result.digest if identical else result.shape
            is_known = result.fingerprint_size == result.held_size and rows is not None
            if not is_known or not (identical or result.shape_version == fingerprint.VERSION):
                return None
            prints.append(rows or b"")
        return tuple(prints)

    @cached_property
    def value_hashes(self) -> tuple[bytes, ...] | None:
        """Hashes of the hidden values that may tell it from hosts that printed the like; None if
        they are not known."""
        if self.print_of(identical=False) is None:
            return None
        size, values = fingerprint.VALUE_BYTES, list[bytes]()
        for result in self.effective_results:
            if result.held_size and result.value_hashes is None:
                return None
            rows = result.value_hashes or b"" if result.held_size else b""
            values += [rows[at : at + size] for at in range(0, len(rows), size)]
        return tuple(values)


class Transfer(NamedTuple):
    """A file that was to be moved to a target."""

    host_result: int
    status: int
    src_host_id: int | None
    src_ip: str | None
    src_ipv6: str | None
    src_path: str
    process: str | None
    """How far it has come, as its producer says it."""

    @property
    def source(self) -> str:
        """What people call the end it came from."""
        return self.src_ip or self.src_ipv6 or str(self.src_host_id or "")


@dataclass(frozen=True)
class Overview:
    """The targets of a step as of some attempts, by ascending id."""

    step: StepInstance
    attempts: Attempts
    hosts: list[HostOverview]
    by_name: list[HostOverview]
    """The same in the order of their names, numbers in them as numbers."""
    execute_counts: list[int]
    batches: list[int]
    """Which there are in the step."""
    files: list[Transfer]

    @property
    def transfers(self) -> Iterator[tuple[HostOverview, Transfer]]:
        """What a file step moved to these hosts, in the effective attempts."""
        hosts = self.hosts if self.files else ()
        owners = {result.pk: host for host in hosts for result in host.effective_results}
        return ((owners[one.host_result], one) for one in self.files if one.host_result in owners)


def overview(step: StepInstance, attempts: Attempts) -> Overview:
    """How a step went on its targets. One statement, or two for a file step."""
    files = _downloads(step) if step.step_type == StepType.FILE else None
    owners = None if files is None else {file.host_result for file in files}
    results = list(map(Result._make, _results_of.plain(step=step.pk)))
    chosen = results
    if attempts != EVERY_ATTEMPT:
        chosen = [result for result in results if _is_meant(result, attempts)]
    hosts = _hosts(chosen, owners)
    by_name = sorted(hosts, key=lambda host: (natural(host.name), host.newest.host_id))
    for place, host in enumerate(by_name):
        host.place = place
    return Overview(
        step,
        attempts,
        hosts,
        by_name,
        sorted({result.execute_count for result in results}),
        sorted({result.batch for result in results}),
        files or [],
    )


@database.CompiledQuery
def _results_of() -> QuerySet[HostResult, tuple[Any, ...]]:
    of_step = Param("step", BigIntegerField())
    rows = HostResult.objects.targets().filter(step_id=of_step).order_by()
    return rows.values_list(*ROW_VALUES, *Result._fields[len(ROW_VALUES) :])


def _downloads(step: StepInstance) -> list[Transfer]:
    """The files that were to be moved to targets, without their text."""
    logs = FileLog.objects.filter(step=step, mode=FileMode.DOWNLOAD).order_by()
    rows = sorted(logs.values_list("pk", *Transfer._fields).iterator(5000))
    return [Transfer._make(values[1:]) for values in rows]


def _is_meant(result: Result, attempts: Attempts) -> bool:
    top, batch = attempts
    return (top is None or result.execute_count <= top) and batch in (None, result.batch)


def _hosts(results: list[Result], with_files: Collection[int] | None) -> list[HostOverview]:
    if len({result.host_id for result in results}) == len(results):
        results.sort(key=attrgetter("host_id"))
        return [HostOverview(result, (result,), result.name) for result in results]
    # By host and batch, the newest attempt first.
    results.sort(key=lambda result: (result.host_id, result.batch, -result.execute_count))
    by_host = itertools.groupby(results, key=attrgetter("host_id"))
    return [_host(list(own), with_files) for _, own in by_host]


def _host(results: list[Result], with_files: Collection[int] | None) -> HostOverview:
    if len(results) == 1:
        return HostOverview(results[0], (results[0],), results[0].name)
    newest = max(results, key=lambda result: (result.execute_count, result.batch))
    by_pk = {result.pk: result for result in results}
    effective_results = [
        by_pk[effective_attempt([result.row for result in own], with_files).pk]
        for _, own in itertools.groupby(results, key=attrgetter("batch"))
    ]
    return HostOverview(newest, tuple(effective_results), newest.name)


@lru_cache(maxsize=20_000)
def natural(text: str) -> list[str | int]:
    """What to sort a text by, so that web-9 comes before web-10."""
    parts = re.split(r"([0-9]+)", text)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def normal_status(status: int) -> int:
    """Both ways to have succeeded are one."""
    return HostStatus.SUCCEEDED if status in HOST_SUCCEEDED else status
