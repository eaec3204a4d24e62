"""Two logs side by side."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from joblogs.compare import Kind, Side, compare, single_hosts, steady_values

LOG = b"""[2026-11-22 08:00:05] start on shop-1
config checksum 9f2c11d0 loaded
done in 84 ms
"""
LATER = b"""[2026-11-23 09:10:11] start on shop-2
config checksum 9f2c11d0 loaded
done in 90 ms
"""
ANY = st.lists(
    st.sampled_from(
        [b"a\n", b"took 3 ms\n", b"took 40 ms\n", b"x y z\r\n", b"x y w\n", b"\xff\x00"]
    ),
    max_size=12,
).map(b"".join)


def _kinds(left: bytes, right: bytes, **how: Any) -> list[str]:
    return [str(row.kind) for row in compare(Side(left), Side(right), **how).rows]


def _marked(cell: Any, name: str) -> list[bytes]:
    return [cell.data[m.start : m.end] for m in cell.marks if m.name == name]


def test_what_differs_from_run_to_run_is_similar_and_marked_as_such() -> None:
    result = compare(Side(LOG, (b"shop-1",)), Side(LATER, (b"shop-2",)))
    assert [row.kind for row in result.rows] == [Kind.SIMILAR, Kind.SAME, Kind.SIMILAR]
    assert result.rows[0].left and result.rows[2].right
    assert _marked(result.rows[0].left, "masked") == [b"2026-11-22 08:00:05", b"shop-1"]
    assert _marked(result.rows[2].right, "masked") == [b"90 ms"]


def test_of_a_very_long_line_the_words_of_its_beginning_are_compared() -> None:
    left, right = b"one same " + b"<b>x" * 400_000, b"two same " + b"<b>x" * 400_000
    (row,) = compare(Side(left), Side(right)).rows
    assert row.left and row.right
    assert _marked(row.left, "diff") == [b"one"]
    marks = compare(Side(left), Side(right + b"y")).rows[0].left
    assert marks and marks.marks[-1].end == len(left)
    assert marks.marks[-1].start < 2_000


def test_without_masks_the_same_lines_are_different() -> None:
    assert _kinds(LOG, LATER, masks=False) == ["different", "same", "different"]


def test_a_line_that_is_on_one_side_only_has_no_partner() -> None:
    assert _kinds(b"a\nb\nc\n", b"a\nc\nd\n") == ["same", "left", "same", "right"]


def test_within_a_line_the_words_that_differ_are_marked() -> None:
    (row,) = compare(Side(b"copied 12 files to /a"), Side(b"copied 13 files to /b")).rows
    assert row.kind == Kind.DIFFERENT
    assert _marked(row.left, "diff") == [b"12", b"a"]
    assert _marked(row.right, "diff") == [b"13", b"b"]


def test_a_timestamp_in_a_different_line_stays_quiet() -> None:
    left, right = b"[08:00:21] copied 12 files", b"[08:01:59] copied 13 files to /a"
    (row,) = compare(Side(left), Side(right)).rows
    assert row.kind == Kind.DIFFERENT
    assert _marked(row.left, "diff") == [b"12"]
    assert _marked(row.left, "masked") == [b"08:00:21"]


def test_numbers_that_differ_in_one_line_leave_it_similar() -> None:
    (row,) = compare(Side(b"[08:00:21] copied 12 files"), Side(b"[09:10:11] copied 7 files")).rows
    assert row.kind == Kind.SIMILAR
    assert _marked(row.left, "masked") == [b"08:00:21", b"12"]


def _crowd(count: int, odd: bytes = b"9f2c11d0") -> list[Side]:
    sides = []
    for number in range(count):
        name = b"shop-%d" % number
        log = LOG.replace(b"84", b"%d" % (10 + number)).replace(b"shop-1", name)
        sides.append(Side(log, (name,)))
    return [*sides, Side(LOG.replace(b"9f2c11d0", odd), (b"shop-1",))]


def test_a_hidden_value_that_nearly_all_share_is_a_difference_where_it_differs() -> None:
    crowd = _crowd(20, odd=b"4be07a55")
    steady = steady_values(crowd)
    result = compare(crowd[-1], crowd[0], steady=steady)
    assert [row.kind for row in result.rows] == [Kind.SIMILAR, Kind.DIFFERENT, Kind.SIMILAR]
    row = result.rows[1]
    assert _marked(row.left, "value") == [b"4be07a55"]
    assert [(s.value, s.hosts, s.of) for s in row.steady] == [(b"9f2c11d0", 20, 21)]


def test_a_value_that_varies_is_not_steady() -> None:
    steady = steady_values(_crowd(20))
    assert {value.value for value in steady.values()} >= {b"9f2c11d0"}
    assert not any(b"ms" in value.value for value in steady.values())


def test_a_few_hosts_make_nothing_steady() -> None:
    assert steady_values(_crowd(3)) == {}


def test_the_odd_one_of_a_group_is_known() -> None:
    crowd = _crowd(20, odd=b"4be07a55")
    steady = steady_values(crowd)
    assert [single_hosts(side, steady) for side in (crowd[0], crowd[-1])] == [0, 1]


@given(ANY, ANY)
def test_each_line_of_both_sides_is_shown_once_and_in_order(left: bytes, right: bytes) -> None:
    rows = compare(Side(left), Side(right)).rows
    for cells, data in (
        ([row.left for row in rows if row.left], left),
        ([row.right for row in rows if row.right], right),
    ):
        lines = data.split(b"\n")
        if not lines[-1]:
            del lines[-1]
        assert [cell.number for cell in cells] == list(range(1, len(lines) + 1))
        assert [cell.data for cell in cells] == [line.removesuffix(b"\r") for line in lines]


@given(ANY)
def test_a_log_is_the_same_as_itself(data: bytes) -> None:
    assert set(_kinds(data, data)) <= {"same"}


def test_what_is_beyond_the_limit_is_said_to_be_cut() -> None:
    long = b"line\n" * 20_001
    result = compare(Side(long), Side(b"line\n"))
    assert (result.left_cut, result.right_cut) == (True, False)
    assert len(result.rows) == 20_000


def test_hostile_lines_take_a_moment() -> None:
    left, right = b"a b " * 100_000 + b"\n", b"b c " * 100_000 + b"\n"
    started = time.process_time()
    compare(Side(left), Side(right))
    compare(Side(b"1 ms\n" * 9_000 + b"x"), Side(b"y\n" + b"2 ms\n" * 9_000))
    assert time.process_time() - started < 20
