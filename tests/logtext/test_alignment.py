"""Which lines of two texts belong together."""

from __future__ import annotations

import difflib
import time

from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext.diff import common_lines, pair_up

LINES = st.lists(st.sampled_from([b"a", b"b", b"c", b"d e f", b"d e g"]), max_size=14)


def _longest(a: list[bytes], b: list[bytes]) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = (
                table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
            )
    return table[-1][-1]


@given(LINES, LINES)
def test_as_many_lines_as_can_be_are_common_and_in_order(a: list[bytes], b: list[bytes]) -> None:
    pairs = common_lines(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert all(p < q and r < s for (p, r), (q, s) in zip(pairs, pairs[1:], strict=False))
    assert len(pairs) == _longest(a, b)


@given(LINES, LINES)
def test_every_line_is_in_one_pair_and_none_is_out_of_order(a: list[bytes], b: list[bytes]) -> None:
    pairs = pair_up(a, b)
    assert [i for i, _ in pairs if i is not None] == list(range(len(a)))
    assert [j for _, j in pairs if j is not None] == list(range(len(b)))


def test_versions_of_a_line_stand_beside_each_other() -> None:
    a = [b"something else", b"fetched 12 files from mirror one"]
    b = [b"fetched 13 files from mirror two", b"and a line more"]
    assert pair_up(a, b) == [(0, None), (1, 0), (None, 1)]


def test_long_and_monotonous_texts_take_a_moment() -> None:
    # difflib would need hours for these.
    a = [b"ok %d" % (n % 7) for n in range(10_000)]
    b = [b"ok %d" % (n % 5) for n in range(10_000)]
    started = time.process_time()
    assert len(common_lines(a, b)) > 5_000
    pair_up(a, [b"no"] * 10_000)
    assert time.process_time() - started < 20


def test_it_finds_what_difflib_finds_where_nothing_is_ambiguous() -> None:
    a, b = [b"%d" % n for n in range(50)], [b"%d" % n for n in range(0, 60, 3)]
    blocks = difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    expected = [(m.a + k, m.b + k) for m in blocks for k in range(m.size)]
    assert common_lines(a, b) == expected
