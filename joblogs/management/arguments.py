"""Types of command-line arguments: what is wrong ends with exit 2 and a usage line."""

from __future__ import annotations

import argparse
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from joblogs.choices import ScopeType


def scope(value: str) -> tuple[str, str]:
    """`biz:2` as its type and id."""
    kind, colon, number = value.partition(":")
    if not colon or kind not in ScopeType.values or not 1 <= len(number) <= 64:
        known = ", ".join(ScopeType.values)
        raise argparse.ArgumentTypeError(f"{value!r} is not TYPE:ID with a type of {known}")
    return kind, number


def app_code(value: str) -> str:
    """A code that a header can carry and a column can hold."""
    if not 1 <= len(value) <= 64 or not value.isascii() or not value.isprintable() or " " in value:
        raise argparse.ArgumentTypeError("1 to 64 printable ASCII characters without blanks")
    return value


def port(value: str) -> int:
    """A TCP port."""
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 65535:
        raise argparse.ArgumentTypeError(f"{value!r} is not a port from 1 to 65535")
    return int(value)


def positive(value: str) -> int:
    """A whole number from 1 on."""
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) < 2**31:
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number from 1 on")
    return int(value)


def time_zone(value: str) -> ZoneInfo:
    """A zone such as `Asia/Shanghai`."""
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{value!r} is no time zone known here") from None
