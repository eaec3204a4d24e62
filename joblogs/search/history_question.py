"""Parameters of a search over history: the text, the jobs, and where to continue."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.crypto import salted_hmac

from joblogs import times
from joblogs.choices import Outcome
from joblogs.signatures import PatternPlaces
from joblogs.signed_parts import FIRST_HOST

from .patterns import Pattern

SPAN_DAYS_MAX = 400
_CURSOR = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.(\d{1,18})\.([0-9a-f]{16})\.(\d{1,19}))?", re.ASCII)


def first_day(until: datetime.date, days: int) -> datetime.date:
    """Return the first day of a span of `days` days that ends with `until`, not before year 1."""
    return datetime.date.fromordinal(max(1, until.toordinal() - days + 1))


class TooWide(ValueError):
    """A question covers more than one day, any host and any job, and signatures cannot help."""


class Cursor(NamedTuple):
    """Place at which a search continues: a day, a job's creation time, a step and a host.

    It only narrows a search that its reader may do, so that it needs no signature. The step is
    given by its mark, since keys of the database count the steps of all scopes."""

    day: datetime.date
    create_time: int | None = None
    step: str = ""
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
        if match[2] is None:
            return cls(day)
        return cls(day, int(match[2]), match[3], int(match[4]))

    def is_at(self, create_time: int, step: int) -> bool:
        """Return whether the cursor is at a step, given by its key."""
        return create_time == self.create_time and self.step == step_mark(step)


def step_mark(step: int) -> str:
    """Return the mark of a step for cursors: a digest of its key, keyed by SECRET_KEY."""
    return salted_hmac("joblogs.search.history", f"{step}", algorithm="sha256").hexdigest()[:16]


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
