"""Expiry of audit rows after AUDIT_RETENTION_DAYS, independent of any other retention."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db.models import QuerySet

from joblogs.models import LogRead, SearchRead

from .runs import CurrentRun

AT_ONCE = 1000

AuditRow = LogRead | SearchRead


def delete_old_reads(run: CurrentRun) -> None:
    """Delete the audit rows that are due."""
    delete = count if run.dry_run else forget
    run.report.reads_forgotten = delete(run.today, limit=run.limit)


def due(today: datetime.date) -> list[QuerySet[AuditRow]]:
    """Return the QuerySets of the audit rows to delete; none without the setting."""
    days = settings.AUDIT_RETENTION_DAYS
    if not days:
        return []
    first = datetime.datetime.combine(today, datetime.time.min, tzinfo=datetime.UTC)
    before = first - datetime.timedelta(days=days)
    return [
        model._default_manager.filter(at__lt=before).order_by("at", "pk")
        for model in (LogRead, SearchRead)
    ]


def count(today: datetime.date, *, limit: int | None) -> int:
    """Return the number of audit rows to delete, at most `limit`."""
    return sum(rows[:limit].count() for rows in due(today))


def forget(today: datetime.date, *, limit: int | None) -> int:
    """Delete the audit rows that are due, AT_ONCE per statement; return how many."""
    deleted = 0
    for rows in due(today):
        while limit is None or deleted < limit:
            left = AT_ONCE if limit is None else min(AT_ONCE, limit - deleted)
            keys = list(rows.values_list("id", flat=True)[:left])
            if not keys:
                break
            rows.model._default_manager.filter(id__in=keys).delete()
            deleted += len(keys)
    return deleted
