"""Logs of some hosts of a step, read to show their lines: whole logs, or both ends of long ones."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

from joblogs import query
from joblogs.choices import HOST_SUCCEEDED
from joblogs.grouping.cleaning import cleaned, origins
from joblogs.grouping.features import chosen, digest_of
from joblogs.grouping.skeletons import SkeletonLine, lines_of_each
from joblogs.grouping.tables import key_of
from joblogs.grouping.value_groups import Place
from joblogs.models import StepInstance
from joblogs.query import Lost, Range, StepHost
from joblogs.query.log_reader import newline_counts

WHOLE_BYTES, HEAD_BYTES, TAIL_BYTES = 128 * 1024, 64 * 1024, 64 * 1024
"""A log up to WHOLE_BYTES is read completely; of a longer one, head and tail are read."""
BRIEF_BYTES, BRIEF_SUCCESS_BYTES = 16 * 1024, 4 * 1024
"""Bytes read at the end of a log of which one line is shown; fewer if its host succeeded."""


class HostText:
    """Text that was read of a host's log."""

    lines: list[SkeletonLine]
    """Lines that are not empty; their numbers are rows of `raw`. `_with_lines` sets them."""

    def __init__(self, host: StepHost, head: bytes, tail: bytes = b"", newlines: int = 0) -> None:
        """`tail` is the log's end if it was read separately; `newlines` are then the log's."""
        self.host, self.names = host, host.newest.own_names
        self.size = len(head) + len(tail)
        self.is_whole = not tail and len(head) >= host.size
        if not self.is_whole:
            head = head[: head.rfind(b"\n") + 1] or head
        # A last line that is longer than the tail is kept in part, as there is nothing else.
        tail = tail[tail.find(b"\n", 0, -1) + 1 :]
        self.text = cleaned(head + tail, self.names)
        self.raw = (head + tail).removesuffix(b"\n").split(b"\n") if head or tail else []
        self._tail_row = head.count(b"\n") if tail else len(self.raw)
        last_line = newlines + (not tail.endswith(b"\n"))
        self._shift = last_line - len(self.raw) if tail else 0

    def number(self, row: int) -> int:
        """Return the number of a line in the log, from 1."""
        return row + 1 + (self._shift if row >= self._tail_row else 0)

    @cached_property
    def _by_row(self) -> dict[int, tuple[int, SkeletonLine]]:
        """Lines by row, each with its offset in the cleaned text."""
        sizes = (len(row) + 1 for row in self.text.split(b"\n"))
        begins = list(itertools.accumulate(sizes, initial=0))
        return {line.number: (begins[line.number], line) for line in self.lines}

    @cached_property
    def digests(self) -> list[int]:
        """Hashes of the skeletons of `lines`."""
        return [digest_of(line.skeleton) for line in self.lines]

    @cached_property
    def counts(self) -> Counter[int]:
        """Number of lines by hash."""
        return Counter(self.digests)

    @cached_property
    def rows_of(self) -> dict[int, list[int]]:
        """Rows of the lines of each entry, by its key."""
        kept = chosen(self.digests, [len(line.slots) for line in self.lines])
        return {
            key_of(one.digest, one.nth): [self.lines[row].number for row in one.rows]
            for one in kept
        }

    def slots(self, row: int) -> list[tuple[int, int]]:
        """Return the ranges of the slots in a line."""
        if row not in self._by_row:
            return []
        begin, line = self._by_row[row]
        _, places = origins(self.raw[row], self.names)
        return [(places[start - begin], places[end - begin]) for start, end in line.slots]

    def values(self, place: Place) -> list[tuple[int, int, bytes]]:
        """Return the values in a place: row, place in the line, and bytes.

        There is at most one, except for the record of lines that occur often.
        """
        slot = place.slot - (place.line & 3 == 0)
        found = []
        for row in self.rows_of.get(place.line, ()) if slot >= 0 else ():
            spans = self.slots(row)
            if slot < len(spans):
                start, end = spans[slot]
                found.append((row, start, self.raw[row][start:end].strip()))
        return found

    def occurrences(self, place: Place) -> int:
        """Return how often the line of a place occurs."""
        return self.counts[place.line >> 2]


def texts_of(
    step: StepInstance, hosts: Iterable[StepHost], lost: Lost | None = None
) -> dict[int, HostText]:
    """Return the log of each host, or both ends of it, by host id.

    Hosts whose logs cannot be read now are added to `lost`; raises Unreadable without it.
    """
    every = list({host.bk_host_id: host for host in hosts if host.size}.values())
    long = [host for host in every if host.size > WHOLE_BYTES]
    whole = [host for host in every if host.size <= WHOLE_BYTES]
    heads = _read(step, whole, Range(0, WHOLE_BYTES), lost)
    heads |= _read(step, long, Range(0, HEAD_BYTES), lost)
    tails = _read(step, long, Range(tail=TAIL_BYTES), lost)
    every = [host for host in every if host.bk_host_id not in (lost.hosts if lost else ())]
    newlines = newline_counts(long)
    return _with_lines(
        HostText(
            host,
            heads[host.bk_host_id],
            tails.get(host.bk_host_id, b""),
            newlines.get(host.bk_host_id, 0),
        )
        for host in every
    )


def ends_of(
    step: StepInstance, hosts: Sequence[StepHost], lost: Lost | None = None
) -> dict[int, HostText]:
    """Return the last lines of each host's log by host id; their numbers have no meaning.

    Hosts whose logs cannot be read now are added to `lost`; raises Unreadable without it.
    """
    read = _read(step, [host for host in hosts if host.size], Range(tail=BRIEF_BYTES), lost)
    made = []
    for host in hosts:
        if host.bk_host_id in (lost.hosts if lost else ()):
            continue
        most = BRIEF_SUCCESS_BYTES if host.status in HOST_SUCCEEDED else BRIEF_BYTES
        data = read.get(host.bk_host_id, b"")[-most:]
        whole = len(data) >= host.size
        made.append(HostText(host, data) if whole else HostText(host, b"", data))
    return _with_lines(made)


def _with_lines(texts: Iterable[HostText]) -> dict[int, HostText]:
    """Return the texts by host id, after setting their lines, which are computed together."""
    made = {text.host.bk_host_id: text for text in texts}
    for text, lines in zip(
        made.values(), lines_of_each(text.text for text in made.values()), strict=True
    ):
        text.lines = lines
    return made


def _read(
    step: StepInstance, hosts: Sequence[StepHost], part: Range, lost: Lost | None
) -> dict[int, bytes]:
    def read(some: Sequence[StepHost]) -> dict[int, bytes]:
        parts_of = query.script_range(step, some, part) if some else ()
        return {host.bk_host_id: b"".join(parts) for host, _, parts in parts_of}

    if lost is None:
        return read(hosts)
    return query.read_what_is_there(step, hosts, read, lost)
