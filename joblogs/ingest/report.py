"""What became of a stream of records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from joblogs.choices import Role
from joblogs.logtext.pieces import Verdict

LISTED = 500
"""Refused records that a report lists; `refused_total` counts all of them."""
NAMED = 20
"""Jobs that a report names."""

JobKey = tuple[str, str, int]
"""Scope type and id of a job, and its number."""


class Reason(StrEnum):
    """Why a record was refused (docs/records.md, What comes back)."""

    INVALID = "invalid"
    UNKNOWN_PARENT = "unknown_parent"
    AMBIGUOUS = "ambiguous"
    GAP = "gap"
    CONFLICT = "conflict"
    EXPIRED = "expired"
    FORBIDDEN = "forbidden"
    TOO_LARGE = "too_large"


REASONS = {Verdict.GAP: Reason.GAP, Verdict.CONFLICT: Reason.CONFLICT}
"""Why a piece with that verdict is refused; with any other it is not."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One refused record. `log` names the log that a refused piece belongs to."""

    line: int
    type: str | None
    reason: Reason
    message: str
    expected_offset: int | None = None
    log: tuple[object, ...] | None = None
    cut: bool = False  # the stream ends here before it is whole, if this is its last line


@dataclass(slots=True)
class Outcome:
    """What became of some records; kept apart until their transaction is committed."""

    accepted: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)
    size: int = 0  # of the lines that were read
    jobs: list[JobKey] = field(default_factory=list)  # of the job records that were not refused

    def count(self, *, changed: bool) -> None:
        """A record that was read: accepted if it changed anything, else a duplicate."""
        if changed:
            self.accepted += 1
        else:
            self.duplicates += 1


@dataclass(slots=True)
class Report:
    """What became of a whole stream. accepted + duplicates + refused_total = its records."""

    accepted: int = 0
    duplicates: int = 0
    refused_total: int = 0
    refused: list[Refused] = field(default_factory=list)
    jobs: list[JobKey] = field(default_factory=list)
    _logs: set[tuple[object, ...]] = field(default_factory=set)

    @property
    def total(self) -> int:
        """Records read so far, the `archive` line not counted."""
        return self.accepted + self.duplicates + self.refused_total

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take in what became of one batch: its refusals are listed by line, the first ones only.

        After the first refused piece of a log its further ones are counted, not listed: a producer
        that missed one piece would else hear of each that followed.
        """
        refused: list[Refused] = []
        for outcome in outcomes:
            self.accepted += outcome.accepted
            self.duplicates += outcome.duplicates
            refused += outcome.refused
            for key in outcome.jobs:
                if len(self.jobs) < NAMED and key not in self.jobs:
                    self.jobs.append(key)
        self.refused_total += len(refused)
        for entry in sorted(refused, key=lambda entry: entry.line):
            if len(self.refused) == LISTED:
                break
            if entry.log is not None:
                if entry.log in self._logs:
                    continue
                self._logs.add(entry.log)
            self.refused.append(entry)
        self.refused.sort(key=lambda entry: entry.line)


CUT_MESSAGE = "the stream was cut before all of it was here: send it again"
"""Why a record that says that something has finished is refused."""


def expired_message(job: int) -> str:
    """Why a piece for a job whose logs are gone is refused."""
    return f"the logs of job {job} have expired"


def unknown_result(step: int, place: tuple[int, int, int, int]) -> str:
    """Why a log is refused whose host result nobody sent; `place` as ingest keeps it."""
    host, count, batch, role = place
    return (
        f"host {host} has no {Role(role).name.lower()} host_result in step {step} "
        f"(execute_count {count}, batch {batch})"
    )


def refused_piece(
    line: int, type_name: str, reason: Reason | None, expected: int, log: tuple[object, ...]
) -> Refused:
    """A refused piece of a log, and what its producer should do; without a reason: what the log
    holds there cannot be read."""
    message = f"the log holds other bytes here; offset {expected} is expected"
    if reason is None:
        message = f"what the log holds here cannot be read; offset {expected} is expected"
    elif reason is Reason.GAP:
        message = f"bytes before this piece are missing; offset {expected} is expected"
    return Refused(line, type_name, reason or Reason.CONFLICT, message, expected, log)
