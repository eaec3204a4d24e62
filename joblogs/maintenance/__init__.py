"""Maintenance: day partitions, compaction, missing fingerprints, expiry, removal, moving.

Everything may be run again at any time, but only by one process at a time. A dry run and a real run
use the same querysets.
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
    # Last, since it also needs the object store: a failure does not prevent the other parts.
    moving.move_due,
)


def maintain(
    *, dry_run: bool = False, every_day: bool = False, limit: int | None = None
) -> MaintenanceReport:
    """Run all maintenance that is due; `limit` limits the logs or jobs of each kind.

    Logs are processed for the steps that ingest marked as changed, once a day also for all days
    that were written to recently, and with `every_day` for all days. Raises AlreadyRunning.
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
