"""The times that a record may state: milliseconds since 1970 in UTC, within the calendar; and days
as people name them."""

from __future__ import annotations

import datetime
import re
import time

TIME_MAX = 253_402_214_399_999
"""The end of 9999-12-30 in UTC, so that it is still a date where the day begins earlier."""
AHEAD_MAX = 7 * 24 * 60 * 60 * 1000
"""Milliseconds that a job's create_time and an update_time may be ahead of this machine's clock."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# What msgspec says of a value ends with where that was.
_OF_A_TIME = re.compile(r"\.(?:created|at|(?:create|start|end|update)_time)`\Z")


def day(text: str) -> datetime.date:
    """A day such as `2026-11-25`, and written in no other way. Raises ValueError."""
    if _DAY.fullmatch(text) is None:
        raise ValueError(text)
    return datetime.date.fromisoformat(text)


def now() -> int:
    """This machine's time in milliseconds."""
    return time.time_ns() // 1_000_000


def latest() -> int:
    """The latest that a create_time or an update_time may be just now."""
    return now() + AHEAD_MAX


def bounds() -> str:
    """Message for a producer whose time is out of bounds."""
    return f"times are milliseconds since 1970, and this server's time is {now()}"


def explained(message: str) -> str:
    """What is wrong with a record, with the bounds of times if it is one of its times."""
    return f"{message}: {bounds()}" if _OF_A_TIME.search(message) else message
