"""One run of a step on one host, for explaining why it failed; without other attempts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import QuerySet

from joblogs.choices import FileMode, FileStatus
from joblogs.models import FileLog, HostResult, StepInstance

from .hosts import StepHost
from .results import read

FAILURES_MAX = 500
"""Maximum failed transfers of each kind in one context."""


@dataclass(frozen=True, slots=True)
class FailedTransfer:
    """Failed transfer of a file, and the last line of its log."""

    log: FileLog
    error: bytes


@dataclass(slots=True)
class TransferFailures:
    """Failed uploads of a run, and failed downloads of one host in it."""

    uploads: list[FailedTransfer] = field(default_factory=list)
    downloads: list[FailedTransfer] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of log text in it."""
        return sum(len(failed.error) for failed in (*self.uploads, *self.downloads))

    def unexplained(self) -> list[FailedTransfer]:
        """Return the failed downloads whose source file is not among the failed uploads."""
        sources = {_source(failed.log) for failed in self.uploads}
        return [failed for failed in self.downloads if _source(failed.log) not in sources]


def _source(log: FileLog) -> tuple[int | None, str]:
    return log.src_host_id, log.src_path


def host_in_run(
    step: StepInstance, bk_host_id: int, *, execute_count: int, batch: int | None
) -> StepHost | None:
    """Return a host with its results of one run of a step, in any batch if `batch` is None.

    None if it has none.
    """
    rows = HostResult.objects.for_step(step).filter(host_id=bk_host_id, execute_count=execute_count)
    if batch is not None:
        rows = rows.filter(batch=batch)
    results = sorted(read(rows.order_by()), key=lambda result: (result.batch, result.role))
    return StepHost(results[-1], results) if results else None


def files_in_run(step: StepInstance, host: StepHost, *, mode: int) -> bool:
    """Return whether a host transferred files in this mode in the run of its results."""
    owners = [result.pk for result in host.results]
    return FileLog.objects.filter(host_result__in=owners, mode=mode).exists()


def transfer_failures(
    step: StepInstance, host: StepHost, *, execute_count: int, batch: int | None
) -> TransferFailures:
    """Return the failed transfers of a run: uploads of every host and downloads of this one, at
    most FAILURES_MAX of each."""
    failed = FileLog.objects.filter(status=FileStatus.FAILED)
    uploads = failed.filter(step=step, mode=FileMode.UPLOAD, execute_count=execute_count)
    if batch is not None:
        uploads = uploads.filter(batch=batch)
    owners = [result.pk for result in host.results]
    downloads = failed.filter(host_result__in=owners, mode=FileMode.DOWNLOAD)
    return TransferFailures(list(_read(uploads)), list(_read(downloads)))


def _read(logs: QuerySet[FileLog]) -> Iterator[FailedTransfer]:
    # A text may be large: only its last line is kept.
    for log in logs.order_by("batch", "task_key", "pk")[:FAILURES_MAX].iterator(chunk_size=8):
        lines = bytes(log.content).rstrip(b"\r\n").rsplit(b"\n", 1)
        log.content = b""
        yield FailedTransfer(log, lines[-1])
