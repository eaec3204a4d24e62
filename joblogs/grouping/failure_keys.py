"""Keys of failures: what one has in common with the same one on other hosts, on another day."""

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
"""To be raised when the same hosts have another key: keys of other rules are never equal."""
KEY_BYTES = 16


def failure_key(status: int, exit_code: int | None, lines: Collection[int]) -> bytes:
    """Key of a failure: of its status, its exit code and the hashes of the lines that tell it."""
    what = (RULES, VERSION, status, exit_code, sorted(lines))
    return hashlib.sha256(repr(what).encode()).digest()[:KEY_BYTES]


def telling_lines(table: Table, rows: Array, of_successes: Collection[int]) -> frozenset[int]:
    """Hashes of the lines that tell why these hosts of a table failed: those of all of them that no
    success printed, else the one that most of them ended with.

    A line that only some of them have (a list of packages, a name) tells nothing of the failure,
    and would be another one on the next day.
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
            return _plainly(table, own, forms) or _whatever_words(table, own)
    lasts = Counter(table.lasts[rows].tolist())
    last = [max(lasts, key=lambda line: (lasts[line], line))]
    return _plainly(table, last, {}) or _whatever_words(table, last)


def _plainly(table: Table, lines: Iterable[int], forms: Mapping[int, int]) -> frozenset[int]:
    """Hashes of what lines say whatever names they hold, of those that tell of trouble if there are
    such; without what successes say too."""
    words = {line: table.plain.get(line, 0) for line in lines}
    own = {line: one for line, one in words.items() if one not in table.plain_of_successes}
    trouble = {one for line, one in own.items() if forms.get(line, 0) & TROUBLE}
    return frozenset(trouble or own.values()) - {0}


def _whatever_words(table: Table, lines: Iterable[int]) -> frozenset[int]:
    """Hashes of lines, of those with words that vary one that does not tell which these are."""
    in_common = {line: one.digest for one in table.words for line in one.values}
    return frozenset(in_common.get(line, line) for line in lines)
