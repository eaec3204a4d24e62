"""Acceptance of the pieces of script logs: which are taken and which are refused.

Nothing is written here; the host results are locked by `results.write`.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Collection

from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.pieces import Piece, Verdict, union

from . import masking
from .log_update import LogUpdate, StoredBytes, log_of
from .overlaps import Overlaps
from .report import REASONS, Outcome, Reason, Refused, refused_piece


def take_pieces(
    day: datetime.date,
    updates: Collection[LogUpdate],
    *,
    limit: int,
    blind_app: int | None,
    outcome: Outcome,
) -> None:
    """Add pieces to their logs or refuse them; `limit`: most bytes of a log that are kept.

    `blind_app`: key of the app that sends them, if it may not read the logs.
    """
    others: list[tuple[LogUpdate, int]] = []
    for update in updates:
        log = update.log = log_of(update.row, limit)
        # If a secret may begin at the end of the log, the end must be read before appending.
        taken = 0 if masking.looks_back(update.row) else log.take_next(update.pieces)
        if taken < len(update.pieces):
            if blind_app is not None:
                # All of the app's pieces are compared as a whole, from the stored state.
                taken, update.log = 0, log_of(update.row, limit)
            others.append((update, taken))
        outcome.accepted += taken
    if others:
        _take_others(day, others, Overlaps(blind_app, files=False), outcome)
    for update in updates:
        row, log = update.row, update.log
        sizes = (log.received, log.held, log.truncated)
        if sizes != (row.received_size, row.held_size, row.truncated):
            row.received_size, row.held_size, row.truncated = sizes
            # Masks do not change newlines.
            update.newlines = log.added.count(b"\n")
            row.lines += update.newlines
            update.is_resized = True


def _take_others(
    day: datetime.date,
    others: list[tuple[LogUpdate, int]],
    overlaps: Overlaps,
    outcome: Outcome,
) -> None:
    """Take pieces that overlap the log or leave a gap, and the pieces after them.

    `others` has each update with the number of its pieces that were taken before.
    """
    overlaps.load([update.row.pk for update, _ in others])
    spans = []
    for update, taken in others:
        needed = [update.log.to_compare(Piece(*piece)) for piece in update.pieces[taken:]]
        needed.append(masking.looks_back(update.row))
        spans += [
            store.span_of(update.row, start, stop)
            for start, stop in union(span for span in needed if span is not None)
        ]
    stored = StoredBytes(day, spans)
    for update, taken in others:
        row, log = update.row, update.log
        pieces = list(itertools.starmap(Piece, update.pieces[taken:]))
        read, begun = stored.reader(row.pk, row.held_size), masking.looks_back(row)
        if overlaps.refuses(row, log_of(row, log.limit), pieces, read):
            outcome.refused += [
                _refused(line, update, Reason.CONFLICT) for line in update.lines[taken:]
            ]
            continue
        for line, piece in zip(update.lines[taken:], pieces, strict=True):
            try:
                if begun and piece.offset <= log.received and log.held < piece.end:
                    update.end = read(*begun)
                verdict = log.take(piece, read)
            except Unreadable:
                outcome.refused.append(_refused(line, update, None))
                continue
            if reason := REASONS.get(verdict):
                outcome.refused.append(_refused(line, update, reason))
            else:
                outcome.count(changed=verdict is Verdict.ACCEPTED)
    overlaps.save()


def _refused(line: int, update: LogUpdate, reason: Reason | None) -> Refused:
    row = update.row
    log = (row.step_id, row.host_id, row.execute_count, row.batch, row.role)
    return refused_piece(line, "script_log", reason, update.log.expected, log)
