"""Day partitions of the partitioned tables: which ones to create, and which to drop."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from joblogs import kept_groups, log_features, signed_parts
from joblogs.database import Partitions
from joblogs.logtext import store
from joblogs.logtext.store import packs

from .runs import CurrentRun

COMING_DAYS = 7
AT_ONCE = 50
_TABLES = (
    *(store.PARTITIONS, packs.PARTITIONS, log_features.PARTITIONS),
    *signed_parts.PARTITIONS,
    kept_groups.PARTITIONS,
)


def maintain_partitions(run: CurrentRun) -> None:
    """Create the partitions that are due, and drop empty ones."""
    for partitions, day in due(run.today, limit=run.limit):
        run.report.partitions_made += run.dry_run or partitions.make(day)
    for partitions, day in empty(run.today):
        run.report.partitions_dropped += run.dry_run or partitions.drop_empty(day)


def due(today: datetime.date, *, limit: int | None) -> Iterator[tuple[Partitions, datetime.date]]:
    """Yield the missing partitions of the coming days and of days in the default partition.

    At most `limit` (None: AT_ONCE) for each table.
    """
    coming = [today + datetime.timedelta(days=ahead) for ahead in range(COMING_DAYS)]
    for partitions in _TABLES:
        # A later day results from a producer's wrong clock: it stays in the default partition.
        past = [day for day in partitions.days_in_default() if day <= coming[-1]]
        # Packing creates the partitions of packs: nothing is packed on its own day.
        wanted = past if partitions is packs.PARTITIONS else sorted({*coming, *past})
        for day in partitions.missing(wanted)[: limit or AT_ONCE]:
            yield partitions, day


def empty(today: datetime.date) -> Iterator[tuple[Partitions, datetime.date]]:
    """Yield the empty partitions of past days."""
    with_packs = set(packs.PARTITIONS.days()).difference(_empty(packs.PARTITIONS, today))
    for partitions in _TABLES:
        for day in _empty(partitions, today):
            # To empty a day at once, expiry locks the partition of its chunks, even if all of them
            # have become packs: it is kept as long as there are packs.
            if partitions is not store.PARTITIONS or day not in with_packs:
                yield partitions, day


def _empty(partitions: Partitions, today: datetime.date) -> list[datetime.date]:
    return partitions.empty([day for day in partitions.days() if day < today])
