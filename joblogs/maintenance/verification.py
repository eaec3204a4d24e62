"""Verification of stored logs: every chunk is read and compared with its rows.

Nothing is changed and no text is kept: the results are kinds of damage, counts and keys of host
results. Logs may grow or be deleted meanwhile, so a log that looks damaged is checked again.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from joblogs.choices import FINISHED, host_rank
from joblogs.errors import Unavailable
from joblogs.logtext import codec, store
from joblogs.logtext.mask_ranges import RANGES_KEPT
from joblogs.logtext.pieces import Hole
from joblogs.logtext.secret_scanner import LEFT
from joblogs.logtext.store import packs
from joblogs.models import FileLog, HostResult

from . import pack_verification
from .damage import Damage
from .walk import LogSelection

ROWS_AT_ONCE = 500
EXAMPLES = 5
"""Maximum host results that are named for each kind of damage."""
_UNMASKED = bytes(byte for byte in range(256) if byte not in b"*" + LEFT)


@dataclass(slots=True)
class Verified:
    """Counts of what was verified and of the damage, with examples of keys for each kind."""

    logs: int = 0
    files: int = 0
    chunks: int = 0
    objects: int = 0
    size: int = 0
    damage: Counter[StrEnum] = field(default_factory=Counter)
    examples: dict[StrEnum, list[int]] = field(default_factory=lambda: defaultdict(list))

    def count(self, key: int, found: Iterable[StrEnum]) -> None:
        for damage in found:
            self.damage[damage] += 1
            if len(self.examples[damage]) < EXAMPLES:
                self.examples[damage].append(key)


def verify(
    selection: LogSelection, *, progress: Callable[[int], object] = lambda size: None
) -> Verified:
    """Verify the selected logs and file logs; `progress` is called with the bytes read."""
    verified = Verified()
    for steps in selection.steps_by_jobs():
        for rows in _batches(selection.results(steps)):
            texts = _texts_of_shared_packs(rows)
            for row in rows:
                verified.count(row.pk, _settled(row, verified, texts.pop(row.pk, None)))
                verified.logs += 1
                progress(row.held_size)
        for file in selection.files(steps):
            verified.count(file.pk, _file_damage(file))
            verified.files += 1
            verified.size += file.held_size
            progress(file.held_size)
    return verified


def _batches(rows: Iterable[HostResult]) -> Iterator[list[HostResult]]:
    """Yield the rows in batches whose texts may be in memory together."""
    some: list[HostResult] = []
    size = 0
    for row in rows:
        some.append(row)
        size += row.held_size
        if size >= store.GROUP_BYTES or len(some) == ROWS_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _texts_of_shared_packs(rows: Iterable[HostResult]) -> dict[int, bytes]:
    """Return the texts of the logs that share packs, so that each pack is decoded only once.

    If one of a day cannot be read, none of that day is returned: its logs are read one by one.
    """
    spans: dict[datetime.date, list[store.Span]] = defaultdict(list)
    for row in rows:
        span = store.span_of(row)
        if row.held_size and span.is_packed_with_others and row.step.job.expired_at is None:
            spans[row.day].append(span)
    texts: dict[int, bytes] = {}
    for day, own in spans.items():
        with contextlib.suppress(codec.Unreadable):
            texts |= {span.log: b"".join(parts) for span, parts in store.read(day, own)}
    return texts


def find_orphans(
    verified: Verified, since: datetime.date | None, until: datetime.date | None
) -> None:
    """Count chunks and packs of these days that belong to no host result of their day, and other
    damage of packs."""
    for day in packs.days(since, until):
        for step in packs.steps_of_day(day):
            verified.count(step, pack_verification.find_damage(day, step))
    for day in store.days(since, until):
        for page in store.logs_of_day(day):
            is_known = HostResult.objects.filter(id__in=page, day=day).values_list("pk", flat=True)
            for log in sorted(set(page).difference(is_known)):
                verified.count(log, [Damage.ORPHAN])


def _settled(row: HostResult, verified: Verified, text: bytes | None = None) -> list[Damage]:
    """Return the damage of a log that is found twice, since it may change meanwhile.

    `text`: the text of a packed log if it was already read.
    """
    found = _LogCheck(row, text)
    if found.damage:
        again = HostResult.objects.select_related("step__job").filter(pk=row.pk).first()
        found = _LogCheck(again) if again is not None else found
        if again is None:
            return []
    verified.chunks += found.chunks
    verified.size += found.size
    return sorted(found.damage)


class _LogCheck:
    """Check of a log."""

    def __init__(self, row: HostResult, packed: bytes | None = None) -> None:
        self.damage: set[Damage] = set()
        self.chunks = self.size = 0
        if row.day != row.step.job.day:
            self.damage.add(Damage.DAY)
        if row.held_size > row.received_size:
            self.damage.add(Damage.SIZES)
        if row.step.job.expired_at is not None:
            if any(True for _ in store.chunks_of(row.day, row.pk)) or _has_packs(row):
                self.damage.add(Damage.EXPIRED)
            return
        masked = _Masked(row)
        sha256, newlines = hashlib.sha256(), 0
        for offset, text in itertools.chain(self._chunks(row), self._packed(row, packed)):
            newlines += text.count(b"\n")
            sha256.update(text)
            if masked.show(offset, text):
                self.damage.add(Damage.MASKS)
        if Damage.UNREACHABLE in self.damage:
            return  # nothing is known about text that cannot be read now
        if self.size < row.held_size:
            self.damage.add(Damage.MISSING)
        if newlines != row.lines:
            self.damage.add(Damage.NEWLINES)
        if self.size == row.held_size:
            self.damage |= set(_digests(row, sha256.digest()))

    def _chunks(self, row: HostResult) -> Iterator[tuple[int, bytes]]:
        """Yield offset and text of each chunk; a packed log must not have any."""
        for chunk in store.chunks_of(row.day, row.pk):
            self.chunks += 1
            self._place(chunk, row.held_size)
            if row.pack is not None:
                self.damage.add(Damage.TWICE)
                continue
            try:
                text = codec.decode(chunk.codec, chunk.data)
            except (codec.UnknownCodec, codec.Damaged):
                self.damage.add(Damage.UNREADABLE)
                text = bytes(chunk.size)
            if len(text) != chunk.size:
                self.damage.add(Damage.CHUNK_SIZE)
            if text.count(b"\n") != chunk.newlines:
                self.damage.add(Damage.CHUNK_NEWLINES)
            yield chunk.offset, text

    def _packed(self, row: HostResult, text: bytes | None) -> Iterator[tuple[int, bytes]]:
        """Yield offset and text of each part of a packed log."""
        if row.pack is None:
            return
        self.size = 0
        stream = iter([[text]]) if text is not None else _parts(row)
        try:
            for parts in stream:
                for part in parts:
                    yield self.size, part
                    self.size += len(part)
        except Hole:
            self.damage.add(Damage.MISSING)
        except Unavailable:
            self.damage.add(Damage.UNREACHABLE)
        except codec.Unreadable:
            self.damage.add(Damage.UNREADABLE)

    def _place(self, chunk: store.Chunk, held: int) -> None:
        if chunk.offset > self.size:
            self.damage.add(Damage.MISSING)
        elif chunk.offset < self.size:
            self.damage.add(Damage.OVERLAP)
        self.size = chunk.offset + chunk.size
        if self.size > held:
            self.damage.add(Damage.BEYOND)


def _parts(row: HostResult) -> Iterator[list[bytes]]:
    for _, parts in store.read(row.day, [store.span_of(row)]):
        yield parts


def _has_packs(row: HostResult) -> bool:
    return (
        row.pack is not None
        and bool(row.held_size)
        and packs.size_of_span(row.day, store.span_of(row)) > 0
    )


class _Masked:
    """Masked ranges of a log that are exact."""

    def __init__(self, row: HostResult) -> None:
        # Only the first ranges are kept exactly; later ones may be merged.
        self._ranges = (row.redacted or [])[: RANGES_KEPT - 1]

    def show(self, offset: int, text: bytes) -> bool:
        """Return whether a part of the log shows text in a masked range."""
        for start, stop in self._ranges:
            part = text[max(0, start - offset) : max(0, stop - offset)]
            if len(part.translate(None, b"*" + LEFT)):
                return True
        return False


def _digests(row: HostResult, digest: bytes) -> Iterator[Damage]:
    is_known = row.digest is not None and row.fingerprint_size == row.held_size
    if is_known and bytes(row.digest or b"") != digest:
        yield Damage.DIGEST
    comparable = not row.truncated and not row.redacted and row.declared_sha256 is not None
    whole = row.declared_size in (None, row.received_size) and host_rank(row.status) == FINISHED
    if comparable and whole and bytes(row.declared_sha256 or b"") != digest:
        yield Damage.DECLARED


def _file_damage(file: FileLog) -> Iterator[Damage]:
    content = FileLog.objects.filter(pk=file.pk).values_list(
        "content", "held_size", "received_size", "step__job__expired_at"
    )
    for data, held, received, expired_at in content:
        if expired_at is not None and data:
            yield Damage.EXPIRED
        if len(data) != held:
            yield Damage.FILE_SIZE
        if held > received:
            yield Damage.SIZES
