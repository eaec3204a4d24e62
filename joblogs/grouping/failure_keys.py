"""Keys of failures, which are equal for the same failure on other hosts and other days."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .features import VERSION
from .line_forms import TROUBLE
from .tables import Table

Array = npt.NDArray[Any]

RULES = 4
"""Version of the rules: increase it if the same hosts get another key. Keys of different versions
are never equal."""
KEY_BYTES = 16


def failure_key(status: int, exit_code: int | None, lines: Collection[int]) -> bytes:
    """Return the key of a failure: a hash of its status, exit code and the hashes of its lines."""
    what = (RULES, VERSION, status, exit_code, sorted(lines))
    return hashlib.sha256(repr(what).encode()).digest()[:KEY_BYTES]


def telling_lines(table: Table, rows: Array, of_successes: Collection[int]) -> frozenset[int]:
    """Return the hashes of the lines that say why these hosts of a table failed: lines of all of
    them that no success printed, otherwise the last line of most of them.

    A line that only some of them have (a list of packages, a name) says nothing about the failure,
    and would be different on another day.
    """
    if not len(rows):
        return frozenset()
    if of_successes:
        entries = table.entries(rows)
        pairs = np.unique(entries.hosts.astype(np.int64) << 32 | entries.lines)
        lines, counts = np.unique(pairs & 0xFFFFFFFF, return_counts=True)
        everywhere = set(lines[counts == len(rows)].tolist())
        if own := everywhere.difference(of_successes):
            forms = dict(zip(entries.lines.tolist(), entries.forms.tolist(), strict=True))
            return _message_hashes(table, own, forms) or _common_hashes(table, own)
    lasts = Counter(table.lasts[rows].tolist())
    last = [max(lasts, key=lambda line: (lasts[line], line))]
    return _message_hashes(table, last, {}) or _common_hashes(table, last)


def _message_hashes(table: Table, lines: Iterable[int], forms: Mapping[int, int]) -> frozenset[int]:
    """Return the hashes of lines without the names in them, excluding those of successes.

    If some of the lines report trouble, only these are used.
    """
    words = {line: table.plain.get(line, 0) for line in lines}
    own = {line: one for line, one in words.items() if one not in table.plain_of_successes}
    trouble = {one for line, one in own.items() if forms.get(line, 0) & TROUBLE}
    return frozenset(trouble or own.values()) - {0}


def _common_hashes(table: Table, lines: Iterable[int]) -> frozenset[int]:
    """Return the hashes of lines, independent of words that vary."""
    in_common = {line: one.digest for one in table.words for line in one.values}
    return frozenset(in_common.get(line, line) for line in lines)
