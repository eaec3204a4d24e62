"""Fingerprints of finished logs that ingest left alone: large ones, and those that came late."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from django.db.models import F, Q, QuerySet

from joblogs.ingest import fingerprints
from joblogs.logtext import fingerprint as logtext_fingerprint
from joblogs.logtext import store
from joblogs.models import HostResult


def due(days: Iterable[datetime.date]) -> QuerySet[HostResult]:
    """The finished host results of these days whose fingerprints are missing or out of date."""
    return (
        HostResult.objects.finished()
        .filter(step__job__day__in=list(days), step__job__expired_at=None)
        .filter(
            Q(fingerprint_size=None)
            | ~Q(fingerprint_size=F("held_size"))
            | ~Q(shape_version=logtext_fingerprint.VERSION)
            | Q(value_hashes=None)  # taken before there were any
        )
        .order_by("pk")
    )


def take(row: HostResult) -> None:
    """Fingerprint one log, in bounded memory; written only if it did not grow meanwhile."""
    fingerprint = fingerprints.begun(row)
    for _, parts in store.read(row.day, [store.Span(row.pk, 0, row.held_size)]):
        for part in parts:
            fingerprint.update(part)
    fingerprints.write([(row, fingerprint)])
