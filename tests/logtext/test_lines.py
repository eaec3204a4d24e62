"""Lines of a text in pieces: whatever the pieces, the same lines."""

import random
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext.lines import (
    LineCutter,
    TextLine,
    iter_blocks,
    iter_lines,
    without_line_end,
)

# Short alphabets, so that newlines, CRLF and half characters fall on every border.
texts = st.one_of(
    st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\x00", b"\xe6", b"\\", b"\t"])).map(b"".join),
    st.binary(max_size=80),
)
limits = st.integers(min_value=1, max_value=12)


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A text, and the same text in pieces, empty ones among them."""
    text = draw(texts)
    borders = sorted(draw(st.lists(st.integers(min_value=0, max_value=len(text)), max_size=12)))
    ends = [*borders, len(text)]
    return text, [text[start:end] for start, end in zip([0, *borders], ends, strict=True)]


def lines_by_definition(text: bytes, limit: int) -> list[TextLine]:
    """The lines as the rules say it, of a whole text, slowly."""
    lines, offset = [], 0
    for number, whole in enumerate(text.split(b"\n"), start=1):
        newline = b"\n" if offset + len(whole) < len(text) else b""
        cuts = list(range(0, len(whole), limit)) or ([0] if newline else [])
        for cut in cuts:
            last = cut == cuts[-1]
            data = whole[cut : cut + limit] + (newline if last else b"")
            lines.append(TextLine(number, offset + cut, data, continued=cut > 0, ends=last))
        offset += len(whole) + len(newline)
    return lines


@given(cut_texts(), limits)
def test_lines_are_those_of_the_whole_text_however_it_was_cut(
    cut: tuple[bytes, list[bytes]], limit: int
) -> None:
    text, pieces = cut
    assert list(iter_lines(pieces, max_line_bytes=limit)) == lines_by_definition(text, limit)


@given(cut_texts(), limits)
def test_segments_joined_are_the_text_and_touch_each_other(
    cut: tuple[bytes, list[bytes]], limit: int
) -> None:
    text, pieces = cut
    lines = list(iter_lines(pieces, max_line_bytes=limit))
    assert b"".join(line.data for line in lines) == text
    assert [line.offset for line in lines] == [0, *(line.end for line in lines)][: len(lines)]
    assert all(len(without_line_end(line.data)) <= limit for line in lines)


@given(cut_texts(), limits)
def test_blocks_joined_are_the_text_and_end_where_a_line_or_segment_ends(
    cut: tuple[bytes, list[bytes]], limit: int
) -> None:
    text, pieces = cut
    blocks = list(iter_blocks(pieces, max_line_bytes=limit))
    ends = {line.end for line in lines_by_definition(text, limit)}
    assert b"".join(blocks) == text
    assert all(blocks)
    assert {sum(map(len, blocks[: n + 1])) for n in range(len(blocks))} <= ends


@given(cut_texts(), limits, st.data())
def test_a_part_that_begins_at_a_segment_gives_the_same_segments(
    cut: tuple[bytes, list[bytes]], limit: int, data: st.DataObject
) -> None:
    text, _ = cut
    lines = lines_by_definition(text, limit)
    if not lines:
        return
    at = data.draw(st.integers(min_value=0, max_value=len(lines) - 1))
    first = lines[at]
    part = iter_lines(
        [text[first.offset :]],
        first_number=1 + text.count(b"\n", 0, first.offset),
        first_offset=first.offset,
        continued=first.continued,
        max_line_bytes=limit,
    )
    assert list(part) == lines[at:]


def test_an_empty_text_has_no_lines() -> None:
    assert list(iter_lines([])) == []
    assert list(iter_lines([b"", b""])) == []


def test_only_a_newline_ends_a_line() -> None:
    data = b"a\rb\x0bc\x0cd\x85e\xe2\x80\xa8f\r\n\ng"
    assert [line.data for line in iter_lines([data])] == [data[:-2], b"\n", b"g"]


def test_a_line_is_displayed_without_its_end() -> None:
    lines = iter_lines([b"a\r\nb\n\r\r\n\nlast\r"])
    assert [line.text for line in lines] == [b"a", b"b", b"\r", b"", b"last\r"]


def test_a_line_of_exactly_the_limit_keeps_its_newline() -> None:
    assert [line.data for line in iter_lines([b"abc\nabcd\n"], max_line_bytes=3)] == [
        b"abc\n",
        b"abc",
        b"d\n",
    ]


def test_a_segment_that_may_still_go_on_waits_for_what_follows() -> None:
    cutter = LineCutter(3)
    assert cutter.push(b"abc") == []
    assert cutter.push(b"d") == [b"abc"]
    assert cutter.rest == b"d"


def test_a_limit_below_one_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="max_line_bytes must be at least 1, not 0"):
        list(iter_lines([b"a"], max_line_bytes=0))


def test_memory_stays_bounded_by_a_piece_and_a_segment() -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * (256 * 1024)

    tracemalloc.start()
    try:
        segments = sum(1 for _ in iter_lines(pieces(), max_line_bytes=64 * 1024))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert segments == 256
    assert peak < 2 * 1024 * 1024


def test_a_huge_line_in_tiny_pieces_gives_the_same_segments_as_in_one() -> None:
    line = random.Random(5).randbytes(200_000).replace(b"\n", b"-")  # noqa: S311
    tiny = [line[at : at + 1] for at in range(len(line))]
    assert list(iter_lines(tiny)) == list(iter_lines([line]))
    assert [line.ends for line in iter_lines(tiny)] == [False, False, False, True]
