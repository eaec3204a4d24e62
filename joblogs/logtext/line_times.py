"""Time at which a line was printed, if the line begins with it. Pure."""

from __future__ import annotations

import calendar
import re
from typing import NamedTuple

LOOKED_AT = 64
"""Characters at the beginning of a line that are searched for its time."""
_DAY = 86_400.0
_CLOCK = (
    r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d):(?P<second>[0-5]\d|60)(?:[.,](?P<part>\d{1,9}))?"
)
_DATED = re.compile(rf"(?P<year>(?:19|20)\d\d)[-/.](?P<month>\d\d)[-/.](?P<day>\d\d)[T _]{_CLOCK}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAMED = re.compile(rf"\b(?P<name>{'|'.join(_MONTHS)}) +(?P<day>\d{{1,2}}) (?:\d{{4}} )?{_CLOCK}")
_CLOCK_ONLY = re.compile(rf"(?:^|[\[( ]){_CLOCK}(?=[\]) :|,]|$)")
_EPOCH = re.compile(r"^\[?(?P<epoch>1[0-9]{9}(?:\.\d{1,9})?)\b")
_SINCE = re.compile(r"^\[ *(?P<since>\d{1,9}\.\d{3,9})\]")


class LineTime(NamedTuple):
    """Time of a line, comparable with others of the same kind."""

    kind: str
    seconds: float


def line_time(text: str) -> LineTime | None:
    """Return the time at the beginning of a line; None if there is none."""
    start = text[:LOOKED_AT]
    if match := _DATED.search(start):
        return _dated(match, int(match["year"]), int(match["month"]))
    if match := _NAMED.search(start):
        return _dated(match, 2000, _MONTHS.index(match["name"]) + 1)
    if match := _EPOCH.match(start):
        return LineTime("epoch", float(match["epoch"]))
    if match := _SINCE.match(start):
        return LineTime("since", float(match["since"]))
    if match := _CLOCK_ONLY.search(start):
        return LineTime("clock", _of_day(match))
    return None


def seconds_between(before: LineTime | None, after: LineTime | None) -> float:
    """Return the seconds from one line to a later one; 0 if unknown or not later."""
    if before is None or after is None or before.kind != after.kind:
        return 0
    seconds = after.seconds - before.seconds
    if after.kind == "clock":
        seconds = (seconds + _DAY / 2) % _DAY - _DAY / 2  # it may be past midnight
    return max(0, seconds)


def _dated(match: re.Match[str], year: int, month: int) -> LineTime | None:
    day = int(match["day"])
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    return LineTime("dated", calendar.timegm((year, month, day, 0, 0, 0)) + _of_day(match))


def _of_day(match: re.Match[str]) -> float:
    part = float(f"0.{match['part'] or 0}")
    return int(match["hour"]) * 3600 + int(match["minute"]) * 60 + int(match["second"]) + part
