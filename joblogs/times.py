"""Limits of times in records, in milliseconds since 1970 (UTC), and parsing of days."""

from __future__ import annotations

import datetime
import re
import time

TIME_MAX = 253_402_214_399_999
"""The end of 9999-12-30 in UTC, so that it is a valid date in every time zone."""
AHEAD_MAX = 7 * 24 * 60 * 60 * 1000
"""Milliseconds that a job's create_time and an update_time may be ahead of this machine's clock."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# msgspec's messages end with the path of the value.
_OF_A_TIME = re.compile(r"\.(?:created|at|(?:create|start|end|update)_time)`\Z")


def day(text: str) -> datetime.date:
    """Return a day, which must be written like `2026-11-25`. Raise ValueError."""
    if _DAY.fullmatch(text) is None:
        raise ValueError(text)
    return datetime.date.fromisoformat(text)


def now() -> int:
    """Return this machine's time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def latest() -> int:
    """Return the latest create_time or update_time that is allowed now."""
    return now() + AHEAD_MAX


def bounds() -> str:
    """Return a message for a producer whose time is out of bounds."""
    return f"times are milliseconds since 1970, and this server's time is {now()}"


def explained(message: str) -> str:
    """Return an error message about a record, with the bounds of times if it is about a time."""
    return f"{message}: {bounds()}" if _OF_A_TIME.search(message) else message
