"""Alignment of the lines of two texts.

It is the exact longest common subsequence by Hyyrö's bit-vector method: a row of the table is one
integer, so comparing 20,000 lines with 20,000 takes a fraction of a second for any texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

Pair = tuple[int | None, int | None]

ALIKE = 0.5
"""Minimum likeness of two lines to be shown as versions of the same line."""
_CELLS_MAX = 10_000
"""Maximum pairs of lines in a gap for all of them to be compared."""
_WORDS_MAX = 100
_WORD = re.compile(rb"[0-9A-Za-z_\x80-\xff]+")


def common_lines(a: Sequence[bytes], b: Sequence[bytes]) -> list[tuple[int, int]]:
    """Return the index pairs of a longest common subsequence, ascending."""
    start = 0
    shorter = min(len(a), len(b))
    while start < shorter and a[start] == b[start]:
        start += 1
    end = 0
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    both = set(a[start : len(a) - end]) & set(b[start : len(b) - end])
    left = [i for i in range(start, len(a) - end) if a[i] in both]
    right = [j for j in range(start, len(b) - end) if b[j] in both]
    inner = _longest([a[i] for i in left], [b[j] for j in right])
    pairs = [(i, i) for i in range(start)]
    pairs += [(left[i], right[j]) for i, j in inner]
    pairs += [(len(a) - end + k, len(b) - end + k) for k in range(end)]
    return pairs


def _longest(a: Sequence[bytes], b: Sequence[bytes]) -> list[tuple[int, int]]:
    places: dict[bytes, int] = {}
    for j, line in enumerate(b):
        places[line] = places.get(line, 0) | 1 << j
    full = (1 << len(b)) - 1
    row, rows = full, []
    for line in a:
        hits = row & places[line]
        row = ((row + hits) | (row - hits)) & full
        rows.append(row)
    # A zero bit marks a place where the common subsequence grows: walk back along these.
    pairs = []
    i, j = len(a), len(b)
    while i and j:
        if rows[i - 1] >> (j - 1) & 1:
            j -= 1
            continue
        i -= 1
        if not i or rows[i - 1] >> (j - 1) & 1:
            j -= 1
            pairs.append((i, j))
    pairs.reverse()
    return pairs


def pair_up(a: Sequence[bytes], b: Sequence[bytes]) -> list[Pair]:
    """Return pairs of similar lines from the same gap of two texts, in order.

    No line of `a` may equal a line of `b`. A line without a partner is paired with None.
    """
    if not a or not b:
        return [(i, None) for i in range(len(a))] + [(None, j) for j in range(len(b))]
    words_a, words_b = [_words(line) for line in a], [_words(line) for line in b]
    if len(a) * len(b) > _CELLS_MAX:
        near = min(len(a), len(b))
        matched = [(k, k) for k in range(near) if _likeness(words_a[k], words_b[k]) >= ALIKE]
    else:
        matched = _best(words_a, words_b)
    result: list[Pair] = []
    i = j = 0
    for m, n in [*matched, (len(a), len(b))]:
        result += [(k, None) for k in range(i, m)]
        result += [(None, k) for k in range(j, n)]
        if m < len(a) and n < len(b):
            result.append((m, n))
        i, j = m + 1, n + 1
    return result


def _best(a: Sequence[Counter[bytes]], b: Sequence[Counter[bytes]]) -> list[tuple[int, int]]:
    """Return the pairs, in order, with the highest total likeness."""
    like = [[_likeness(x, y) for y in b] for x in a]
    best = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1])
            if like[i][j] >= ALIKE:
                best[i][j] = max(best[i][j], like[i][j] + best[i + 1][j + 1])
    pairs = []
    i = j = 0
    while i < len(a) and j < len(b):
        if like[i][j] >= ALIKE and best[i][j] == like[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _words(line: bytes) -> Counter[bytes]:
    return Counter(_WORD.findall(line[:4096])[:_WORDS_MAX])


def _likeness(a: Counter[bytes], b: Counter[bytes]) -> float:
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0
