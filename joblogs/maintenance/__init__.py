"""Maintenance: day partitions, compaction, missing fingerprints, expiry, removal, moving.

Everything may be run again at any time, and by one process at a time only. What a run would do and
what it does come from the same querysets.
"""

from __future__ import annotations

import contextlib

from django.utils import timezone

from . import audit_log, day_partitions, expiry, identities, logs, moving, packing
from .packing import packed_logs, unpack
from .runs import (
    AlreadyRunning,
    CurrentRun,
    MaintenanceReport,
    alone,
    last_run,
    record_sweep,
    recorded,
    sweep_due,
)

__all__ = ["AlreadyRunning", "MaintenanceReport", "last_run", "maintain", "packed_logs", "unpack"]

_PARTS = (
    day_partitions.maintain_partitions,
    expiry.expire_logs,
    expiry.forget_jobs,
    identities.delete_unreferenced,
    audit_log.delete_old_reads,
    logs.process_logs,
    packing.pack_due,
    # It needs more than the database: what it cannot do keeps nothing else from being done.
    moving.move_due,
)


def maintain(
    *, dry_run: bool = False, every_day: bool = False, limit: int | None = None
) -> MaintenanceReport:
    """Do what is due; with `limit` at most so many logs or jobs of each kind.

    Logs are looked at where ingest says that their steps changed; once a day also all of the days
    that something was written to lately, with `every_day` all. Raises AlreadyRunning.
    """
    with alone():
        run = CurrentRun(
            started=timezone.now(),
            sweep=sweep_due(every_day=every_day),
            dry_run=dry_run,
            limit=limit,
        )
        with contextlib.nullcontext() if dry_run else recorded(run.report):
            for part in _PARTS:
                part(run)
            if run.sweep and limit is None and not dry_run:
                record_sweep(run.started)
    return run.report
