"""Following the logs of a step: new text, statuses and later attempts since a cursor.

All state is in the cursor, which the caller keeps. For each host result it holds the number of
bytes sent and a checksum of its status, exit code, tag and actual attempt. Each host result has its
own log, so a retry or a rolling batch starts a new log and never continues an earlier one.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.core import signing
from django.db.models import QuerySet
from django.db.models.functions import Length

from joblogs import database
from joblogs.choices import FINISHED, host_rank, run_rank
from joblogs.errors import BadRequest, OffsetBeyondLog
from joblogs.logtext import store
from joblogs.logtext.export_pieces import begun_character
from joblogs.models import HostResult, StepInstance

from .completeness import Completeness, State, completeness

CURSOR_MAX_BYTES = 256 * 1024
LOGS_MAX = 2_000
"""Logs in one answer."""
SHARE_BYTES = 4096
"""Minimum bytes for a log when it is its turn, if it has that many."""
_SIGNER = signing.Signer(salt="joblogs.follow")


class FollowedLog(NamedTuple):
    """Row of a host result: the columns needed to follow its log."""

    pk: int
    bk_host_id: int
    bk_cloud_id: int
    ip: str | None
    ipv6: str | None
    host_name: str | None
    execute_count: int
    batch: int
    status: int
    exit_code: int | None
    tag: str | None
    actual_execute_count: int | None
    held_size: int
    step_id: int
    pack: int | None
    pack_start: int | None
    received_size: int
    declared_size: int | None
    truncated: bool
    mask_pending: int
    mask_rule: str
    prefix_size: int

    @property
    def finished(self) -> bool:
        return host_rank(self.status) == FINISHED

    @property
    def settled_size(self) -> int:
        """Bytes that no later piece can turn into part of a mask; all of them once the log has
        ended."""
        if self.finished:
            return self.held_size
        return self.held_size - (self.mask_pending or (0 if self.mask_rule else self.prefix_size))

    def state(self, *, expired: bool) -> Completeness:
        """Return the log's completeness, judged by its size alone."""
        return completeness(
            status=self.status,
            received_size=self.received_size,
            declared_size=self.declared_size,
            truncated=self.truncated,
            expired=expired,
        )

    def checksum(self, *, expired: bool) -> int:
        """Return a checksum of the fields that may change without new text."""
        facts = (self.status, self.exit_code, self.tag, self.actual_execute_count, expired)
        return zlib.crc32(repr(facts).encode())


class Position(NamedTuple):
    """Follower's position in a log: bytes sent, and the checksum of the state last sent."""

    sent: int
    checksum: int


@dataclass(slots=True)
class Cursor:
    """Follower's position in a step's logs. `turn` is the log after which the next answer starts;
    `group` and `hosts` are the followed group and its hosts when following started."""

    step: int
    turn: int = 0
    positions: dict[int, Position] = field(default_factory=dict)
    group: str = ""
    hosts: frozenset[int] = frozenset()

    def signed(self) -> str:
        """Return the cursor as signed text. Raises BadRequest if it is longer than
        CURSOR_MAX_BYTES: the caller has to follow fewer hosts."""
        keys = sorted(self.positions)
        positions = [self.positions[key] for key in keys]
        # By column, so that equal values are adjacent and compress to almost nothing.
        columns = [_gaps(keys), [p.sent for p in positions], [p.checksum for p in positions]]
        group = [self.group, _gaps(sorted(self.hosts))] if self.group else []
        text = _SIGNER.sign_object([self.step, self.turn, *columns, *group], compress=True)
        if len(text) > CURSOR_MAX_BYTES:
            raise BadRequest(BadRequest.FOLLOWED)
        return text


def _gaps(numbers: Sequence[int]) -> list[int]:
    """Return ascending numbers as the gaps between them, which compress well."""
    return [number - before for before, number in zip([0, *numbers], numbers, strict=False)]


def read_cursor(text: str | None, step: StepInstance) -> Cursor:
    """Return the cursor that a text encodes for this step; a new one for None.

    Raises BadRequest for a text that is not a cursor of this step.
    """
    if text is None:
        return Cursor(step.pk)
    if len(text) > CURSOR_MAX_BYTES:
        raise BadRequest(BadRequest.FIELD, "cursor")
    try:
        number, turn, gaps, sent, checksums, *group = _SIGNER.unsign_object(text)
    except signing.BadSignature:
        raise BadRequest(BadRequest.FIELD, "cursor") from None
    if number != step.pk:
        raise BadRequest(BadRequest.FIELD, "cursor")
    positions = itertools.starmap(Position, zip(sent, checksums, strict=True))
    cursor = Cursor(number, turn, dict(zip(itertools.accumulate(gaps), positions, strict=True)))
    if group:
        cursor.group, cursor.hosts = group[0], frozenset(itertools.accumulate(group[1]))
    return cursor


class LogNews(NamedTuple):
    """Update of one log: its new text, which starts at `offset` and may be empty."""

    log: FollowedLog
    offset: int
    text: bytes
    state: Completeness


@dataclass(slots=True)
class News:
    """Updates of a step's logs. `more`: further updates are already available; `finished`: no more
    will come."""

    logs: list[LogNews]
    more: bool
    finished: bool

    @property
    def size(self) -> int:
        """Bytes of text."""
        return sum(len(one.text) for one in self.logs)


def news_since(
    cursor: Cursor,
    step: StepInstance,
    *,
    hosts: Collection[int] = (),
    statuses: Collection[int] = (),
    max_bytes: int,
) -> News:
    """Return the updates of a step's script logs, and move the cursor past them.

    `hosts` and `statuses` select logs; an empty one selects all. An answer has at most `max_bytes`
    of text and LOGS_MAX logs; logs take turns, so that a busy log does not hold up the others.
    Raises OffsetBeyondLog if a log is shorter than what was already sent of it, for example after
    a restore.
    """
    expired = step.job.expired_at is not None
    logs = list(_logs_of(step, hosts, statuses))
    due = _due(logs, cursor, expired=expired)
    chosen, ends = _shares(due, cursor, max_bytes, expired=expired)
    texts = _texts(step, chosen, cursor, ends)
    answered = []
    for log in chosen:
        sent = _sent(cursor, log)
        text = _whole_characters(texts.get(log.pk, b""), at_end=_is_last(log, sent, texts))
        position = Position(sent + len(text), log.checksum(expired=expired))
        if text or cursor.positions.get(log.pk) != position:
            answered.append(LogNews(log, sent, text, log.state(expired=expired)))
        cursor.positions[log.pk] = position
    if chosen and len(chosen) < len(due):
        cursor.turn = chosen[-1].pk
    left = _due(logs, cursor, expired=expired)
    running = any(log.state(expired=expired).state is State.RECEIVING for log in logs)
    ended = run_rank(step.status) == FINISHED and not running
    return News(answered, more=bool(left) and bool(answered), finished=ended and not left)


def _logs_of(
    step: StepInstance, hosts: Collection[int], statuses: Collection[int]
) -> Iterator[FollowedLog]:
    results: QuerySet[HostResult, Any] = HostResult.objects.for_step(step).targets()
    if hosts:
        results = results.filter(database.InArray("host_id", hosts))
    if statuses:
        results = results.filter(status__in=statuses)
    columns: list[Any] = ["pk", "host_id", *FollowedLog._fields[2:-1], Length("mask_prefix")]
    return itertools.starmap(FollowedLog, results.order_by("pk").values_list(*columns).iterator())


def _sent(cursor: Cursor, log: FollowedLog) -> int:
    position = cursor.positions.get(log.pk)
    return 0 if position is None else position.sent


def _due(logs: Iterable[FollowedLog], cursor: Cursor, *, expired: bool) -> list[FollowedLog]:
    """Return the logs that have updates. Raises OffsetBeyondLog."""
    due = []
    for log in logs:
        position = cursor.positions.get(log.pk)
        if position is not None and not expired and position.sent > log.held_size:
            raise OffsetBeyondLog(offset=position.sent, size=log.held_size, stands=_stands(log))
        if (
            position is None
            or position.checksum != log.checksum(expired=expired)
            or (not expired and position.sent < log.settled_size)
        ):
            due.append(log)
    return due


def _stands(log: FollowedLog) -> dict[str, str]:
    """Return the headers in which OffsetBeyondLog describes the stored log."""
    return {
        "X-Log-Attempt": str(log.execute_count),
        "X-Log-Batch": str(log.batch),
        "X-Log-Size": str(log.held_size),
        "X-Log-State": log.state(expired=False).state,
    }


def _shares(
    due: Sequence[FollowedLog], cursor: Cursor, max_bytes: int, *, expired: bool
) -> tuple[list[FollowedLog], dict[int, int]]:
    """Return the logs whose turn it is, and the offset up to which each is sent: the bytes are
    shared equally, and what short logs leave over goes to longer ones."""
    behind = [log for log in due if log.pk > cursor.turn]
    turns = behind + [log for log in due if log.pk <= cursor.turn]
    waiting = {log.pk: 0 if expired else log.settled_size - _sent(cursor, log) for log in turns}
    chosen, planned = [], 0
    for log in turns[:LOGS_MAX]:
        if planned >= max_bytes:
            break
        chosen.append(log)
        planned += min(SHARE_BYTES, max(0, waiting[log.pk]))
    ends, left = {}, max_bytes
    by_size = sorted(chosen, key=lambda log: waiting[log.pk])
    for index, log in enumerate(by_size):
        share = min(max(0, waiting[log.pk]), left // (len(by_size) - index))
        ends[log.pk] = _sent(cursor, log) + share
        left -= share
    return chosen, ends


def _texts(
    step: StepInstance, chosen: Iterable[FollowedLog], cursor: Cursor, ends: dict[int, int]
) -> dict[int, bytes]:
    """Return the bytes of each log between what was already sent and its entry in `ends`."""
    spans = [
        store.span_of(log, _sent(cursor, log), ends[log.pk])
        for log in chosen
        if _sent(cursor, log) < ends[log.pk]
    ]
    texts: dict[int, bytes] = {}
    for span, parts in store.read(step.day, spans):
        texts[span.log] = texts.get(span.log, b"") + b"".join(parts)
    return texts


def _is_last(log: FollowedLog, sent: int, texts: dict[int, bytes]) -> bool:
    """Return whether a text reaches the end of a finished log."""
    return log.finished and sent + len(texts.get(log.pk, b"")) >= log.held_size


def _whole_characters(text: bytes, *, at_end: bool) -> bytes:
    """Return a text without an incomplete UTF-8 character at its end, unless it is nothing else."""
    begun = 0 if at_end else begun_character(text[-3:])
    return text[: len(text) - begun] if begun < len(text) else text
