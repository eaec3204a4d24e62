"""Overview of all hosts of a step, in a constant number of statements.

The results of a step are loaded once; which attempt is shown is then decided in memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from joblogs.choices import FINISHED, HOST_SUCCEEDED, HostStatus, StepType, host_rank
from joblogs.models import FileLog, HostResult, StepInstance

from .hosts import Attempts, StepHost, step_hosts
from .results import Result, read


class Transfer(NamedTuple):
    """Transfer of a file to a target."""

    host_result: int
    status: int
    src_host_id: int | None
    src_ip: str | None
    src_ipv6: str | None
    src_path: str
    process: str | None
    """Progress as its producer reported it."""

    @property
    def source(self) -> str:
        """Display name of the source: its address, else its host id."""
        return self.src_ip or self.src_ipv6 or str(self.src_host_id or "")


@dataclass(frozen=True)
class Overview:
    """The targets of a step as of some attempts, by ascending id."""

    step: StepInstance
    attempts: Attempts
    results: list[Result]
    """Results of all targets in all attempts."""
    hosts: list[StepHost]
    by_name: list[StepHost]
    """The hosts by name, in natural order: web-9 before web-10."""
    execute_counts: list[int]
    """Execute counts of all the results."""
    batches: list[int]
    """Rolling batches of all the results."""
    files: list[Transfer]

    @cached_property
    def statuses(self) -> Counter[int]:
        """Number of hosts by status."""
        return Counter(host.status for host in self.hosts)

    @property
    def all_finished(self) -> bool:
        return all(host_rank(status) == FINISHED for status in self.statuses)

    @property
    def transfers(self) -> Iterator[tuple[StepHost, Transfer]]:
        """Transfers of a file step to these hosts, in their effective attempts."""
        hosts = self.hosts if self.files else ()
        owners = {result.pk: host for host in hosts for result in host.results}
        return ((owners[one.host_result], one) for one in self.files if one.host_result in owners)


def overview(step: StepInstance, attempts: Attempts) -> Overview:
    """Return the overview of a step's targets. One statement, or two for a file step."""
    files = _downloads(step) if step.step_type == StepType.FILE else []
    results = list(read(HostResult.objects.for_step(step).targets().order_by()))
    is_all = attempts == Attempts()
    hosts = step_hosts(step, results if is_all else filter(attempts.include, results))
    by_name = sorted(hosts, key=lambda host: (natural(host.name), host.bk_host_id))
    for place, host in enumerate(by_name):
        host.place = place
    return Overview(
        step,
        attempts,
        results,
        hosts,
        by_name,
        sorted({result.execute_count for result in results}),
        sorted({result.batch for result in results}),
        files,
    )


def _downloads(step: StepInstance) -> list[Transfer]:
    """Return the transfers to targets, without log text."""
    logs = FileLog.objects.for_step(step).downloads().order_by()
    rows = sorted(logs.values_list("pk", *Transfer._fields).iterator(5000))
    return [Transfer._make(values[1:]) for values in rows]


@lru_cache(maxsize=20_000)
def natural(text: str) -> list[str | int]:
    """Return the key for natural sorting, in which web-9 comes before web-10."""
    parts = re.split(r"([0-9]+)", text)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def normal_status(status: int) -> int:
    """Return the status, with both kinds of success as SUCCEEDED."""
    return HostStatus.SUCCEEDED if status in HOST_SUCCEEDED else status
