"""Types of command-line arguments. An invalid value ends with exit code 2 and a usage line."""

from __future__ import annotations

import argparse
from datetime import date
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from joblogs import times
from joblogs.choices import ScopeType
from joblogs.records import MAX_ID


def scope(value: str) -> tuple[str, str]:
    """Return the type and id of a scope such as `biz:2`."""
    kind, colon, number = value.partition(":")
    if not colon or kind not in ScopeType.values or not 1 <= len(number) <= 64:
        known = ", ".join(ScopeType.values)
        raise argparse.ArgumentTypeError(f"{value!r} is not TYPE:ID with a type of {known}")
    return kind, number


def app_code(value: str) -> str:
    """Return an app code that fits into a header and a column."""
    if not 1 <= len(value) <= 64 or not value.isascii() or not value.isprintable() or " " in value:
        raise argparse.ArgumentTypeError("1 to 64 printable ASCII characters without blanks")
    return value


def token_name(value: str) -> str:
    """Return the name of a token, which log reads show."""
    if not 1 <= len(value) <= 64 or not value.isprintable():
        raise argparse.ArgumentTypeError("1 to 64 printable characters")
    return value


def days(value: str) -> int:
    """Return a number of days, at most a hundred years."""
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 36_500:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number of days from 1 to 36500")
    return int(value)


def origin(value: str) -> str:
    """Return the URL of a server without a path, such as http://10.0.0.7:8000."""
    parts = urlsplit(value.removesuffix("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in value or parts.path:
        # Not quoted: an address may hold a password.
        raise argparse.ArgumentTypeError("it is not http://HOST:PORT or https://HOST")
    return value


def port(value: str) -> int:
    """Return a TCP port."""
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 65535:
        raise argparse.ArgumentTypeError(f"{value!r} is not a port from 1 to 65535")
    return int(value)


class Bind(NamedTuple):
    """NamedTuple of a server's address: host and port, or `unix:PATH` and port 0."""

    host: str
    port: int = 0

    def __str__(self) -> str:
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def bind(value: str) -> Bind:
    """Return an address such as `127.0.0.1:8000`, `[::1]:8000` or `unix:/run/joblogs.sock`."""
    if value.startswith("unix:/"):
        return Bind(value)
    host, colon, number = value.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or (":" in bare) != (bare != host):
        raise argparse.ArgumentTypeError(f"{value!r} is not HOST:PORT, such as 127.0.0.1:8000")
    return Bind(bare, port(number))


def positive(value: str) -> int:
    """Return a positive integer."""
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) < 2**31:
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number from 1 on")
    return int(value)


def file_mode(value: str) -> int:
    """Return permissions of a file, given in octal, such as 640."""
    if not 3 <= len(value) <= 4 or not set(value) <= set("01234567") or int(value, 8) > 0o777:
        raise argparse.ArgumentTypeError(f"{value!r} is no mode such as 640")
    return int(value, 8)


def time_zone(value: str) -> ZoneInfo:
    """Return a time zone such as `Asia/Shanghai`."""
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{value!r} is no time zone known here") from None


def identifier(value: str) -> int:
    """Return the id of a job, a step or a host."""
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:17]) <= MAX_ID:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number from 1 to {MAX_ID}")
    return int(value)


def day(value: str) -> date:
    """Return a day such as `2026-11-25`."""
    try:
        return times.day(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is not a day such as 2026-11-25") from None


def attempt(value: str) -> int | str:
    """Return `all`, `latest` or an execute count."""
    if value in ("all", "latest"):
        return value
    if not value.isascii() or not value.isdigit() or int(value[:11]) >= 2**31:
        raise argparse.ArgumentTypeError(f"{value!r} is neither a number from 0 on, all nor latest")
    return int(value)
