"""Words in which the hosts of a group differ, and lines that only some of them have; groups ignore
both."""

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
    """Word in which the hosts of a group differ."""

    before: bytes
    """Word before it; empty if there is none."""
    values: list[Value]
    """The most common values."""
    more: int
    """Number of further values."""


class LooseLine(NamedTuple):
    """Line that only some hosts of a group have, and one of these hosts."""

    digest: int
    host: StepHost
    hosts: int


class ShownLooseLine(NamedTuple):
    """Line that only some hosts of a group have, with its text."""

    line: ShownLine
    hosts: int


def varying_words(step_groups: StepGroups, group: StepGroup) -> list[VaryingWord]:
    """Return the words in which the hosts of a failing group differ, in lines that no success
    printed."""
    if len(group.rows) < 2 or not step_groups.table.words:
        return []
    entries = step_groups.table.entries(group.rows)
    counts = Counter(entries.pairs[0].tolist())
    shown: dict[tuple[tuple[bytes, int], ...], VaryingWord] = {}
    for one in step_groups.table.words:
        values = _values(one, counts)
        if len(values) > 1 and step_groups.lines_of_successes.isdisjoint(one.values):
            common = values.most_common()
            word = VaryingWord(
                _trimmed(one.before),
                [Value(value, hosts) for value, hosts in common[:VALUES_SHOWN]],
                len(common[VALUES_SHOWN:]),
            )
            shown.setdefault(tuple(sorted(values.items())), word)
    return list(shown.values())[:WORDS_SHOWN]


def _values(one: Alike, counts: Mapping[int, int]) -> Counter[bytes]:
    """Return the hosts' words without the common beginning and end, with the numbers of hosts."""
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
    """Return the size of the common beginning of all words, up to a word border; 0 for one word."""
    shared = (commonprefix(words) or b"") if len(words) > 1 else b""
    return max((found.end() for found in _BORDER.finditer(shared)), default=0)


def _trimmed(word: bytes) -> bytes:
    """Return a word without marks around it, with an ellipsis for slots; empty without letters."""
    word = word.strip(_MARKS)
    for mark in _MARKS_BEYOND_ASCII:
        word = word.removesuffix(mark).rpartition(mark)[2] if mark in word else word
    shown = word.replace(b"\x01", "…".encode()).replace(b"\x02", b"")
    return shown if _LETTER.search(shown.replace("…".encode(), b"")) else b""


def loose_lines(step_groups: StepGroups, group: StepGroup) -> list[LooseLine]:
    """Return lines that only some hosts of a group have, those nearest to one half first."""
    size = len(group.rows)
    if size < 2:
        return []
    entries = step_groups.table.raw.entries(group.rows)
    digests, hosts = entries.pairs
    lines, first, counts = np.unique(digests, return_index=True, return_counts=True)
    loose = np.flatnonzero((counts > RARE * size) & (counts < (1 - MISSING) * size))
    order = loose[np.argsort(np.abs(counts[loose] * 2 - size), kind="stable")][:LINES_SHOWN]
    return [
        LooseLine(int(lines[at]), step_groups.hosts[group.rows[hosts[first[at]]]], int(counts[at]))
        for at in order
    ]


def shown_loose_lines(
    lines: list[LooseLine], texts: Mapping[int, HostText]
) -> Iterator[ShownLooseLine]:
    """Yield these lines with their texts, for hosts whose logs were read."""
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
