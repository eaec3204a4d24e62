"""How complete a stored log is: one rule for API, pages and exports."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from joblogs.choices import FINISHED, host_rank


class State(StrEnum):
    """Completeness of a log, as readers are shown it."""

    COMPLETE = "complete"
    RECEIVING = "receiving"
    INCOMPLETE = "incomplete"
    TRUNCATED = "truncated"
    EXPIRED = "expired"
    UNREACHABLE = "unreachable"
    """The log exists but cannot be read now, because the storage behind it does not answer. This is
    not recorded in any row; it is only found out by reading."""


class Completeness(NamedTuple):
    """State of a log, and the number of bytes missing from it."""

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
    """Return the completeness of one host result's log.

    Digests are compared only if both are known and the log is neither truncated nor redacted. If
    they differ, the log is incomplete by an unknown number of bytes (`missing` is 0).
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
