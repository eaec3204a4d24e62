"""What happened on all hosts of a step, in a number of statements that does not depend on theirs.

The rows of a step are loaded once, as slim tuples; which attempt is shown, which hosts belong
together and what stands for their logs is then decided in memory.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.utils.functional import cached_property

from joblogs.choices import (
    FINISHED,
    HOST_SUCCEEDED,
    FileMode,
    HostStatus,
    Role,
    StepType,
    host_rank,
)
from joblogs.content import shape
from joblogs.models import FileLog, HostResult, StepInstance

from .completeness import Completeness
from .extracts import log_state
from .hosts import ROW_VALUES, Attempts, Row, StepHost, standing_for

_MORE = (
    "host_name",
    "tag",
    "exit_code",
    "error_code",
    "start_time",
    "end_time",
    "total_time",
    "lines",
    "shape",
    "shape_version",
    "telling",
)


class Said(NamedTuple):
    """What a host result says besides what the rules of attempts look at."""

    host_name: str | None
    tag: str | None
    exit_code: int | None
    error_code: int | None
    start_time: int | None
    end_time: int | None
    total_time: int | None
    lines: int
    shape: bytes | None
    shape_version: int | None
    telling: bytes | None


class Result(NamedTuple):
    """A host result."""

    row: Row
    said: Said


@dataclass(frozen=True)
class HostOverview:
    """How a step went on one host: its newest result, and those that stand for its log."""

    newest: Result
    standing: tuple[Result, ...]

    @property
    def bk_host_id(self) -> int:
        return self.newest.row.host_id

    @cached_property
    def name(self) -> str:
        """What people call the host."""
        row = self.newest.row
        return self.newest.said.host_name or row.ip or row.ipv6 or str(row.host_id)

    @cached_property
    def in_order(self) -> tuple[list[str | int], int]:
        """What to sort hosts by: by name, numbers in it as numbers."""
        return natural(self.name), self.bk_host_id

    @property
    def address(self) -> str:
        return self.newest.row.ip or self.newest.row.ipv6 or ""

    @property
    def status(self) -> int:
        return self.newest.row.status

    @cached_property
    def size(self) -> int:
        """Bytes of script log."""
        return sum(result.row.held_size for result in self.standing)

    @property
    def masked(self) -> int:
        """Places in its script log where a secret was."""
        return sum(result.row.masked for result in self.standing)

    @property
    def lines(self) -> int:
        return sum(result.said.lines for result in self.standing)

    @property
    def finished(self) -> bool:
        return host_rank(self.status) == FINISHED

    @property
    def succeeded(self) -> bool:
        return self.status in HOST_SUCCEEDED

    @property
    def silent(self) -> bool:
        """It has ended, and not a byte of it ever arrived."""
        return self.finished and not any(result.row.received_size for result in self.standing)

    @property
    def duration(self) -> int | None:
        """Milliseconds, as said or as the times say."""
        said = self.newest.said
        if said.total_time is not None:
            return said.total_time
        if said.start_time is None or said.end_time is None:
            return None
        return max(0, said.end_time - said.start_time)

    @property
    def own_names(self) -> tuple[bytes, ...]:
        """What the similarity masks know as the host's own."""
        row = self.newest.row
        names = (self.newest.said.host_name, row.ip, row.ipv6)
        return tuple(name.encode() for name in names if name)

    @property
    def as_step_host(self) -> StepHost:
        """For those who read its text."""
        row, rows = self.newest.row, tuple(result.row for result in self.standing)
        return StepHost(row.host_id, row.bk_cloud_id, row.ip, row.ipv6, rows)

    def state(self, step: StepInstance) -> Completeness:
        """How complete its log is."""
        return log_state(step, self.as_step_host)

    def print_of(self, *, identical: bool) -> tuple[bytes, ...] | None:
        """What tells whether two hosts printed the same, or the like; None if not known yet."""
        prints = []
        for row, said in self.standing:
            if not row.held_size:
                continue
            found = row.digest if identical else said.shape
            known = row.fingerprint_size == row.held_size and found is not None
            if not known or not (identical or said.shape_version == shape.VERSION):
                return None
            prints.append(bytes(found or b""))
        return tuple(prints)

    @cached_property
    def telling(self) -> tuple[bytes, ...] | None:
        """Hashes of the hidden values that may tell it from hosts that printed the like; None if
        they are not known."""
        if self.print_of(identical=False) is None:
            return None
        size, values = shape.VALUE_BYTES, list[bytes]()
        for row, said in self.standing:
            if row.held_size and said.telling is None:
                return None
            found = bytes(said.telling or b"") if row.held_size else b""
            values += [found[at : at + size] for at in range(0, len(found), size)]
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
    execute_counts: list[int]
    batches: list[int]
    """Which there are in the step."""
    files: list[Transfer]

    @property
    def transfers(self) -> Iterator[tuple[HostOverview, Transfer]]:
        """What a file step moved to these hosts, in the attempts that stand."""
        hosts = self.hosts if self.files else ()
        owners = {result.row.pk: host for host in hosts for result in host.standing}
        return ((owners[one.host_result], one) for one in self.files if one.host_result in owners)


def overview(step: StepInstance, attempts: Attempts) -> Overview:
    """How a step went on its targets. One statement, or two for a file step."""
    files = _downloads(step) if step.step_type == StepType.FILE else None
    owners = None if files is None else {file.host_result for file in files}
    results = _results(step)
    chosen = [result for result in results if _is_meant(result.row, attempts)]
    by_host = itertools.groupby(chosen, key=lambda result: result.row.host_id)
    return Overview(
        step,
        attempts,
        [_host(list(own), owners) for _, own in by_host],
        sorted({result.row.execute_count for result in results}),
        sorted({result.row.batch for result in results}),
        files or [],
    )


def _results(step: StepInstance) -> list[Result]:
    """By host and batch, the newest attempt first."""
    found = HostResult.objects.filter(step=step, role=Role.TARGET).order_by()
    cut = len(Row._fields)
    values = found.values_list(*ROW_VALUES, *_MORE)
    results = [Result(Row._make(v[:cut]), Said._make(v[cut:])) for v in values.iterator(5000)]
    results.sort(key=lambda r: (r.row.host_id, r.row.batch, -r.row.execute_count))
    return results


def _downloads(step: StepInstance) -> list[Transfer]:
    """The files that were to be moved to targets, without their text."""
    found = FileLog.objects.filter(step=step, mode=FileMode.DOWNLOAD).order_by()
    rows = sorted(found.values_list("pk", *Transfer._fields).iterator(5000))
    return [Transfer._make(values[1:]) for values in rows]


def _is_meant(row: Row, attempts: Attempts) -> bool:
    top, batch = attempts
    return (top is None or row.execute_count <= top) and batch in (None, row.batch)


def _host(results: list[Result], with_files: Collection[int] | None) -> HostOverview:
    if len(results) == 1:
        return HostOverview(results[0], (results[0],))
    newest = max(results, key=lambda result: (result.row.execute_count, result.row.batch))
    by_pk = {result.row.pk: result for result in results}
    standing = [
        by_pk[standing_for([result.row for result in own], with_files).pk]
        for _, own in itertools.groupby(results, key=lambda result: result.row.batch)
    ]
    return HostOverview(newest, tuple(standing))


@lru_cache(maxsize=20_000)
def natural(text: str) -> list[str | int]:
    """What to sort a text by, so that web-9 comes before web-10."""
    parts = re.split(r"([0-9]+)", text)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def normal_status(status: int) -> int:
    """Both ways to have succeeded are one."""
    return HostStatus.SUCCEEDED if status in HOST_SUCCEEDED else status
