"""Removal of host identities that no host result points to any more."""

from __future__ import annotations

import functools

from django.db import transaction
from django.db.models import QuerySet

from joblogs import database
from joblogs.models import Host

from .runs import CurrentRun

_BATCH = 1000


def delete_unreferenced(run: CurrentRun) -> None:
    """Delete identities without results: once a day, or when jobs were forgotten.

    Those of jobs that were removed, and of hosts that are called otherwise, wait for the day's
    sweep: nobody is shown them meanwhile.
    """
    if not (run.sweep or run.report.jobs_forgotten):
        return
    if run.dry_run:
        run.report.hosts_forgotten = due()[: run.limit].count()
    else:
        run.report.hosts_forgotten = forget(limit=run.limit)


def due() -> QuerySet[Host]:
    """The identities that no result points to: its job went, or it is called otherwise now."""
    return Host.objects.unreferenced()


def forget(*, limit: int | None) -> int:
    """Delete them, at most `limit`; how many that were."""
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
        # Who writes results shares it: so none is about to point to one of these.
        database.take_lock("identities")
        deleted, _ = due().filter(id__in=keys).delete()
    return deleted
