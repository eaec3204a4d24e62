"""Report of a stream of records: counts and refusals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from joblogs.choices import Role
from joblogs.logtext.pieces import Verdict

LISTED = 500
"""Most refused records that a report lists; `refused_total` counts all of them."""
NAMED = 20
"""Most jobs that a report names."""

JobKey = tuple[str, str, int]
"""Scope type, scope id and number of a job."""


class Reason(StrEnum):
    """Choices of the reason of a refused record (docs/records.md, What comes back)."""

    INVALID = "invalid"
    UNKNOWN_PARENT = "unknown_parent"
    AMBIGUOUS = "ambiguous"
    GAP = "gap"
    CONFLICT = "conflict"
    EXPIRED = "expired"
    FORBIDDEN = "forbidden"
    TOO_LARGE = "too_large"


REASONS = {Verdict.GAP: Reason.GAP, Verdict.CONFLICT: Reason.CONFLICT}
"""Reasons of verdicts for which a piece is refused."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused record. `log` identifies the log of a refused piece."""

    line: int
    type: str | None
    reason: Reason
    message: str
    expected_offset: int | None = None
    log: tuple[object, ...] | None = None
    cut: bool = False  # the stream was cut here, if this is its last line


@dataclass(slots=True)
class Outcome:
    """Outcome of some records, added to the report once their transaction is committed."""

    accepted: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)
    size: int = 0  # of the lines that were read
    jobs: list[JobKey] = field(default_factory=list)  # of the job records that were not refused

    def count(self, *, changed: bool) -> None:
        """Count a record as accepted if it changed anything, else as a duplicate."""
        if changed:
            self.accepted += 1
        else:
            self.duplicates += 1


@dataclass(slots=True)
class Report:
    """Report of a whole stream: accepted + duplicates + refused_total = its records."""

    accepted: int = 0
    duplicates: int = 0
    refused_total: int = 0
    refused: list[Refused] = field(default_factory=list)
    jobs: list[JobKey] = field(default_factory=list)
    _logs: set[tuple[object, ...]] = field(default_factory=set)

    @property
    def total(self) -> int:
        """Number of records so far, without the `archive` line."""
        return self.accepted + self.duplicates + self.refused_total

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Add the outcomes of one batch; only the first refusals are listed, by line.

        Only the first refused piece of a log is listed: after a missing piece all later ones are
        refused too.
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
"""Message for a refused record that states a finish."""


def expired_message(job: int) -> str:
    """Return the message for a refused piece of a job whose logs have expired."""
    return f"the logs of job {job} have expired"


def unknown_result(step: int, place: tuple[int, int, int, int]) -> str:
    """Return the message for a refused log without a host result; `place` identifies the result."""
    host, count, batch, role = place
    return (
        f"host {host} has no {Role(role).name.lower()} host_result in step {step} "
        f"(execute_count {count}, batch {batch})"
    )


def refused_piece(
    line: int, type_name: str, reason: Reason | None, expected: int, log: tuple[object, ...]
) -> Refused:
    """Return the refusal of a piece, with the offset at which its producer should continue.

    Without a reason, the stored bytes to compare with cannot be read.
    """
    message = f"the log holds other bytes here; offset {expected} is expected"
    if reason is None:
        message = f"what the log holds here cannot be read; offset {expected} is expected"
    elif reason is Reason.GAP:
        message = f"bytes before this piece are missing; offset {expected} is expected"
    return Refused(line, type_name, reason or Reason.CONFLICT, message, expected, log)
