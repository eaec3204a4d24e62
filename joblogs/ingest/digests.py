"""Digests of logs that have just finished, and features of some of them, computed after the commit
without a lock.

A digest is valid for the size at which it was computed and is written only if that is still the
held size (compare-and-set), so a log that grows meanwhile has no digest yet. Features take longer:
only as many are computed here as fit into a tenth of the CPU time of the batch. The first page that
needs the others, or `maintain_logs`, computes them.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from joblogs import database, log_features
from joblogs.choices import FINISHED, host_rank
from joblogs.errors import Unavailable
from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable
from joblogs.models import HostResult

AT_ONCE_MAX_BYTES = 1024 * 1024
"""Digests of larger logs are left to `maintain_logs`."""
TIME_SHARE = 0.1
BYTES_PER_SECOND, STARTING_SECONDS = 3_000_000, 0.002
"""Estimated speed of computing features, which must not delay a writer."""

_COLUMNS = ("fingerprint_size", "digest")


def take(rows: Iterable[HostResult], *, seconds: float) -> None:
    """Compute the digests of finished host results whose logs are small enough, and features of
    some.

    `seconds` is the CPU time of the batch. Results that have digests are skipped.
    """
    due = sorted((row for row in rows if _is_due(row)), key=attrgetter("day", "pk"))
    try:
        with database.answering():
            for _, own in itertools.groupby(due, key=attrgetter("day")):
                _take(list(own), seconds)
    except (Unreadable, Unavailable):
        # The logs were deleted meanwhile, one is damaged, or the database is busy:
        # `maintain_logs` computes what is missing.
        return


def write(digests: Mapping[int, bytes], rows: Iterable[HostResult]) -> None:
    """Save digests by host result, each only if its log has not changed since the row was read."""
    values = [
        [row.pk, row.held_size, digests[row.pk], row.held_size, row.masked]
        for row in rows
        if row.pk in digests
    ]
    database.update_rows(HostResult, _COLUMNS, sorted(values), where=("held_size", "masked"))


def _is_due(row: HostResult) -> bool:
    return (
        host_rank(row.status) == FINISHED
        and row.fingerprint_size != row.held_size
        and row.held_size <= AT_ONCE_MAX_BYTES
    )


def _take(rows: Sequence[HostResult], seconds: float) -> None:
    day = rows[0].day
    digests = {row.pk: hashlib.sha256().digest() for row in rows if not row.held_size}
    spans = [store.span_of(row) for row in rows if row.held_size]
    for span, parts in store.read(day, spans):
        digests[span.log] = hashlib.sha256(b"".join(parts)).digest()
    write(digests, rows)
    share = seconds * TIME_SHARE
    some = _affordable(rows, share)
    if some:
        log_features.keep(day, some, log_features.compute(day, some, seconds=share))


def _affordable(rows: Iterable[HostResult], seconds: float) -> list[HostResult]:
    left = seconds - STARTING_SECONDS
    some = []
    for row in rows:
        left -= row.held_size / BYTES_PER_SECOND
        if left < 0:
            break
        if row.held_size:
            some.append(row)
    return some
