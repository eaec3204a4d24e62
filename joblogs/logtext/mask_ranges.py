"""Masked ranges of a log, limited in number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .pieces import Range, union

RANGES_KEPT, RANGES_APART = 500, 1024 * 1024
"""Masked ranges kept exactly; further ones that are less than RANGES_APART bytes apart are
merged."""
RANGES_MAX = 2000
"""Maximum masked ranges of a log."""
HELD_RANGE_BYTES = 150
"""Memory taken by a range, in bytes."""


def cover(ranges: Iterable[Sequence[int]], more: Iterable[Range]) -> list[Range]:
    """Return masked ranges and further ones merged into at most RANGES_MAX."""
    result: list[Range] = []
    for start, stop in union([*((start, stop) for start, stop in ranges), *more]):
        few = len(result) < RANGES_KEPT or start - result[-1][1] >= RANGES_APART
        if len(result) >= RANGES_MAX or not few:
            result[-1] = (result[-1][0], stop)
        else:
            result.append((start, stop))
    return result


def declared(ranges: Iterable[Range]) -> list[Range]:
    """Return a record's masked ranges; the last ones are merged if they exceed RANGES_MAX."""
    result = union(ranges)
    if len(result) > RANGES_MAX:
        result[RANGES_MAX - 1 :] = [(result[RANGES_MAX - 1][0], result[-1][1])]
    return result
