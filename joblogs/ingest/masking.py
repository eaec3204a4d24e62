"""Secrets are masked on the way in, right across the borders of pieces, batches and requests.

Runs under the lock of the host result, when a batch's pieces have been judged and before they are
written. What was written before is read again, and rewritten, only where it may hold the beginning
of a secret (`logtext.secret_scanner.State`).
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Iterator, Sequence

from django.conf import settings

from joblogs.logtext import store
from joblogs.logtext.mask_ranges import cover
from joblogs.logtext.pieces import Log, Range
from joblogs.logtext.secret_scanner import LOOK_BACK, Secrets, State, secrets_of
from joblogs.models import DIGESTS, FileLog, HostResult

from .log_update import LogUpdate, readable

STATE_COLUMNS = ("mask_pending", "mask_rule", "mask_prefix")
"""What is remembered of a log's end (`State`): it changes as often as the sizes."""
RANGE_COLUMNS = ("redacted", "masked", *DIGESTS)
"""What a mask changes."""

BATCH_BYTES = 256 * 1024
"""What is joined to be looked at: it should still be in the processor's cache then."""


def secrets_masked() -> Secrets:
    """The secrets that are masked on the way in; none if that is switched off."""
    return secrets_of(settings.SECRET_RULES if settings.MASK_SECRETS else ())


def mask_name(name: str | None, held: str | None) -> str | None:
    """A name, tag or path without its secrets; the held one where they differ in masks only.

    Each character becomes one asterisk: a column counts characters.
    """
    secrets = secrets_masked()
    if not name or name == held or not secrets.rules:
        return name
    masked = _without_secrets(name, secrets)
    if held and held != masked and _without_secrets(held, secrets) == masked:
        return held
    return masked


def _without_secrets(name: str, secrets: Secrets) -> str:
    data = name.encode()
    if secrets.absent(data):
        return name
    masked, parts, end = bytearray(data), list[bytes](), 0
    for start, stop in secrets.mask(masked).ranges:
        hidden = bytes(masked[start:stop])
        # Not the bytes that go on with a character.
        hidden = bytes(h for h, b in zip(hidden, data[start:stop], strict=True) if b & 0xC0 != 0x80)
        parts += (data[end:start], hidden)
        end = stop
    return b"".join([*parts, data[end:]]).decode(errors="ignore")


def mask_logs(day: datetime.date, updates: Iterable[LogUpdate]) -> list[store.Addition]:
    """Mask what logs grew by, and of what they held what turns out to begin a secret.

    Returns the stored bytes that are to be replaced.
    """
    secrets = secrets_masked()
    due = [update for update in updates if update.log.added or _is_cut(update)]
    for update in due:
        update.is_resized = True  # its end is another one
    if not secrets.rules:
        for update in due:
            settle(update.row, State())
        return []
    replaced: list[store.Addition] = []
    ends = _ends(day, due, secrets)
    for some in _batches(due):
        fresh = [update for update in some if _is_fresh(update, ends)]
        parts = [(update.row.mask_prefix, update.log.added, b"\n") for update in fresh]
        quiet = secrets.absent(b"".join(itertools.chain.from_iterable(parts)))
        is_fresh = set(map(id, fresh))
        for update in some:
            row, added = update.row, update.log.added
            if id(update) in is_fresh and (quiet or secrets.absent(bytes(row.mask_prefix) + added)):
                # As much of what is looked at as decides how it ends.
                end = added if len(added) > LOOK_BACK else bytes(row.mask_prefix) + added
                settle(row, secrets.state(end))
                continue
            begun = b"" if row.mask_rule else row.mask_prefix
            tail = bytearray(ends[row.pk] if row.mask_pending else ends.get(row.pk, begun))
            update.is_masked, is_replaced = _mask(row, update.log, tail, secrets)
            if is_replaced:
                start = update.log.held_before - len(tail)
                replaced.append(store.Addition(row.pk, start, tail))
    return replaced


def _is_cut(update: LogUpdate) -> bool:
    """Whether nothing of a log is kept any more since something may have begun at its end."""
    row = update.row
    return update.log.is_full and bool(row.mask_pending or row.mask_rule or row.mask_prefix)


def _batches(due: Iterable[LogUpdate]) -> Iterator[list[LogUpdate]]:
    """Logs that are looked at in one go, and looked at one by one if there is a secret in any."""
    batch: list[LogUpdate] = []
    size = 0
    for update in due:
        batch.append(update)
        size += len(update.log.added)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def mask_file(row: FileLog, log: Log) -> bool:
    """Mask what a file log grew by; whether that changed what it held before."""
    secrets = secrets_masked()
    if not secrets.rules:
        settle(row, State())
        return False
    size = min(log.held_before, _state(row).size + 1)
    tail = bytearray(bytes(row.content)[log.held_before - size : log.held_before])
    _, replaced = _mask(row, log, tail, secrets)
    if replaced:
        row.content = bytes(row.content)[: log.held_before - size] + bytes(tail)
    return replaced


def _is_fresh(update: LogUpdate, ends: dict[int, bytes]) -> bool:
    """Whether what a log grew by is all that must be looked at."""
    row, log = update.row, update.log
    ahead = row.redacted and row.redacted[-1][1] > log.held_before
    return not (row.pk in ends or row.mask_pending or row.mask_rule or ahead or log.is_full)


def _ends(day: datetime.date, due: Sequence[LogUpdate], secrets: Secrets) -> dict[int, bytes]:
    """The ends of stored logs that decide about what follows: read in one go, mostly none."""
    ends = {update.row.pk: update.end for update in due if update.end is not None}
    spans = []
    for update in due:
        row, end = update.row, update.log.held_before
        is_known = row.pk in ends or (not row.mask_pending and (row.mask_rule or row.mask_prefix))
        if end and not is_known and (row.mask_pending or secrets.needs_context(update.log.added)):
            spans.append(store.span_of(row, max(0, end - row.mask_pending - 1), end))
    # Without the byte before it a text is masked like one that begins there: no less than with it.
    stored = readable(day, spans) if spans else {}
    return ends | {span.log: data for span, data in stored.items()}


def looks_back(row: HostResult) -> Range | None:
    """The stored bytes without which nothing may be added to a log: a secret may begin there."""
    if not row.mask_pending or not secrets_masked().rules:
        return None
    return max(0, row.held_size - row.mask_pending - 1), row.held_size


def _mask(
    row: HostResult | FileLog, log: Log, tail: bytearray, secrets: Secrets
) -> tuple[bool, bool]:
    """Mask a log's end: whether it holds a secret, and whether `tail` changed, which was stored."""
    base, begins = log.held_before - len(tail), _state(row).size
    text = tail + log.added
    ahead = [(max(0, a - base), b - base) for a, b in row.redacted or () if b > base]
    masks = secrets.mask(
        text,
        start=len(tail) - begins,
        rule=row.mask_rule,
        prefix=bytes(row.mask_prefix),
        masked=ahead,
    )
    ranges, places, state = masks.ranges, masks.places, masks.state
    if log.is_full:
        # The rest of what may have begun is never kept: it must not stay half shown.
        cut = secrets.cut(text, start=len(text) - state.size, rule=state.rule)
        ranges, places, state = ranges + cut.ranges, places + cut.places, State()
    replaced = text[: len(tail)] != tail
    tail[:], log.added[:] = text[: len(tail)], text[len(tail) :]
    settle(row, state)
    if ranges:
        moved = [(start + base, stop + base) for start, stop in ranges]
        row.redacted = [list(span) for span in cover(row.redacted or (), moved)]
        row.masked += places
    if ranges and isinstance(row, HostResult):
        row.forget_digests()
    return bool(ranges), replaced


def _state(row: HostResult | FileLog) -> State:
    return State(row.mask_pending, row.mask_rule, bytes(row.mask_prefix))


def settle(row: HostResult | FileLog, state: State) -> None:
    """Remember how a log ends."""
    row.mask_pending, row.mask_rule, row.mask_prefix = state
