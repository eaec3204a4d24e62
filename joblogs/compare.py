"""Comparison of two logs line by line, ignoring values that differ from run to run.

Lines are aligned by their text without masked values. A line is the *same*, *similar* (only masked
values differ), *different* (another line in the same place), or on one side only. A masked value
counts as a difference if it is steady, the same on nearly all hosts of a group (`steady_values`).
Pure functions of bytes, limited by BYTES_MAX and LINES_MAX.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from joblogs.grouping.marked_lines import MarkedLine, marked_lines
from joblogs.grouping.slots import is_moment
from joblogs.logtext.ansi import Mark
from joblogs.logtext.diff import common_lines, pair_up

BYTES_MAX = 2 * 1024 * 1024
LINES_MAX = 20_000
TOKENS_MAX, TOKENS_BYTES = 500, 64 * 1024
"""Tokens and bytes of a line that are compared; the rest of a longer line is one token."""
STEADY_SHARE, STEADY_HOSTS = 0.9, 5
"""A masked value is steady if STEADY_SHARE of at least STEADY_HOSTS hosts have it."""

_TOKEN = re.compile(rb"[0-9A-Za-z_\x80-\xff]++|.", re.DOTALL)


class Kind(StrEnum):
    """Choices of how the two sides of a row compare."""

    SAME = "same"
    SIMILAR = "similar"
    DIFFERENT = "different"
    LEFT = "left"
    RIGHT = "right"


class Side(NamedTuple):
    """NamedTuple of the part of a log that is compared: whole lines from `first_number` on."""

    data: bytes
    names: tuple[bytes, ...] = ()
    """Names and addresses of the host, which are masked."""
    first_number: int = 1
    cut: bool = False
    """Whether the log is longer than this part."""


class Steady(NamedTuple):
    """NamedTuple of a value in one place, and how many hosts `of` a group have it."""

    value: bytes
    hosts: int
    of: int


class Cell(NamedTuple):
    """NamedTuple of a line on one side. Marks: `diff`, `value` (not the steady one), `masked`."""

    number: int
    data: bytes
    marks: tuple[Mark, ...] = ()


class ComparisonRow(NamedTuple):
    """NamedTuple of a row of a comparison."""

    kind: Kind
    left: Cell | None
    right: Cell | None
    steady: tuple[Steady, ...] = ()
    """The steady values from which this line differs."""


@dataclass(slots=True)
class Comparison:
    """Rows of a comparison in order, and whether the sides were cut."""

    rows: list[ComparisonRow] = field(default_factory=list)
    left_cut: bool = False
    right_cut: bool = False

    def count(self, *kinds: Kind) -> int:
        return sum(row.kind in kinds for row in self.rows)


def compare(
    left: Side,
    right: Side,
    *,
    masks: bool = True,
    steady: Mapping[tuple[int, int], Steady] | None = None,
) -> Comparison:
    """Compare two logs. Without `masks`, values are compared like any other text.

    `steady` are the steady values of the right side, by line (from 0) and masked value in it.
    """
    a, b = _lines(left), _lines(right)
    result = Comparison(left_cut=left.cut or len(a) > LINES_MAX, right_cut=right.cut)
    result.right_cut = result.right_cut or len(b) > LINES_MAX
    a, b = a[:LINES_MAX], b[:LINES_MAX]
    pairs = common_lines([line.skeleton for line in a], [line.skeleton for line in b])
    builder = _RowBuilder(left, right, masks, steady or {})
    i = j = 0
    for m, n in [*pairs, (len(a), len(b))]:
        gap_a, gap_b = a[i:m], b[j:n]
        for p, q in pair_up([x.skeleton for x in gap_a], [x.skeleton for x in gap_b]):
            at, bt = (None if p is None else i + p), (None if q is None else j + q)
            result.rows.append(builder.unequal(a, b, at, bt))
        if m < len(a) and n < len(b):
            result.rows.append(builder.alike(a[m], b[n], m, n))
        i, j = m + 1, n + 1
    return result


def shown_rows(comparison: Comparison, *, context: int) -> list[bool]:
    """Return for each row whether it is shown: rows that differ, with `context` rows around."""
    shown = [False] * len(comparison.rows)
    for index, row in enumerate(comparison.rows):
        if row.kind in (Kind.DIFFERENT, Kind.LEFT, Kind.RIGHT):
            first, stop = max(0, index - context), min(len(shown), index + context + 1)
            shown[first:stop] = [True] * (stop - first)
    return shown


class _RowBuilder:
    """Builder of rows, which marks the differences between two lines."""

    def __init__(
        self,
        left: Side,
        right: Side,
        masks: bool,
        steady: Mapping[tuple[int, int], Steady],
    ) -> None:
        self.left, self.right, self.masks, self.steady = left, right, masks, steady

    def unequal(
        self, a: Sequence[MarkedLine], b: Sequence[MarkedLine], i: int | None, j: int | None
    ) -> ComparisonRow:
        if i is None or j is None:
            if i is not None:
                return ComparisonRow(Kind.LEFT, Cell(self.left.first_number + i, a[i].data), None)
            assert j is not None  # noqa: S101 - a pair has at least one side
            return ComparisonRow(Kind.RIGHT, None, Cell(self.right.first_number + j, b[j].data))
        marks = self._marks(a[i], b[j])
        return self._row(Kind.DIFFERENT, a[i], b[j], i, j, marks)

    def alike(self, a: MarkedLine, b: MarkedLine, i: int, j: int) -> ComparisonRow:
        """Return the row of two lines that are equal except for masked values."""
        if a.data == b.data:
            return self._row(Kind.SAME, a, b, i, j, ([], []))
        if not self.masks:
            return self._row(Kind.DIFFERENT, a, b, i, j, self._marks(a, b))
        marks: tuple[list[Mark], list[Mark]] = ([], [])
        found: list[Steady] = []
        for k, (x, y) in enumerate(zip(a.slots(), b.slots(), strict=False)):
            if x.value == y.value and not x.is_own:
                continue
            usual = self.steady.get((j, k))
            # Name and addresses of a host are its own: they are never steady.
            is_single = usual is not None and x.value != usual.value and not x.is_own
            if is_single and usual is not None:
                found.append(usual)
            name = "value" if is_single else "masked"
            marks[0].append(Mark(x.start, x.end, name))
            marks[1].append(Mark(y.start, y.end, name))
        kind = Kind.DIFFERENT if found else Kind.SIMILAR
        return self._row(kind, a, b, i, j, marks)._replace(steady=tuple(found))

    def _row(
        self,
        kind: Kind,
        a: MarkedLine,
        b: MarkedLine,
        i: int,
        j: int,
        marks: tuple[list[Mark], list[Mark]],
    ) -> ComparisonRow:
        one = Cell(self.left.first_number + i, a.data, tuple(marks[0]))
        return ComparisonRow(kind, one, Cell(self.right.first_number + j, b.data, tuple(marks[1])))

    def _marks(self, left: MarkedLine, right: MarkedLine) -> tuple[list[Mark], list[Mark]]:
        """Return the marks of both lines, by words; a masked value that differs is `masked`."""
        a, b, one, two = left.data, right.data, self._tokens(left), self._tokens(right)
        pairs = common_lines([t.key for t in one], [t.key for t in two])
        quiet = {
            (i, j) for i, j in pairs if a[one[i].start : one[i].end] != b[two[j].start : two[j].end]
        }
        return (
            _joined(one, {i for i, _ in pairs}, {i for i, _ in quiet}),
            _joined(two, {j for _, j in pairs}, {j for _, j in quiet}),
        )

    def _tokens(self, line: MarkedLine) -> list[_Token]:
        data = line.data
        tokens = list(islice(self._all_tokens(line), TOKENS_MAX))
        at = tokens[-1].end if tokens else 0
        if at < len(data):
            start = tokens.pop().start if len(tokens) == TOKENS_MAX else at
            tokens.append(_Token(start, len(data), data[start:]))
        return tokens

    def _all_tokens(self, line: MarkedLine) -> Iterator[_Token]:
        """Yield the tokens of the first TOKENS_BYTES of a line."""
        data, at = line.data[:TOKENS_BYTES], 0
        for start, end, value in line.slots() if self.masks else []:
            if end > len(data):
                break
            if is_moment(value):  # other values are compared by words
                yield from _words(data, at, start)
                yield _Token(start, end, b"\n")
                at = end
        yield from _words(data, at, len(data))


class _Token(NamedTuple):
    start: int
    end: int
    key: bytes
    """The text to compare; the same for all times."""


def _words(data: bytes, start: int, end: int) -> Iterator[_Token]:
    for found in _TOKEN.finditer(data, start, end):
        yield _Token(*found.span(), found[0])


def _joined(tokens: Sequence[_Token], common: set[int], quiet: set[int]) -> list[Mark]:
    """Return marks of the tokens that are not common, with adjacent marks joined."""
    marks: list[Mark] = []
    for index, token in enumerate(tokens):
        if index in common and index not in quiet:
            continue
        mark = Mark(token.start, token.end, "masked" if index in quiet else "diff")
        if marks and marks[-1].end == mark.start and marks[-1].name == mark.name:
            marks[-1] = marks[-1]._replace(end=mark.end)
        else:
            marks.append(mark)
    return marks


def _lines(side: Side) -> list[MarkedLine]:
    return marked_lines(side.data, side.names)


def _hidden_values(side: Side) -> Iterator[tuple[tuple[int, int], bytes]]:
    for number, line in enumerate(_lines(side)[:LINES_MAX]):
        for index, value in enumerate(line.values()):
            yield (number, index), value


def steady_values(sides: Iterable[Side]) -> dict[tuple[int, int], Steady]:
    """Return the masked values that nearly all of these hosts share, by line and value.

    The hosts are of one group: their texts are equal except for masked values.
    """
    counts: dict[tuple[int, int], Counter[bytes]] = {}
    of = 0
    for side in sides:
        of += 1
        for place, value in _hidden_values(side):
            counts.setdefault(place, Counter())[value] += 1
    steady = {}
    for place, values in counts.items():
        ((value, hosts),) = values.most_common(1)
        if of >= STEADY_HOSTS and hosts >= STEADY_SHARE * of:
            steady[place] = Steady(value, hosts, of)
    return steady


def single_hosts(side: Side, steady: Mapping[tuple[int, int], Steady]) -> int:
    """Return the number of steady values from which a host of the group differs."""
    return sum(place in steady and steady[place].value != v for place, v in _hidden_values(side))
