"""Fingerprints of logs that have just finished: after the commit, without a lock.

They hold for the size that they were taken at and are written only if that is still the held size
(compare-and-set), so a log that grows meanwhile is simply not compared yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db import OperationalError

from joblogs import database
from joblogs.choices import FINISHED, host_rank
from joblogs.logtext import fingerprint, store
from joblogs.logtext.codec import Unreadable
from joblogs.models import HostResult

AT_ONCE_MAX_BYTES = 1024 * 1024
"""Larger logs are left to `maintain_logs`."""

_COLUMNS = ("fingerprint_size", "digest", "shape", "shape_version", "value_hashes")


def take(rows: Iterable[HostResult]) -> None:
    """Fingerprint those of the host results that are finished, small enough and not yet done."""
    due = [row for row in rows if _is_due(row)]
    try:
        write(_fingerprints(due))
    except (Unreadable, OperationalError):
        # The logs went meanwhile, one is damaged, or the database was busy: `maintain_logs` takes
        # what is missing.
        return


def begun(row: HostResult) -> fingerprint.Fingerprint:
    """The fingerprint of a host result's log, before its text."""
    return fingerprint.Fingerprint(names=row.own_names)


def write(taken: Iterable[tuple[HostResult, fingerprint.Fingerprint]]) -> None:
    """Write down fingerprints, each only if its log is still what the row says."""
    values = [
        [
            row.pk,
            prints.size,
            prints.digest(),
            prints.shape(),
            fingerprint.VERSION,
            prints.value_hashes(),
        ]
        + [row.held_size, row.masked]
        for row, prints in taken
    ]
    database.update_rows(HostResult, _COLUMNS, sorted(values), where=("held_size", "masked"))


def _is_due(row: HostResult) -> bool:
    return (
        host_rank(row.status) == FINISHED
        and row.fingerprint_size != row.held_size
        and row.held_size <= AT_ONCE_MAX_BYTES
    )


def _fingerprints(rows: list[HostResult]) -> Iterator[tuple[HostResult, fingerprint.Fingerprint]]:
    by_log = {row.pk: row for row in rows}
    for day in {row.day for row in rows}:
        spans = [store.Span(row.pk, 0, row.held_size) for row in rows if row.day == day]
        for span, parts in store.read(day, spans):
            row = by_log.pop(span.log)
            prints = begun(row)
            prints.update(b"".join(parts))
            yield row, prints
    for row in by_log.values():
        yield row, begun(row)
