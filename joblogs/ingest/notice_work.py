"""What came in, for saved searches to be asked of: one row of numbers a transaction, if anybody
waits for it. Nothing is searched here: `send_notices` does, after the commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from joblogs import database
from joblogs.models import NoticeWork, SavedSearch, StepInstance

from .log_update import LogUpdate

_FIELDS = ("step_id", "numbers")


def add_text(step: StepInstance, updates: Iterable[LogUpdate], *, has_files: bool) -> None:
    """Have what these logs of a step grew by searched, and all of its file logs if `has_files`.
    Part of the transaction that writes them."""
    numbers: list[int] = []
    for each in updates:
        if each.log.added:
            start = each.log.held_before
            numbers += (each.row.pk, start, start + len(each.log.added))
    if numbers or has_files:
        _add(step.pk, numbers, scope=step.job.scope_id)


def add_ended(steps: Collection[int]) -> None:
    """Have it looked at how these steps ended. Part of the transaction that says that they did."""
    if steps:
        _add(None, sorted(steps))


def _add(step: int | None, numbers: Collection[int], *, scope: int | None = None) -> None:
    where = {"active": True} if scope is None else {"active": True, "scope_id": scope}
    row = (step, np.array(numbers, "<i8").tobytes())
    database.insert_row_if(NoticeWork, _FIELDS, row, SavedSearch, where)
