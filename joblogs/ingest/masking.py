"""Secrets are masked on the way in, right across the borders of pieces, batches and requests.

Runs under the lock of the host result, when a batch's pieces have been judged and before they are
written. What was written before is read again, and rewritten, only where it may hold the beginning
of a secret (`content.secrets.State`).
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from joblogs.logtext import store
from joblogs.logtext.mask_ranges import cover
from joblogs.logtext.pieces import Log, Range
from joblogs.logtext.secret_scanner import LOOK_BACK, Secrets, State, secrets_of
from joblogs.models import DIGESTS, FileLog, HostResult

from .overlap import readable

COLUMNS = ("redacted", "masked", "mask_pending", "mask_rule", *DIGESTS)
"""What masking changes now and then; `mask_prefix` changes often, and is written with the sizes."""

BATCH_BYTES = 256 * 1024
"""What is joined to be looked at: it should still be in the processor's cache then."""


@dataclass(slots=True)
class Masked:
    """What masking came to: rows whose COLUMNS it changed, and stored bytes to be replaced."""

    rows: list[HostResult] = field(default_factory=list)
    replaced: list[store.Addition] = field(default_factory=list)


def secrets_masked() -> Secrets:
    """The secrets that are masked on the way in; none if that is switched off."""
    return secrets_of(settings.SECRET_RULES if settings.MASK_SECRETS else ())


def mask_name(name: str | None, held: str | None) -> str | None:
    """A name, tag or path without its secrets; the held one where they differ in masks only.

    Each character becomes one asterisk: a column counts characters.
    """
    secrets = secrets_masked()
    if not name or name == held or not secrets:
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


def mask_logs(
    day: datetime.date, logs: Iterable[tuple[HostResult, Log]], ends: Mapping[int, bytes]
) -> Masked:
    """Mask what logs grew by, and of what they held what turns out to begin a secret.

    `ends` are the bytes that `looks_back` named of logs that grew, by the ids of their rows.
    """
    secrets, result = secrets_masked(), Masked()
    due = [(row, log) for row, log in logs if log.added or (_ends(row) and log.is_full)]
    if not secrets:
        result.rows = [row for row, _ in due if settle(row, State())]
        return result
    tails = {**ends, **_tails(day, [each for each in due if each[0].pk not in ends], secrets)}
    for some in _batches(due):
        fresh = {id(log) for row, log in some if _is_fresh(row, log, tails)}
        parts = [(row.mask_prefix, log.added, b"\n") for row, log in some if id(log) in fresh]
        quiet = secrets.absent(b"".join(itertools.chain.from_iterable(parts)))
        for row, log in some:
            if id(log) in fresh and (quiet or secrets.absent(bytes(row.mask_prefix) + log.added)):
                changed = settle(row, secrets.state(_end(row, log)))
            else:
                begun = b"" if row.mask_rule else row.mask_prefix
                tail = bytearray(tails[row.pk] if row.mask_pending else tails.get(row.pk, begun))
                changed, replaced = _mask(row, log, tail, secrets)
                if replaced:
                    start = log.held_before - len(tail)
                    result.replaced.append(store.Addition(row.pk, start, tail))
            if changed:
                result.rows.append(row)
    return result


def _batches(
    due: Iterable[tuple[HostResult, Log]],
) -> Iterator[list[tuple[HostResult, Log]]]:
    """Logs that are looked at in one go, and looked at one by one if there is a secret in any."""
    batch: list[tuple[HostResult, Log]] = []
    size = 0
    for row, log in due:
        batch.append((row, log))
        size += len(log.added)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _end(row: HostResult, log: Log) -> bytes | bytearray:
    """As much of the end of what is looked at as decides how it ends."""
    return log.added if len(log.added) > LOOK_BACK else bytes(row.mask_prefix) + log.added


def mask_file(row: FileLog, log: Log) -> bool:
    """Mask what a file log grew by; whether that changed what it held before."""
    secrets = secrets_masked()
    if not secrets:
        settle(row, State())
        return False
    size = min(log.held_before, _state(row).size + 1)
    tail = bytearray(bytes(row.content)[log.held_before - size : log.held_before])
    _, replaced = _mask(row, log, tail, secrets)
    if replaced:
        row.content = bytes(row.content)[: log.held_before - size] + bytes(tail)
    return replaced


def _ends(row: HostResult) -> bool:
    return bool(row.mask_pending or row.mask_rule or row.mask_prefix)


def _is_fresh(row: HostResult, log: Log, tails: dict[int, bytes]) -> bool:
    """Whether what a log grew by is all that must be looked at."""
    ahead = row.redacted and row.redacted[-1][1] > log.held_before
    return not (row.pk in tails or row.mask_pending or row.mask_rule or ahead or log.is_full)


def _tails(
    day: datetime.date, due: Sequence[tuple[HostResult, Log]], secrets: Secrets
) -> dict[int, bytes]:
    """The ends of stored logs that decide about what follows: read in one go, mostly none."""
    spans = []
    for row, log in due:
        end = log.held_before
        if not end or (not row.mask_pending and (row.mask_rule or row.mask_prefix)):
            continue
        if row.mask_pending or secrets.needs_context(log.added):
            spans.append(store.Span(row.pk, max(0, end - row.mask_pending - 1), end))
    # Without the byte before it a text is masked like one that begins there: no less than with it.
    return {span.log: data for span, data in readable(day, spans).items()}


def looks_back(row: HostResult) -> Range | None:
    """The stored bytes without which nothing may be added to a log: a secret may begin there."""
    if not row.mask_pending or not secrets_masked():
        return None
    return max(0, row.held_size - row.mask_pending - 1), row.held_size


def _mask(
    row: HostResult | FileLog, log: Log, tail: bytearray, secrets: Secrets
) -> tuple[bool, bool]:
    """Mask a log's end: whether its row changed, and whether `tail` did, which was stored."""
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
    changed = settle(row, state)
    if ranges:
        moved = [(start + base, stop + base) for start, stop in ranges]
        row.redacted = [list(span) for span in cover(row.redacted or (), moved)]
        row.masked += places
    if ranges and isinstance(row, HostResult):
        row.forget_digests()
    return changed or bool(ranges), replaced


def _state(row: HostResult | FileLog) -> State:
    return State(row.mask_pending, row.mask_rule, bytes(row.mask_prefix))


def settle(row: HostResult | FileLog, state: State) -> bool:
    """Remember how a log ends; whether that changed one of COLUMNS."""
    changed = (row.mask_pending, row.mask_rule) != state[:2]
    row.mask_pending, row.mask_rule, row.mask_prefix = state
    return changed
