"""Fingerprints of finished logs that ingest left alone: large ones, and those that came late."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from django.db.models import F, Q, QuerySet

from joblogs import database
from joblogs.choices import HOST_UNFINISHED
from joblogs.content import shape, store
from joblogs.models import HostResult

_COLUMNS = ("fingerprint_size", "digest", "shape", "shape_version", "telling")


def due(days: Iterable[datetime.date]) -> QuerySet[HostResult]:
    """The finished host results of these days whose fingerprints are missing or out of date."""
    return (
        HostResult.objects.filter(step__job__day__in=list(days), step__job__expired_at=None)
        .exclude(status__in=HOST_UNFINISHED)
        .filter(
            Q(fingerprint_size=None)
            | ~Q(fingerprint_size=F("held_size"))
            | ~Q(shape_version=shape.VERSION)
            | Q(telling=None)  # taken before there were any
        )
        .order_by("pk")
    )


def take(row: HostResult) -> None:
    """Fingerprint one log, in bounded memory; written only if it did not grow meanwhile."""
    names = [name.encode() for name in (row.host_name, row.ip, row.ipv6) if name]
    fingerprint = shape.Fingerprint(names=names)
    for _, parts in store.read(row.day, [store.Span(row.pk, 0, row.held_size)]):
        for part in parts:
            fingerprint.update(part)
    values = [row.held_size, fingerprint.digest(), fingerprint.shape(), shape.VERSION]
    values.append(fingerprint.telling())
    rows = [[row.pk, *values, row.held_size, row.masked]]
    database.update_rows(HostResult, _COLUMNS, rows, where=("held_size", "masked"))
