"""Entry point of all writes: applies a stream of records, batch by batch.

No record is acknowledged before its batch is committed. Sending a stream again accepts nothing
twice, and a stream that was cut can be sent again to continue where it stopped.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterable

from joblogs import database, metrics
from joblogs.access import Writer
from joblogs.errors import BadRequest, Text

from . import digests, hierarchy, results
from .batching import Batch, End, batches
from .parents import StreamState
from .report import Outcome, Reason, Refused, Report
from .stream import Block, RecordLine

__all__ = ["Reason", "Refused", "Report", "ingest"]

NO_RECORDS = Text("请求中没有任何记录", "The body holds no record")


def ingest(
    lines: Iterable[RecordLine | Block],
    *,
    writer: Writer,
    progress: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Apply the records of numbered lines on a writer's behalf; return a report.

    `progress` is called with the report after each batch. Raise BadRequest if there are no records,
    BodyTooLarge beyond a limit of the stream, and Unavailable if the database fails; earlier
    batches are committed then.
    """
    report = Report()
    state = StreamState(writer)
    has_records = False
    for batch in batches(lines):
        has_records = has_records or bool(batch.entries or batch.unread.refused)
        with database.answering():
            outcomes = [*_apply(batch, state), batch.unread]
            outcomes.append(state.finishes.write_due(batch.end))
        report.add(outcomes)
        for outcome in outcomes:
            metrics.records_read(
                accepted=outcome.accepted,
                duplicates=outcome.duplicates,
                refused=[entry.reason.value for entry in outcome.refused],
                size=outcome.size,
            )
        progress(report)
    if not has_records:
        raise BadRequest(NO_RECORDS)
    return report


def _apply(batch: Batch, state: StreamState) -> list[Outcome]:
    """Commit a batch; return its outcomes, without finishes that are held back."""
    if not batch.entries:
        return []
    plan, finishes = hierarchy.settle(batch.entries, state), state.finishes
    outcomes = [plan.outcome]
    works = sorted(plan.works.values(), key=lambda work: work.step.pk)
    for work in itertools.chain.from_iterable(map(results.parts_of, works)):
        work.blind_app = state.writer.blind_app(work.step.job.scope_id)
        last = batch.end is End.WHOLE
        started = time.thread_time()
        written = database.retrying(functools.partial(results.write, work, finishes, last=last))
        outcomes.append(written.outcome)
        for kind, held_back in written.held_back:
            finishes.hold(kind, held_back)
        digests.take(written.rows, seconds=time.thread_time() - started)
    if batch.end is not End.WHOLE:  # otherwise all finishes are written now
        finishes.track(plan.spans())
    return outcomes
