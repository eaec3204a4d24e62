"""Recording of new text and ended steps for saved searches, as rows of numbers.

Nothing is searched here: `send_notices` does that after the commit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from django.db.models import BigIntegerField, Exists, OuterRef, QuerySet

from joblogs.database import CompiledQuery, Param
from joblogs.models import JobInstance, NoticeWork, SavedSearch

from .log_update import LogUpdate


def add_text(step: int, updates: Iterable[LogUpdate], *, has_files: bool) -> None:
    """Record the new text of a step's logs, and all of its file logs if `has_files`.

    Part of the transaction that writes them.
    """
    numbers: list[int] = []
    for each in updates:
        if each.log.added:
            start = each.log.held_before
            numbers += (each.row.pk, start, start + len(each.log.added))
    if numbers or has_files:
        NoticeWork.objects.create(step_id=step, numbers=_packed(numbers))


def add_ended(steps: Collection[int]) -> None:
    """Record that these steps ended, if there is any active saved search.

    Part of the transaction that writes their finishes.
    """
    if steps and SavedSearch.objects.filter(active=True).exists():
        NoticeWork.objects.create(numbers=_packed(sorted(steps)))


@CompiledQuery
def job_by_now() -> QuerySet[JobInstance, Any]:
    """Query when a job's logs expired, and whether its scope has an active saved search."""
    searches = SavedSearch.objects.filter(active=True, scope=OuterRef("scope"))
    jobs = JobInstance.objects.filter(pk=Param("job", BigIntegerField()))
    return jobs.values_list("expired_at", Exists(searches))


def _packed(numbers: Collection[int]) -> bytes:
    return np.array(numbers, "<i8").tobytes()
