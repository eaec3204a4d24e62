"""Transfers of a file step, grouped by status, source and error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from joblogs.choices import FINISHED, HOST_SUCCEEDED, FileStatus, file_rank
from joblogs.failures import Failures
from joblogs.grouping.host_ranges import fold
from joblogs.pages.formats import host_status_label
from joblogs.pages.log.files import mean_percent
from joblogs.query import StepHost
from joblogs.query.overview import Transfer
from joblogs.step_groups import StepGroup

from .history import Past, past_of

PATHS_MAX = 5


@dataclass
class TransferGroup:
    """Group of transfers with the same status and source, and the same error if they failed."""

    status: int
    source: str
    error: str
    """Label of the hosts' status if their files failed; otherwise empty."""
    files: int = 0
    hosts: dict[int, StepHost] = field(default_factory=dict)
    paths: dict[str, None] = field(default_factory=dict)
    progress: list[tuple[int, str | None]] = field(default_factory=list)
    past: Past | None = None
    """History of the failure of its hosts, if they failed alike."""

    @property
    def colour(self) -> str:
        if self.status == FileStatus.DONE:
            return "ok"
        return "bad" if file_rank(self.status) == FINISHED else "run"

    @property
    def label(self) -> str:
        status = self.status
        label = str(FileStatus(status).label if status in FileStatus.values else status)
        return f"{label} · {self.error}" if self.error else label

    @property
    def percent(self) -> int | None:
        """Mean progress; None if they are done or it is not known."""
        return None if self.status == FileStatus.DONE else mean_percent(self.progress)

    @property
    def names(self) -> list[str]:
        return fold(host.name for host in self.hosts.values())

    @property
    def first(self) -> StepHost:
        return min(self.hosts.values(), key=attrgetter("place"))

    @property
    def some_paths(self) -> list[str]:
        return list(self.paths)[:PATHS_MAX]

    @property
    def more_paths(self) -> int:
        return len(self.paths) - len(self.some_paths)


def transfer_groups(
    moved: Iterable[tuple[StepHost, Transfer]], failed: Sequence[StepGroup], known: Failures
) -> list[TransferGroup]:
    """Return the groups: failures first, largest first, then unfinished and finished ones, each
    with the smallest first. `failed` has the groups of the hosts that failed."""
    by_key: dict[tuple[int, str, str], TransferGroup] = {}
    for host, transfer in moved:
        key = (transfer.status, transfer.source, _error(host, transfer))
        group = by_key.setdefault(key, TransferGroup(*key))
        group.files += 1
        group.progress.append((transfer.status, transfer.process))
        group.hosts[host.bk_host_id] = host
        group.paths[transfer.src_path] = None
    of_host = {host.bk_host_id: group for group in failed for host in group.hosts}
    for group in by_key.values():
        if group.error:
            group.past = _past([of_host[host] for host in group.hosts if host in of_host], known)
    return sorted(by_key.values(), key=_order)


def _past(groups: Sequence[StepGroup], known: Failures) -> Past | None:
    same = {known.keys.get(group.key) for group in groups}
    return past_of(groups[0], known) if len(same) == 1 else None


def _error(host: StepHost, transfer: Transfer) -> str:
    failed = file_rank(transfer.status) == FINISHED and transfer.status != FileStatus.DONE
    if not failed or not host.newest.finished or host.status in HOST_SUCCEEDED:
        return ""
    return host_status_label(host.status, host.newest.exit_code)


def _order(group: TransferGroup) -> tuple[bool, bool, int, str, str]:
    hosts = len(group.hosts)
    is_bad = group.colour == "bad"
    return not is_bad, group.colour == "ok", -hosts if is_bad else hosts, group.source, group.error
