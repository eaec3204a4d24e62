"""Search in the logs of a step, within a budget; it reports if it ends early."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from joblogs import query
from joblogs.choices import StepType
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.utf16_streams import recoded_parts, without_utf16
from joblogs.models import StepInstance
from joblogs.object_store import ObjectUnreachable
from joblogs.query import StepHost

from .blocks import blocks
from .finder import SHOWN_LINE_BYTES, Finder, Hits, Shown
from .patterns import Pattern
from .readings import is_found

LOST_STEPS = 20
"""Maximum steps with unreadable logs that a search over history names."""


@dataclass(slots=True)
class Budget:
    """Limits of a search in seconds and bytes; 0 means no limit."""

    seconds: float = 0
    size: int = 0


@dataclass(slots=True)
class Search:
    """Search to be iterated once; afterwards it has its progress."""

    step: StepInstance
    hosts: list[StepHost]
    pattern: Pattern
    context: int = 0
    shown: int = 10
    """Maximum hits of a log whose lines are returned; all hits are counted."""
    line_bytes: int = SHOWN_LINE_BYTES
    """Maximum bytes of a line in a hit."""
    budget: Budget = field(default_factory=Budget)
    searched_logs: int = 0
    searched_bytes: int = 0
    """Stored bytes that were read for the search."""
    stopped: str = ""
    """Why it ended early: `time` or `size`; empty if it did not."""
    stopped_at: StepHost | None = None
    """Host in whose log it ended early."""
    what_is_there: bool = False
    """Whether to skip logs that cannot be read now, instead of raising an error."""
    lost: list[StepHost] = field(default_factory=list)
    """Hosts whose logs were skipped."""
    out_of_reach: ObjectUnreachable | None = None
    """Error because of which some of them may be readable later."""
    _done: int = 0

    def __iter__(self) -> Iterator[Hits]:
        """Yield the hits of each log that has any, in the order of the hosts.

        Raises Unreadable, unless `what_is_there`.
        """
        started, left = time.monotonic(), list(self.hosts)
        while True:
            try:
                yield from self._search(left, started)
                return
            except Unreadable as error:
                left = left[self._done :]
                gone = self._unreadable(left, error) if self.what_is_there else []
                if not gone:
                    raise
                self.lost += gone
                keys = {host.bk_host_id for host in gone}
                left = [host for host in left if host.bk_host_id not in keys]

    def _unreadable(self, left: list[StepHost], error: Unreadable) -> list[StepHost]:
        if isinstance(error, ObjectUnreachable):
            self.out_of_reach = error
            return query.out_of_reach(self.step, left, error)
        return left[:1]  # the next log to read: it is damaged, or was removed meanwhile

    def _search(self, hosts: list[StepHost], started: float) -> Iterator[Hits]:
        self._done = 0
        shown = Shown(self.context, self.shown, self.line_bytes)
        for host, label, parts in logs_of(self.step, hosts):
            hits = Hits(host, label)
            is_utf16, parts = recoded_parts(self._counted(parts))
            finder = Finder(hits, self.pattern, shown, is_recoded=is_utf16)
            for block in blocks(parts):
                finder.search(block)
                if self._exceeded(started):
                    self.stopped_at = host
                    break
            if hits.count:
                yield hits
            if self.stopped:
                return
            self.searched_logs += 1
            self._done += 1

    def _counted(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        for part in parts:
            self.searched_bytes += len(part)
            yield part

    def _exceeded(self, started: float) -> bool:
        if self.budget.seconds and time.monotonic() - started > self.budget.seconds:
            self.stopped = "time"
        elif self.budget.size and self.searched_bytes > self.budget.size:
            self.stopped = "size"
        return bool(self.stopped)


def logs_of(
    step: StepInstance, hosts: list[StepHost]
) -> Iterator[tuple[StepHost, str, Iterable[bytes]]]:
    """Yield the logs of these hosts for a search: host, path (of a file step) and parts."""
    if step.step_type == StepType.FILE:
        for host, files in query.file_logs(step, hosts):
            for file in files:
                yield host, file.dest_path or file.src_path, [bytes(file.content)]
    else:
        for host, parts in query.script_logs(step, hosts):
            yield host, "", parts


def occurs(pattern: Pattern, parts: Iterable[bytes]) -> bool:
    """Return whether a pattern matches in a log given in parts."""
    return any(is_found(pattern, block.data) for block in blocks(without_utf16(parts)))
