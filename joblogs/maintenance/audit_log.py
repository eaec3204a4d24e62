"""Who read what is kept no longer than AUDIT_RETENTION_DAYS says, whatever else is kept."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db.models import QuerySet

from joblogs.models import LogRead

AT_ONCE = 1000


def due(today: datetime.date) -> QuerySet[LogRead]:
    """The records of reads that are to go; without the setting none, ever."""
    kept = settings.AUDIT_RETENTION_DAYS
    if not kept:
        return LogRead.objects.none()
    first = datetime.datetime.combine(today, datetime.time.min, tzinfo=datetime.UTC)
    return LogRead.objects.filter(at__lt=first - datetime.timedelta(days=kept)).order_by("at", "pk")


def forget(today: datetime.date, *, limit: int | None) -> int:
    """Let them go, a bounded number in one statement; how many did."""
    gone = 0
    while limit is None or gone < limit:
        left = AT_ONCE if limit is None else min(AT_ONCE, limit - gone)
        keys = list(due(today).values_list("id", flat=True)[:left])
        if not keys:
            break
        LogRead.objects.filter(id__in=keys).delete()
        gone += len(keys)
    return gone
