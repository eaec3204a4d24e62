"""One run of a step on one host, for those who ask why it failed: nothing of other attempts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import QuerySet

from joblogs.choices import FileMode, FileStatus
from joblogs.models import FileLog, HostResult, StepInstance

from .hosts import StepHost
from .results import read

FAILURES_MAX = 500
"""Failed transfers of each kind that one context holds."""


@dataclass(frozen=True, slots=True)
class FailedTransfer:
    """A file that was not moved, and the last line of its log."""

    log: FileLog
    error: bytes


@dataclass(slots=True)
class TransferFailures:
    """The failed uploads of a run, and the failed downloads of one host in it."""

    uploads: list[FailedTransfer] = field(default_factory=list)
    downloads: list[FailedTransfer] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of log that it holds."""
        return sum(len(failed.error) for failed in (*self.uploads, *self.downloads))

    def unexplained(self) -> list[FailedTransfer]:
        """The downloads whose source file is not among the failed uploads."""
        sources = {_source(failed.log) for failed in self.uploads}
        return [failed for failed in self.downloads if _source(failed.log) not in sources]


def _source(log: FileLog) -> tuple[int | None, str]:
    return log.src_host_id, log.src_path


def host_in_run(
    step: StepInstance, bk_host_id: int, *, execute_count: int, batch: int | None
) -> StepHost | None:
    """A host with its results of one run of a step, of any batch if that is None."""
    rows = HostResult.objects.for_step(step).filter(host_id=bk_host_id, execute_count=execute_count)
    if batch is not None:
        rows = rows.filter(batch=batch)
    results = sorted(read(rows.order_by()), key=lambda result: (result.batch, result.role))
    return StepHost(results[-1], results) if results else None


def files_in_run(step: StepInstance, host: StepHost, *, mode: int) -> bool:
    """Whether a host moved files this way in the run that its results are of."""
    owners = [result.pk for result in host.results]
    return FileLog.objects.filter(host_result__in=owners, mode=mode).exists()


def transfer_failures(
    step: StepInstance, host: StepHost, *, execute_count: int, batch: int | None
) -> TransferFailures:
    """What failed of a run: uploads of every host, downloads of this one, FAILURES_MAX of each."""
    failed = FileLog.objects.filter(status=FileStatus.FAILED)
    uploads = failed.filter(step=step, mode=FileMode.UPLOAD, execute_count=execute_count)
    if batch is not None:
        uploads = uploads.filter(batch=batch)
    owners = [result.pk for result in host.results]
    downloads = failed.filter(host_result__in=owners, mode=FileMode.DOWNLOAD)
    return TransferFailures(list(_read(uploads)), list(_read(downloads)))


def _read(logs: QuerySet[FileLog]) -> Iterator[FailedTransfer]:
    # A text may be large: one at a time is held, and of it the last line.
    for log in logs.order_by("batch", "task_key", "pk")[:FAILURES_MAX].iterator(chunk_size=8):
        lines = bytes(log.content).rstrip(b"\r\n").rsplit(b"\n", 1)
        log.content = b""
        yield FailedTransfer(log, lines[-1])
