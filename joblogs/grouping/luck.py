"""Merging of hosts that are separate only by chance, because a random value looks like a word.

A random id without a digit is not a slot, so its line has another skeleton. This is found in the
text of a few hosts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .cleaning import cleaned
from .features import LogSample, chosen, digest_of, looked_at
from .line_groups import LineGroup
from .skeletons import SkeletonLine, lines_of_each
from .slot_patterns import SLOT
from .tables import Table, key_of
from .value_groups import HOSTS_MIN

Array = npt.NDArray[Any]

READS_MAX = 60
SAMPLES, PART_SHARE = 3, 0.3
"""Logs read of a group; maximum size of a part, as a share of the usual group, to be chance."""
_SLOT = bytes([SLOT])

Read = Callable[[Sequence[int]], Mapping[int, LogSample]]
"""Function that reads the logs of some rows; missing logs are left out."""


class KeptLine(NamedTuple):
    """Line of a log that has an entry: its key, the line, and the number of its kept slots."""

    key: int
    line: SkeletonLine
    slots: int
    occurrences: int


def kept_lines(logs: Iterable[LogSample]) -> Iterator[list[KeptLine]]:
    """Yield for each log the lines that have their own entries."""
    for lines in lines_of_each(cleaned(looked_at(log.data), log.names) for log in logs):
        digests = [digest_of(line.skeleton) for line in lines]
        counts = Counter(digests)
        kept = chosen(digests, [len(line.slots) for line in lines])
        yield [
            KeptLine(key_of(one.digest, one.nth), lines[one.rows[0]], one.slots, counts[one.digest])
            for one in kept
            if one.nth < 3
        ]


def skeletons_of(logs: Iterable[LogSample]) -> Iterator[set[bytes]]:
    """Yield the skeletons of each log's lines."""
    for lines in lines_of_each(cleaned(looked_at(log.data), log.names) for log in logs):
        yield {line.skeleton for line in lines}


def without_luck(
    table: Table, outcomes: Iterable[list[LineGroup]], read: Read
) -> list[list[LineGroup]]:
    """Return the parts of each outcome; those that exist only by chance are merged into the usual
    part."""
    every = [sorted(parts, key=lambda part: -len(part.hosts)) for parts in outcomes]
    samples: dict[tuple[int, int], list[int]] = {}
    wanted: set[int] = set()
    for number, parts in enumerate(every):
        for place in _candidates(table, parts):
            hosts = parts[place].hosts
            own = hosts[:: max(1, len(hosts) // SAMPLES)][:SAMPLES].tolist()
            if len(wanted | {*own, int(parts[0].hosts[0])}) <= READS_MAX:
                samples[number, place] = own
                wanted |= {*own, int(parts[0].hosts[0])}
    logs = read(sorted(wanted)) if wanted else {}
    lines = dict(zip(logs, kept_lines(logs.values()), strict=True))
    made = []
    for number, parts in enumerate(every):
        kept: list[LineGroup] = []
        for place, part in enumerate(parts):
            own = samples.get((number, place), [])
            if own and all(_is_lucky(table, row, parts[0].hosts, lines) for row in own):
                kept[0] = kept[0]._replace(hosts=np.concatenate([kept[0].hosts, part.hosts]))
            else:
                kept.append(part)
        made.append(kept)
    return made


def _candidates(table: Table, parts: Sequence[LineGroup]) -> Iterable[int]:
    """Yield the small parts that have as many own lines as they lack lines of the usual part."""
    if not parts or len(parts[0].hosts) < HOSTS_MIN:
        return
    usual = _digests(table, int(parts[0].hosts[0]))
    for place, part in enumerate(parts):
        if place and len(part.hosts) <= PART_SHARE * len(parts[0].hosts):
            own = _digests(table, int(part.hosts[0]))
            if own != usual and len(own - usual) == len(usual - own):
                yield place


def _digests(table: Table, row: int) -> set[int]:
    return set(table.entries(np.array([row])).lines.tolist())


def _is_lucky(
    table: Table, row: int, usual: Array, lines: Mapping[int, Sequence[KeptLine]]
) -> bool:
    """Return whether a host's own lines match the usual ones, with words in the place of slots that
    differ on most hosts."""
    theirs, ours = lines.get(row), lines.get(int(usual[0]))
    if theirs is None or ours is None:
        return False
    keys = {one.line.skeleton: one.key for one in ours if not one.key & 3}
    own = {one.line.skeleton for one in theirs if not one.key & 3}
    extra, lacking = own - keys.keys(), sorted(keys.keys() - own)
    if not extra or len(extra) != len(lacking):
        return False
    for skeleton in extra:
        for usual_skeleton in lacking:
            if _fits(table, skeleton, usual_skeleton, keys[usual_skeleton], usual):
                lacking.remove(usual_skeleton)
                break
        else:
            return False
    return True


def _fits(table: Table, skeleton: bytes, usual: bytes, key: int, hosts: Array) -> bool:
    if _SLOT not in usual:
        return False
    written = re.escape(usual).replace(re.escape(_SLOT), _SLOT).replace(_SLOT, rb"([^ =]+?)")
    found = re.fullmatch(written, skeleton)
    return found is not None and all(
        word == _SLOT or is_noise(table, hosts, key, slot)
        for slot, word in enumerate(found.groups(), 1)
    )


def is_noise(table: Table, hosts: Array, key: int, slot: int) -> bool:
    """Return whether a slot differs on most hosts."""
    entries = table.entries(hosts[:: max(1, len(hosts) // 100)])
    has = (entries.keys == key) & (entries.widths > slot)
    values = table.slots(entries.first_slots[has] + slot, 1)
    return len(values) >= HOSTS_MIN and len(np.unique(values)) > 0.5 * len(values)
