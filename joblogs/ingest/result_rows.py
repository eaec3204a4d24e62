"""Writing of the host results and logs that a batch changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from joblogs import database, kept_groups, log_features, records
from joblogs.logtext import store
from joblogs.models import HostResult, StepInstance

from . import host_identities, masking, precedence
from .host_identities import Place
from .log_update import LogUpdate

RECORD_COLUMNS = precedence.shared_columns(
    records.HostResult,
    HostResult,
    apart_from=("execute_count", "batch", "role", "received_size", "truncated", "redacted"),
)
_SIZE_COLUMNS: tuple[str, ...] = (
    *("received_size", "held_size", "lines", "truncated"),
    *masking.STATE_COLUMNS,
)
_MASKED_COLUMNS: tuple[str, ...] = (*_SIZE_COLUMNS, *masking.RANGE_COLUMNS)
_MERGED_COLUMNS = (
    *_MASKED_COLUMNS,
    *RECORD_COLUMNS,
    "inherited",
    "identity_id",
    "declared_size",
)


def write(
    step: StepInstance, updates: dict[Place, LogUpdate], replaced: Sequence[store.Addition]
) -> None:
    """Write the changed host results of a step, and the bytes of their logs, in a transaction.

    `replaced`: replacements of stored bytes. The rows are locked.
    """
    for place in host_identities.pass_on({place: each.row for place, each in updates.items()}):
        updates[place].is_merged = updates[place].is_renamed = True
    new = [updates[place].row for place in sorted(updates) if updates[place].is_new]
    changed: dict[tuple[str, ...], list[HostResult]] = defaultdict(list)
    renamed = []
    for update in updates.values():
        if update.is_new or not update.is_changed:
            continue
        columns = _MASKED_COLUMNS if update.is_masked else _SIZE_COLUMNS
        changed[_MERGED_COLUMNS if update.is_merged else columns].append(update.row)
        if update.is_renamed:
            renamed.append(update.row)
    host_identities.settle(step.job.scope_id, [*new, *renamed])
    database.create_rows(new)
    for columns, rows in changed.items():
        database.save_columns(HostResult, columns, rows)
    # A mask invalidates everything that was computed of the text.
    stale = [
        each.row.pk
        for each in updates.values()
        if each.is_masked and not each.is_new and each.was_computed and each.row.is_masked
    ]
    if stale:
        log_features.delete(step.day, stale)
        kept_groups.delete(step.day, [step.pk])
    rows_of = {each.row.pk: each.row for each in updates.values()} if replaced else {}
    for log, offset, data, _ in replaced:
        store.replace(step.day, store.span_of(rows_of[log], offset, offset + len(data)), data)
    additions = [
        store.Addition(each.row.pk, each.log.held_before, each.log.added, each.newlines)
        for each in updates.values()
        if each.pieces and each.log.added
    ]
    if additions:
        store.append(step.day, additions)
