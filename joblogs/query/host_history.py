"""Results and logs of one host in a step, and the earlier run to compare a log with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import QuerySet

from joblogs.logtext import store
from joblogs.models import FileLog, HostResult, JobInstance, StepInstance

from .jobs import steps_of
from .results import Result, read_brief


def results_on(step: StepInstance, bk_host_id: int) -> list[HostResult]:
    """Return all results of a host in a step: as a target before as a source, then newest attempt
    and batch first."""
    rows = HostResult.objects.for_step(step).filter(host_id=bk_host_id)
    return list(rows.order_by("role", "-execute_count", "-batch"))


def files_on(step: StepInstance, results: Sequence[HostResult]) -> list[FileLog]:
    """Return the file logs of these host results by batch, mode and task key, without content."""
    rows = FileLog.objects.for_step(step).of_results(results).defer("content")
    return sorted(rows, key=lambda log: (log.batch, log.mode, log.task_key))


def file_content(log: FileLog) -> bytes:
    """Return the content of one file log."""
    return bytes(FileLog.objects.values_list("content", flat=True).get(pk=log.pk))


def host_labels(step: StepInstance) -> dict[int, Result]:
    """Return by host id the result that gives a host's name and status in a step, without text."""
    # The last one of a host is kept: its newest attempt as a target.
    results = HostResult.objects.for_step(step)
    order = results.order_by("host_id", "-role", "execute_count", "batch")
    return {result.host_id: result for result in read_brief(order)}


def same_step_before(
    jobs: QuerySet[JobInstance], step: StepInstance, bk_host_id: int
) -> StepInstance | None:
    """Return the same step of the newest earlier job with the same name and scope that ran on this
    host; None if there is none among these jobs."""
    job = step.job
    earlier = (
        jobs.filter(scope=job.scope_id, name=job.name, create_time__lt=job.create_time)
        .filter(steps__host_results__host_id=bk_host_id)
        .order_by("-create_time", "-pk")
        .select_related("scope")
        .first()
    )
    if earlier is None:
        return None
    position = [own.pk for own in steps_of(job)].index(step.pk)
    others = steps_of(earlier)
    same = others[position] if position < len(others) else None
    return same if same is not None and same.step_type == step.step_type else None


def attempts_of(results: Sequence[HostResult]) -> tuple[list[int], list[int]]:
    """Return the execute counts and the rolling batches of these results, each ascending."""
    counts = sorted({result.execute_count for result in results})
    return counts, sorted({result.batch for result in results})


def logs_of(
    step: StepInstance, results: Sequence[HostResult]
) -> Iterator[tuple[HostResult, bytes]]:
    """Yield each of a step's results with its whole log; the caller limits their total size."""
    parts: dict[int, list[bytes]] = {result.pk: [] for result in results}
    if step.job.expired_at is None:
        spans = [store.span_of(result) for result in results]
        for span, rows in store.read(step.day, spans):
            parts[span.log] += rows
    for result in results:
        yield result, b"".join(parts[result.pk])
