"""In which words the hosts of a group differ, and which lines of its hosts come and go: the groups
leave both aside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from os.path import commonprefix
from typing import NamedTuple

import numpy as np

from joblogs.grouping.line_shares import MISSING, RARE
from joblogs.grouping.words import Alike
from joblogs.query import StepHost

from .groups import StepGroup, StepGroups
from .labels import cut_at_character
from .lines import ShownLine, shown_line
from .texts import HostText
from .values import VALUE_BYTES, Value

WORDS_SHOWN, VALUES_SHOWN, LINES_SHOWN = 3, 6, 3
_BORDER = re.compile(rb"[^A-Za-z\x80-\xff]")
_LETTER = re.compile(rb"[A-Za-z\x80-\xff]")
_MARKS = b" \t:=,;.'\"`()[]{}<>-_~"
_MARKS_BEYOND_ASCII = tuple(mark.encode() for mark in "：，；。、（）「」“”")


class VaryingWord(NamedTuple):
    """A word in which the hosts of a group differ."""

    before: bytes
    """The word before it; empty if there is none."""
    values: list[Value]
    """What the most hosts have."""
    more: int
    """Further values."""


class LooseLine(NamedTuple):
    """A line that some hosts of a group have and others have not; where it is on one that has."""

    digest: int
    host: StepHost
    hosts: int


class ShownLooseLine(NamedTuple):
    """The same as it is written."""

    line: ShownLine
    hosts: int


def varying_words(made: StepGroups, group: StepGroup) -> list[VaryingWord]:
    """The words in which hosts that failed alike differ, of lines that no success printed."""
    if len(group.rows) < 2 or not made.table.words:
        return []
    entries = made.table.entries(group.rows)
    counts = Counter(entries.pairs[0].tolist())
    shown: dict[tuple[tuple[bytes, int], ...], VaryingWord] = {}
    for one in made.table.words:
        values = _values(one, counts)
        if len(values) > 1 and made.lines_of_successes.isdisjoint(one.values):
            common = values.most_common()
            word = VaryingWord(
                _trimmed(one.before),
                [Value(value, hosts) for value, hosts in common[:VALUES_SHOWN]],
                len(common[VALUES_SHOWN:]),
            )
            shown.setdefault(tuple(sorted(values.items())), word)
    return list(shown.values())[:WORDS_SHOWN]


def _values(one: Alike, counts: Mapping[int, int]) -> Counter[bytes]:
    """What the hosts have there, without what all of them have at both ends, and on how many."""
    hosts: Counter[bytes] = Counter()
    for digest, word in one.values.items():
        if digest in counts:
            hosts[word] += counts[digest]
    words = list(hosts)
    begin, end = _shared(words), _shared([word[::-1] for word in words])
    values: Counter[bytes] = Counter()
    for word, many in hosts.items():
        if value := _trimmed(word[begin : max(begin, len(word) - end)]):
            values[cut_at_character(value, VALUE_BYTES)] += many
    return values


def _shared(words: Sequence[bytes]) -> int:
    """How many bytes, up to a border of words, all words begin with; nothing of a word alone."""
    shared = (commonprefix(words) or b"") if len(words) > 1 else b""
    return max((found.end() for found in _BORDER.finditer(shared)), default=0)


def _trimmed(word: bytes) -> bytes:
    """A word without marks around it; a value in it that has a digit is an ellipsis."""
    word = word.strip(_MARKS)
    for mark in _MARKS_BEYOND_ASCII:
        word = word.removesuffix(mark).rpartition(mark)[2] if mark in word else word
    shown = word.replace(b"\x01", "…".encode()).replace(b"\x02", b"")
    return shown if _LETTER.search(shown.replace("…".encode(), b"")) else b""


def loose_lines(made: StepGroups, group: StepGroup) -> list[LooseLine]:
    """The lines that come and go among the hosts of a group, those nearest to one half first."""
    size = len(group.rows)
    if size < 2:
        return []
    entries = made.table.raw.entries(group.rows)
    digests, hosts = entries.pairs
    lines, first, counts = np.unique(digests, return_index=True, return_counts=True)
    loose = np.flatnonzero((counts > RARE * size) & (counts < (1 - MISSING) * size))
    order = loose[np.argsort(np.abs(counts[loose] * 2 - size), kind="stable")][:LINES_SHOWN]
    return [
        LooseLine(int(lines[at]), made.hosts[group.rows[hosts[first[at]]]], int(counts[at]))
        for at in order
    ]


def shown_loose_lines(
    lines: list[LooseLine], texts: Mapping[int, HostText]
) -> Iterator[ShownLooseLine]:
    """The lines as they are written, of those whose host was read."""
    for one in lines:
        text = texts.get(one.host.bk_host_id)
        rows = (
            [
                line.number
                for line, digest in zip(text.lines, text.digests, strict=True)
                if digest == one.digest
            ]
            if text
            else []
        )
        if text and rows:
            yield ShownLooseLine(shown_line(text, rows[0]), one.hosts)
