"""Ranges of a log that are masked: kept and named as at most so many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .pieces import Range, union

RANGES_KEPT, RANGES_APART = 500, 1024 * 1024
"""So many masked ranges are kept as they are; further ones that are closer than that are one."""
RANGES_MAX = 2000
"""So many are kept of any log."""
HELD_RANGE_BYTES = 150
"""What a range that was read takes in memory."""


def cover(ranges: Iterable[Sequence[int]], more: Iterable[Range]) -> list[Range]:
    """Masked ranges and further ones, of which a log may have very many, as at most a few."""
    result: list[Range] = []
    for start, stop in union([*((start, stop) for start, stop in ranges), *more]):
        few = len(result) < RANGES_KEPT or start - result[-1][1] >= RANGES_APART
        if len(result) >= RANGES_MAX or not few:
            result[-1] = (result[-1][0], stop)
        else:
            result.append((start, stop))
    return result


def declared(ranges: Iterable[Range]) -> list[Range]:
    """Masked ranges as a record names them, the last of very many as one."""
    result = union(ranges)
    if len(result) > RANGES_MAX:
        result[RANGES_MAX - 1 :] = [(result[RANGES_MAX - 1][0], result[-1][1])]
    return result
