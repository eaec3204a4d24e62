"""Parameters of a search over history: the text, the jobs, and where to continue."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import NamedTuple

from joblogs import times
from joblogs.choices import Outcome
from joblogs.signatures import PatternPlaces
from joblogs.signed_parts import FIRST_HOST

from .patterns import Pattern

SPAN_DAYS_MAX = 400
_CURSOR = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.(\d{1,18})\.(\d{1,18})\.(\d{1,19}))?", re.ASCII)


def first_day(until: datetime.date, days: int) -> datetime.date:
    """Return the first day of a span of `days` days that ends with `until`, not before year 1."""
    return datetime.date.fromordinal(max(1, until.toordinal() - days + 1))


class TooWide(ValueError):
    """A question covers more than one day, any host and any job, and signatures cannot help."""


class Cursor(NamedTuple):
    """Place at which a search continues: a day, a job's creation time, a step's key and a host."""

    day: datetime.date
    create_time: int | None = None
    step: int = 0
    host: int = FIRST_HOST

    def __str__(self) -> str:
        if self.create_time is None:
            return f"{self.day}"
        return f"{self.day}.{self.create_time}.{self.step}.{self.host}"

    @classmethod
    def of(cls, text: str) -> Cursor:
        """Return the cursor for a text. Raises ValueError."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise ValueError(text)
        day = times.day(match[1])
        return cls(day) if match[2] is None else cls(day, *map(int, match.group(2, 3, 4)))


@dataclass(frozen=True, kw_only=True)
class Question:
    """Question of a search: the text, and the jobs, created on UTC days from `since` to `until`."""

    text: str
    regex: bool = False
    ignore_case: bool = True
    since: datetime.date
    until: datetime.date
    name: str | None = None
    """Part of the job's name."""
    host: str | None = None
    """Name or address of a host at run time, or its id."""
    outcome: Outcome | None = None
    """Outcome of the hosts to search."""

    def parsed(self) -> tuple[Pattern, PatternPlaces]:
        """Return the pattern and its places in signatures. Raises InvalidPattern or TooWide."""
        pattern = Pattern.of(self.text, regex=self.regex, ignore_case=self.ignore_case)
        places = PatternPlaces.of(self.text, regex=self.regex, ignore_case=self.ignore_case)
        if not (places.needs or self.name or self.host or self.since == self.until):
            raise TooWide
        return pattern, places
