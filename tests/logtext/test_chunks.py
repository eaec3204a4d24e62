"""The arithmetic of pieces: the laws of the content room, without a database."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext.pieces import (
    CHUNK_MAX_BYTES,
    GrowingLog,
    Hole,
    Piece,
    Range,
    Verdict,
    chunks,
    join,
    union,
)

NO_LIMIT = 2**40
TEXTS = st.one_of(
    st.binary(max_size=60),
    st.text("ab中é\n\r\t\\\0", max_size=30).map(str.encode),
    st.text("中文日志", max_size=20).map(lambda text: text.encode("gbk")),
    st.sampled_from([b"", b"\n", b"\n\n\n", b"no end", b"a\r\nb\r\n", b"\0", b"\\n\\t\\"]),
)


class Kept:
    """A log as ingest keeps it: each run of pieces works on what earlier runs have stored."""

    def __init__(self, **state: Any) -> None:
        self.data, self.asked = b"", list[Range]()
        self.state = {"received": 0, "held": 0, "limit": NO_LIMIT} | state

    def run(self, pieces: list[Piece]) -> list[Verdict]:
        log = GrowingLog(**self.state)
        allowed = [span for piece in pieces if (span := log.to_compare(piece))]

        def stored(start: int, end: int) -> bytes:
            self.asked.append((start, end))
            assert any(a <= start and end <= b for a, b in allowed), "asked for more than it named"
            return self.data[start:end]

        verdicts = [log.take(piece, stored) for piece in pieces]
        self.data = self.data[: log.held_before] + bytes(log.added)
        self.state |= {
            "received": log.received,
            "held": log.held,
            "truncated": log.truncated,
        }
        assert len(self.data) == log.held
        return verdicts


@st.composite
def split(draw: st.DrawFn) -> tuple[bytes, list[list[Piece]]]:
    """A text, and runs of pieces that bring it in order, any of them repeated at any time."""
    data = draw(TEXTS)
    borders = sorted({0, len(data), *draw(st.lists(st.integers(0, len(data)), max_size=6))})
    pieces = [Piece(start, data[start:stop]) for start, stop in pairwise(borders)]
    runs: list[list[Piece]] = [[]]
    for index, piece in enumerate(pieces):
        runs[-1].append(piece)
        runs[-1] += draw(st.lists(st.sampled_from(pieces[: index + 1]), max_size=2))
        if draw(st.booleans()):
            runs.append([])
    return data, runs


@given(split())
def test_any_split_with_any_repeats_reads_back_as_the_same_bytes(
    case: tuple[bytes, list[list[Piece]]],
) -> None:
    data, runs = case
    log = Kept()
    verdicts = [verdict for run in runs for verdict in log.run(run)]
    assert log.data == data
    assert log.state["received"] == len(data)
    assert set(verdicts) <= {Verdict.ACCEPTED, Verdict.DUPLICATE}
    assert not log.state.get("truncated")


@given(split(), st.integers(1, 70))
def test_what_comes_next_is_taken_at_once_as_it_is_piece_by_piece(
    case: tuple[bytes, list[list[Piece]]], limit: int
) -> None:
    data, runs = case
    state = {"received": 0, "held": 0, "limit": limit, "truncated": False}
    for run in runs:
        one, other = GrowingLog(**state), GrowingLog(**state)  # type: ignore[arg-type]
        verdicts = [one.take(piece, lambda start, stop: data[start:stop]) for piece in run]
        taken = other.take_next(run)
        assert verdicts[:taken] == [Verdict.ACCEPTED] * taken
        rest = [other.take(piece, lambda start, stop: data[start:stop]) for piece in run[taken:]]
        assert rest == verdicts[taken:]
        assert one == other
        state |= {name: getattr(one, name) for name in ("received", "held", "truncated")}


def test_as_many_pieces_are_taken_at_once_as_follow_one_another_and_fit() -> None:
    pieces = [Piece(2, b"cd"), Piece(4, b"ef"), Piece(6, b"g"), Piece(8, b"i")]
    log = GrowingLog(received=2, held=2, limit=100)
    assert (log.take_next(pieces), bytes(log.added), log.expected) == (3, b"cdefg", 7)
    full = GrowingLog(received=2, held=2, limit=5)
    assert (full.take_next(pieces), bytes(full.added), full.expected) == (1, b"cd", 4)
    assert GrowingLog(received=3, held=2, limit=100).take_next(pieces) == 0


@given(split())
def test_sending_everything_again_adds_nothing(case: tuple[bytes, list[list[Piece]]]) -> None:
    data, runs = case
    log = Kept()
    for _ in range(2):
        verdicts = [verdict for run in runs for verdict in log.run(run)]
    assert set(verdicts) <= {Verdict.DUPLICATE}
    assert log.data == data


@given(TEXTS, st.data())
def test_pieces_that_overlap_and_agree_add_only_what_is_new(data: bytes, more: Any) -> None:
    log = Kept()
    while log.state["received"] < len(data):
        received = log.state["received"]
        start = more.draw(st.integers(0, received))
        stop = more.draw(st.integers(received + 1, len(data)))
        assert log.run([Piece(start, data[start:stop])]) == [Verdict.ACCEPTED]
        assert log.data == data[:stop]
    assert log.data == data


@given(TEXTS, st.integers(1, 2**50), TEXTS)
def test_a_gap_is_refused_and_nothing_is_written(data: bytes, beyond: int, more: bytes) -> None:
    log = GrowingLog(received=0, held=0, limit=NO_LIMIT)
    log.take(Piece(0, data), lambda start, stop: b"")
    assert log.take(Piece(len(data) + beyond, more), lambda start, stop: b"") is Verdict.GAP
    assert (bytes(log.added), log.received, log.held) == (data, len(data), len(data))
    assert log.expected == len(data)


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_contradiction_is_refused_and_nothing_is_written(data: bytes, more: Any) -> None:
    start = more.draw(st.integers(0, len(data) - 1))
    wrong = more.draw(st.integers(start, len(data) - 1))
    tail = more.draw(st.binary(max_size=5))
    other = bytearray(data[start:] + tail)
    other[wrong - start] ^= 1
    in_run, later = Kept(), Kept()
    assert in_run.run([Piece(0, data), Piece(start, bytes(other))])[1] is Verdict.CONFLICT
    later.run([Piece(0, data)])
    assert later.run([Piece(start, bytes(other))]) == [Verdict.CONFLICT]
    for log in (in_run, later):
        assert (log.data, log.state["received"]) == (data, len(data))


@pytest.mark.parametrize(
    ("offset", "verdict"), [(0, Verdict.DUPLICATE), (3, Verdict.DUPLICATE), (4, Verdict.GAP)]
)
def test_an_empty_piece_adds_nothing_and_may_still_come_too_early(
    offset: int, verdict: Verdict
) -> None:
    log = Kept()
    log.run([Piece(0, b"abc")])
    assert log.run([Piece(offset, b"")]) == [verdict]
    assert log.data == b"abc"


@given(split(), st.integers(1, 40))
def test_past_the_limit_pieces_are_accepted_and_counted_but_not_kept(
    case: tuple[bytes, list[list[Piece]]], limit: int
) -> None:
    data, runs = case
    log = Kept(limit=limit)
    verdicts = [verdict for run in runs for verdict in log.run(run)]
    assert log.data == data[:limit]
    assert log.state["received"] == len(data)
    assert bool(log.state.get("truncated")) == (len(data) > limit)
    assert not {Verdict.GAP, Verdict.CONFLICT} & set(verdicts)
    again = [verdict for run in runs for verdict in log.run(run)]
    assert set(again) <= {Verdict.DUPLICATE}


@given(split(), st.integers(1, 1000))
def test_the_held_part_of_a_truncated_log_can_be_brought_in_after_any_cut(
    case: tuple[bytes, list[list[Piece]]], dropped: int
) -> None:
    data, runs = case
    log = Kept(received=len(data) + dropped, truncated=True)
    verdicts = [verdict for run in runs for verdict in log.run(run)]
    assert log.data == data
    assert log.state["received"] == len(data) + dropped
    assert log.state["truncated"]
    assert bool(data) == (Verdict.ACCEPTED in verdicts)
    again = [verdict for run in runs for verdict in log.run(run)]
    assert set(again) <= {Verdict.DUPLICATE}


@given(st.binary(min_size=1, max_size=40), st.integers(0, 50), st.integers(1, 50), st.data())
def test_a_dropped_range_is_accepted_on_its_length_alone(
    data: bytes, limit: int, tail: int, more: Any
) -> None:
    whole = data + bytes(tail)
    log = Kept(limit=limit)
    log.run([Piece(0, whole)])
    start = more.draw(st.integers(0, len(whole)))
    dropped = len(whole) - max(start, min(limit, len(whole)))
    piece = Piece(start, whole[start:limit] + b"?" * dropped)
    assert log.run([piece]) == [Verdict.DUPLICATE]


MASKS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=3).map(
    lambda spans: union((start, start + length) for start, length in spans)
)


class Looked(list[Range]):
    """Masks that count how often one is looked at."""

    times = 0

    def __getitem__(self, index: Any) -> Any:
        self.times += 1
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[Range]:
        self.times += len(self)
        return super().__iter__()


def test_of_many_masks_only_those_of_the_piece_are_looked_at() -> None:
    masks = Looked((start, start + 1) for start in range(0, 200_000, 2))
    log = GrowingLog(received=200_000, held=200_000, limit=NO_LIMIT, masked=masks)
    piece = Piece(150_001, b"x" * 20)
    assert log.take(piece, lambda start, end: b"x" * (end - start)) is Verdict.DUPLICATE
    assert masks.times < 100


@given(st.binary(min_size=1, max_size=40), MASKS, st.data())
def test_over_a_masked_range_a_repeat_is_accepted_on_its_length_alone(
    data: bytes, masks: list[Range], more: Any
) -> None:
    def masked(position: int) -> bool:
        return any(start <= position < stop for start, stop in masks)

    log = Kept(masked=masks)
    log.data, log.state = data, log.state | {"received": len(data), "held": len(data)}
    start = more.draw(st.integers(0, len(data) - 1))
    flipped = more.draw(st.integers(start, len(data) - 1))
    other = bytearray(data[start:])
    other[flipped - start] ^= 1
    expected = Verdict.DUPLICATE if masked(flipped) else Verdict.CONFLICT
    assert log.run([Piece(start, bytes(other))]) == [expected]
    assert log.data == data


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))))
def test_a_union_holds_the_same_bytes_in_ranges_that_ascend_and_do_not_touch(
    ranges: list[Range],
) -> None:
    result = union(ranges)
    assert {b for r in result for b in range(*r)} == {b for r in ranges for b in range(*r)}
    assert all(left[1] < right[0] for left, right in pairwise(result))
    assert all(start < stop for start, stop in result)


@pytest.mark.parametrize("size", [0, 1, CHUNK_MAX_BYTES, CHUNK_MAX_BYTES + 1, 3 * CHUNK_MAX_BYTES])
def test_chunks_touch_and_none_is_over_the_limit(size: int) -> None:
    data = bytes(size)
    made = list(chunks(7, data))
    assert b"".join(piece.data for piece in made) == data
    assert all(0 < len(piece.data) <= CHUNK_MAX_BYTES for piece in made)
    assert all(left.end == right.offset for left, right in pairwise(made))
    assert not made or made[0].offset == 7


@given(st.binary(min_size=1, max_size=40), st.lists(st.integers(1, 39)), st.data())
def test_joining_gives_the_asked_bytes_however_the_chunks_are_cut(
    data: bytes, cuts: list[int], more: Any
) -> None:
    borders = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [Piece(start, data[start:stop]) for start, stop in pairwise(borders)]
    start = more.draw(st.integers(0, len(data)))
    stop = more.draw(st.integers(start, len(data)))
    assert b"".join(join((start, stop), pieces)) == data[start:stop]
    missing = more.draw(st.integers(0, len(pieces) - 1))
    gone = pieces.pop(missing)
    if start < stop and max(start, gone.offset) < min(stop, gone.end):
        with pytest.raises(Hole) as hole:
            join((start, stop), pieces)
        assert hole.value.expected == max(start, gone.offset)
    else:
        assert b"".join(join((start, stop), pieces)) == data[start:stop]


def test_a_log_whose_dropped_bytes_came_again_is_whole_again() -> None:
    log = GrowingLog(received=20, held=10, limit=100, truncated=True)
    assert log.take(Piece(0, b"x" * 20), lambda start, stop: b"x" * (stop - start)) is (
        Verdict.ACCEPTED
    )
    assert (log.held, log.received, log.truncated) == (20, 20, False)
