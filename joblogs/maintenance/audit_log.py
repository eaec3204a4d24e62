"""Expiry of audit rows after AUDIT_RETENTION_DAYS, whatever else is kept."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db.models import QuerySet

from joblogs.models import LogRead

AT_ONCE = 1000


def due(today: datetime.date) -> QuerySet[LogRead]:
    """QuerySet of the audit rows to delete; without the setting none."""
    days = settings.AUDIT_RETENTION_DAYS
    if not days:
        return LogRead.objects.none()
    first = datetime.datetime.combine(today, datetime.time.min, tzinfo=datetime.UTC)
    return LogRead.objects.filter(at__lt=first - datetime.timedelta(days=days)).order_by("at", "pk")


def forget(today: datetime.date, *, limit: int | None) -> int:
    """Delete them, a bounded number per statement; returns how many."""
    deleted = 0
    while limit is None or deleted < limit:
        left = AT_ONCE if limit is None else min(AT_ONCE, limit - deleted)
        keys = list(due(today).values_list("id", flat=True)[:left])
        if not keys:
            break
        LogRead.objects.filter(id__in=keys).delete()
        deleted += len(keys)
    return deleted
