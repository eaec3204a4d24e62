"""Masking of secrets during ingest, across the boundaries of pieces, batches and requests.

Runs with the host result locked, after a batch's pieces were accepted and before they are written.
Stored bytes are read and rewritten only if they may hold the beginning of a secret
(`logtext.secret_scanner.State`).
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Iterator, Sequence

from django.conf import settings

from joblogs.logtext import store
from joblogs.logtext.mask_ranges import cover
from joblogs.logtext.pieces import GrowingLog, Range
from joblogs.logtext.secret_scanner import LOOK_BACK, ScanState, Secrets, secrets_of
from joblogs.models import DIGESTS, FileLog, HostResult

from .log_update import LogUpdate, readable

STATE_COLUMNS = ("mask_pending", "mask_rule", "mask_prefix")
"""Columns of the scanner's state at a log's end (`ScanState`), which change with the sizes."""
RANGE_COLUMNS = ("redacted", "masked", *DIGESTS)
"""Columns that a mask changes."""

BATCH_BYTES = 256 * 1024
"""Bytes of logs that are scanned at once, which should fit into the processor's cache."""


def secrets_masked() -> Secrets:
    """Return the secrets that are masked during ingest; none if masking is off."""
    return secrets_of(settings.SECRET_RULES if settings.MASK_SECRETS else ())


def mask_name(name: str | None, held: str | None) -> str | None:
    """Mask secrets in a name, tag or path; return the held value if only masks differ.

    Each character becomes one asterisk, because the length of a column is in characters.
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
        # Skip continuation bytes of UTF-8.
        hidden = bytes(h for h, b in zip(hidden, data[start:stop], strict=True) if b & 0xC0 != 0x80)
        parts += (data[end:start], hidden)
        end = stop
    return b"".join([*parts, data[end:]]).decode(errors="ignore")


def mask_logs(day: datetime.date, updates: Iterable[LogUpdate]) -> list[store.Addition]:
    """Mask the new bytes of logs, and stored bytes that turn out to begin a secret.

    Return the replacements of stored bytes.
    """
    secrets = secrets_masked()
    due = [update for update in updates if update.log.added or _is_cut(update)]
    for update in due:
        update.is_resized = True  # the state of its end changes
    if not secrets.rules:
        for update in due:
            settle(update.row, ScanState())
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
                # The last bytes are enough to compute the state at the end.
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
    """Return whether a log is full while a secret may have begun at its end."""
    row = update.row
    return update.log.is_full and bool(row.mask_pending or row.mask_rule or row.mask_prefix)


def _batches(due: Iterable[LogUpdate]) -> Iterator[list[LogUpdate]]:
    """Yield logs that are scanned together, and one by one if any of them has a secret."""
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


def mask_file(row: FileLog, log: GrowingLog) -> bool:
    """Mask the new bytes of a file log; return whether earlier bytes changed too."""
    secrets = secrets_masked()
    if not secrets.rules:
        settle(row, ScanState())
        return False
    size = min(log.held_before, _state(row).size + 1)
    tail = bytearray(bytes(row.content)[log.held_before - size : log.held_before])
    _, replaced = _mask(row, log, tail, secrets)
    if replaced:
        row.content = bytes(row.content)[: log.held_before - size] + bytes(tail)
    return replaced


def _is_fresh(update: LogUpdate, ends: dict[int, bytes]) -> bool:
    """Return whether only the new bytes of a log must be scanned."""
    row, log = update.row, update.log
    ahead = row.redacted and row.redacted[-1][1] > log.held_before
    return not (row.pk in ends or row.mask_pending or row.mask_rule or ahead or log.is_full)


def _ends(day: datetime.date, due: Sequence[LogUpdate], secrets: Secrets) -> dict[int, bytes]:
    """Return the ends of stored logs that affect the scan of new bytes; mostly there are none."""
    ends = {update.row.pk: update.end for update in due if update.end is not None}
    spans = []
    for update in due:
        row, end = update.row, update.log.held_before
        is_known = row.pk in ends or (not row.mask_pending and (row.mask_rule or row.mask_prefix))
        if end and not is_known and (row.mask_pending or secrets.needs_context(update.log.added)):
            spans.append(store.span_of(row, max(0, end - row.mask_pending - 1), end))
    # If the byte before is unreadable, the text is masked as if it began there: no less.
    stored = readable(day, spans) if spans else {}
    return ends | {span.log: data for span, data in stored.items()}


def looks_back(row: HostResult) -> Range | None:
    """Return the range of stored bytes that must be read to append to a log, or None.

    A secret may begin there.
    """
    if not row.mask_pending or not secrets_masked().rules:
        return None
    return max(0, row.held_size - row.mask_pending - 1), row.held_size


def _mask(
    row: HostResult | FileLog, log: GrowingLog, tail: bytearray, secrets: Secrets
) -> tuple[bool, bool]:
    """Mask a log's end; return whether it holds a secret, and whether stored `tail` changed."""
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
        # The rest of a secret that may have begun is never stored: mask its beginning.
        cut = secrets.cut(text, start=len(text) - state.size, rule=state.rule)
        ranges, places, state = ranges + cut.ranges, places + cut.places, ScanState()
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


def _state(row: HostResult | FileLog) -> ScanState:
    return ScanState(row.mask_pending, row.mask_rule, bytes(row.mask_prefix))


def settle(row: HostResult | FileLog, state: ScanState) -> None:
    """Save the scanner's state at the end of a log."""
    row.mask_pending, row.mask_rule, row.mask_prefix = state
