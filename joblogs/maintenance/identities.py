"""Removal of host identities to which no host result points any more."""

from __future__ import annotations

import functools

from django.db import transaction
from django.db.models import QuerySet

from joblogs import database
from joblogs.models import Host

from .runs import CurrentRun

_BATCH = 1000


def delete_unreferenced(run: CurrentRun) -> None:
    """Delete identities without results, once a day or when jobs were forgotten.

    Those of removed jobs and of renamed hosts wait for the daily sweep: they are not shown to
    anybody meanwhile.
    """
    if not (run.sweep or run.report.jobs_forgotten):
        return
    if run.dry_run:
        run.report.hosts_forgotten = due()[: run.limit].count()
    else:
        run.report.hosts_forgotten = forget(limit=run.limit)


def due() -> QuerySet[Host]:
    """Return the identities without results: their jobs were deleted, or the host was renamed."""
    return Host.objects.unreferenced()


def forget(*, limit: int | None) -> int:
    """Delete at most `limit` of the identities that are due; return how many."""
    removed = after = 0
    while limit is None or removed < limit:
        size = _BATCH if limit is None else min(_BATCH, limit - removed)
        keys = list(due().filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:size])
        if not keys:
            break
        removed += database.retrying(functools.partial(_delete, keys))
        after = keys[-1]
    return removed


def _delete(keys: list[int]) -> int:
    with transaction.atomic():
        # Writers of results share this lock: none is about to point to one of these.
        database.take_lock("identities")
        deleted, _ = due().filter(id__in=keys).delete()
    return deleted
