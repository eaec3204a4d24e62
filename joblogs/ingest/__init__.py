"""The one door in: a stream of records, applied in slices (DESIGN §4).

Nothing of a slice is acknowledged before it is committed. Sending a stream again accepts nothing
twice, and a stream that was cut goes on where it stopped.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

from joblogs import database, metrics
from joblogs.access import Writer
from joblogs.errors import BadRequest, Text

from . import fingerprints, hierarchy, results
from .batching import End, Slice, slices
from .finishes import Finishes
from .report import Outcome, Reason, Refused, Report
from .stored_parents import ScopeKey
from .stream import Block, Line

__all__ = ["Reason", "Refused", "Report", "ingest"]

NO_RECORDS = Text("请求中没有任何记录", "The body holds no record")


def ingest(
    lines: Iterable[Line | Block],
    *,
    writer: Writer,
    progress: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Apply the records of numbered lines on a writer's behalf; `progress` hears of each slice.

    Raises BadRequest if there is not a single record, BodyTooLarge past a limit of the stream, and
    Unavailable if the database does not answer; slices before that are committed.
    """
    report = Report()
    named: dict[int, ScopeKey] = {}
    finishes = Finishes()
    seen = False
    for slice_ in slices(lines):
        seen = seen or bool(slice_.entries or slice_.unread.refused)
        with database.answering():
            outcomes = [*_apply(slice_, writer, named, finishes), slice_.unread]
            outcomes.append(finishes.write_due(slice_.end))
        report.add(outcomes)
        _count(outcomes)
        progress(report)
    if not seen:
        raise BadRequest(NO_RECORDS)
    return report


def _count(outcomes: Iterable[Outcome]) -> None:
    for outcome in outcomes:
        metrics.records_read(
            accepted=outcome.accepted,
            duplicates=outcome.duplicates,
            refused=[entry.reason.value for entry in outcome.refused],
            size=outcome.size,
        )


def _apply(
    slice_: Slice, writer: Writer, named: dict[int, ScopeKey], finishes: Finishes
) -> list[Outcome]:
    """Commit a slice: what became of it, but for what `finishes` holds back."""
    if not slice_.entries:
        return []
    plan = hierarchy.settle(slice_.entries, writer=writer, named=named, finishes=finishes)
    outcomes = [plan.outcome]
    for work in sorted(plan.works.values(), key=lambda work: work.step.pk):
        work.blind_app = writer.blind_app(work.step.job.scope_id)
        write = functools.partial(_write_step, work, finishes, last=slice_.end is End.WHOLE)
        outcome, rows = database.retrying(write)
        outcomes.append(outcome)
        for kind, left in rows.left.items():
            finishes.keep(kind, left)
        fingerprints.take(rows.touched())
    finishes.see(plan.spans())
    return outcomes


def _write_step(
    work: hierarchy.StepWork, finishes: Finishes, *, last: bool
) -> tuple[Outcome, results.StepRows]:
    try:
        return results.write(work, finishes, last=last)
    except results.Overtaken:
        work.step.job.refresh_from_db(fields=["expired_at"])
        return results.write(work, finishes, last=last)
