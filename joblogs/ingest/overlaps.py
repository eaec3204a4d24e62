"""Overlapping pieces from an app that may write a scope but not read it.

The response to a repeated piece reveals whether it equals the stored text, so by guessing single
bytes an app could read a log that it may not read. Its pieces of a log in a batch are compared as a
whole, and after CONFLICTS_MAX conflicts no longer at all (docs/security.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from joblogs import database, metrics, times
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.pieces import GrowingLog, Piece, Verdict
from joblogs.models import FileLog, HostResult, LogConflict

CONFLICTS_MAX = 16
"""Most conflicts of one app in one log within WITHIN_MS."""
WITHIN_MS = 24 * 60 * 60 * 1000


class Overlaps:
    """Conflicts of an app in some logs, whose rows are locked.

    `app` is None for a writer that may read the logs, whose pieces are never refused here.
    """

    def __init__(self, app: int | None, *, files: bool) -> None:
        self.app = app
        self._files = files
        self._conflicts: dict[int, list[int]] = {}
        self._changed: set[int] = set()

    def load(self, logs: Collection[int | None]) -> None:
        """Load the conflicts of logs, by keys of their rows."""
        if self.app is None or not logs:
            return
        rows = LogConflict.objects.filter(
            database.InArray("log_id", {log for log in logs if log is not None}),
            app_id=self.app,
            is_file=self._files,
        )
        since = times.now() - WITHIN_MS
        for log, conflicts in rows.values_list("log_id", "times"):
            self._conflicts[log] = [at for at in conflicts if at > since]

    def refuses(
        self,
        row: HostResult | FileLog,
        log: GrowingLog,
        pieces: Sequence[Piece],
        stored: Callable[[int, int], bytes],
    ) -> bool:
        """Return whether all pieces of a log in a batch are refused.

        `log` is the row's log before the pieces, and is modified; `stored` is as for `Log.take`.
        """
        if self.app is None or row.pk is None:
            return False
        if not any(piece.data and piece.offset < row.received_size for piece in pieces):
            return False
        conflicts = self._conflicts.setdefault(row.pk, [])
        if len(conflicts) >= CONFLICTS_MAX:
            metrics.overlap_refused(compared=False)
            return True
        try:
            # Compare all pieces, so that the time does not reveal where they differ.
            agree = Verdict.CONFLICT not in [log.take(piece, stored) for piece in pieces]
        except Unreadable:
            return True
        if not agree:
            metrics.overlap_refused(compared=True)
            conflicts.append(times.now())
            self._changed.add(row.pk)
        return not agree

    def save(self) -> None:
        """Save the conflicts, in the transaction that has locked the logs' rows."""
        if self.app is None or not self._changed:
            return
        LogConflict.objects.bulk_create(
            [
                LogConflict(
                    app_id=self.app,
                    is_file=self._files,
                    log_id=log,
                    times=self._conflicts[log],
                    latest=self._conflicts[log][-1],
                )
                for log in sorted(self._changed)
            ],
            update_conflicts=True,
            unique_fields=["app_id", "is_file", "log_id"],
            update_fields=["times", "latest"],
        )
        self._changed.clear()


def forget_conflicts() -> None:
    """Delete conflicts older than WITHIN_MS."""
    LogConflict.objects.filter(latest__lt=times.now() - WITHIN_MS).delete()
