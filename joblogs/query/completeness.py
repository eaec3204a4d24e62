"""How much of a log is here: one rule for API, pages and exports."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from joblogs.choices import FINISHED, host_rank


class State(StrEnum):
    """What a reader may expect of a log."""

    COMPLETE = "complete"
    RECEIVING = "receiving"
    INCOMPLETE = "incomplete"
    TRUNCATED = "truncated"
    EXPIRED = "expired"
    UNREACHABLE = "unreachable"
    """It is there, and cannot be read now: what holds it does not answer. No row says so; who reads
    it finds out."""


class Completeness(NamedTuple):
    """A log's state and, for one that is incomplete, the bytes that are missing."""

    state: State
    missing: int = 0


def completeness(
    *,
    status: int,
    received_size: int,
    declared_size: int | None,
    truncated: bool,
    expired: bool,
    held_sha256: bytes | memoryview | None = None,
    declared_sha256: bytes | memoryview | None = None,
    redacted: bool = False,
) -> Completeness:
    """The state of one host result's log.

    A digest is compared only where both are known and the log is neither truncated nor redacted:
    one that differs makes it incomplete, by an unknown amount.
    """
    if expired:
        return Completeness(State.EXPIRED)
    if truncated:
        return Completeness(State.TRUNCATED)
    finished = host_rank(status) == FINISHED
    if declared_size is None:
        return Completeness(State.COMPLETE if finished else State.RECEIVING)
    if received_size != declared_size:
        missing = max(0, declared_size - received_size)
        return Completeness(State.INCOMPLETE if finished else State.RECEIVING, missing)
    if held_sha256 and declared_sha256 and not redacted and held_sha256 != declared_sha256:
        return Completeness(State.INCOMPLETE)
    return Completeness(State.COMPLETE)
