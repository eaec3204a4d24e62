"""Windows of a log by lines and by bytes, out of ranges as the API answers them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation

from joblogs.mcp import log_window
from joblogs.mcp.log_window import Read, byte_window, line_window
from joblogs.mcp.store_api import ApiError, LogPart


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Whatever language the test before was in."""
    with translation.override("en"):
        yield


def reading(text: bytes, *, attempts: tuple[int, ...] = (0,)) -> Read:
    """Function that reads ranges of a text; each answer is of the next attempt."""
    left = list(attempts)

    def read(start: int, length: int) -> LogPart:
        begin = start if start >= 0 else max(0, len(text) + start)
        attempt = left.pop(0) if len(left) > 1 else left[0]
        return LogPart(text[begin : begin + length], begin, len(text), "complete", attempt)

    return read


NUMBERED = b"".join(b"line %d\n" % number for number in range(1, 30_001))


@pytest.mark.parametrize("first", [1, 9_000, 29_999])
def test_lines_have_their_numbers_however_far_in(first: int) -> None:
    heading, *shown = line_window(reading(NUMBERED), first, 2).splitlines()
    assert heading == f"The log has {len(NUMBERED)} bytes, attempt 0, state: complete."
    assert shown[:2] == [f"{number}: line {number}" for number in (first, first + 1)]
    end = "The log has 30000 lines."
    assert shown[2:] == [
        end if first == 29_999 else f"There is more: go on with from_line={first + 2}."
    ]


def test_beyond_the_end_it_says_how_many_lines_there_are() -> None:
    assert line_window(reading(b"one\ntwo"), 9, 5).splitlines()[1:] == ["The log has 2 lines."]


def test_the_last_lines_come_without_numbers() -> None:
    shown = line_window(reading(NUMBERED), -2, 100).splitlines()[1:]
    assert shown == ["The last lines (2):", "line 29999", "line 30000"]


def test_a_text_is_bounded_and_says_where_to_go_on() -> None:
    text = line_window(reading(b"x" * 900 + b"\n" + b"y" * 5_000 + b"\n" + b"z\n" * 40_000), 1, 400)
    assert len(text) <= log_window.TEXT_CHARS + 200
    assert "2: " + "y" * 900 in text
    assert "y" * 1_001 not in text
    many = line_window(reading(b"x" * 900 + b"\n" * 1 + (b"w" * 900 + b"\n") * 50), 1, 400)
    assert many.splitlines()[-1] == "There is more: go on with from_line=14."


def test_an_attempt_that_begins_meanwhile_is_no_part_of_the_text() -> None:
    with pytest.raises(ApiError, match="Another attempt began"):
        line_window(reading(NUMBERED, attempts=(0, 1)), 20_000, 5)


def test_lines_too_far_into_a_large_log_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_window, "SCAN_BYTES", 64 * 1024)
    with pytest.raises(ApiError, match="name bytes"):
        line_window(reading(NUMBERED), 20_000, 5)


def test_bytes_are_read_in_their_encoding() -> None:
    text = byte_window(reading("错误：磁盘已满\n".encode("gb18030") * 20), 0, 4_000)
    assert "错误：磁盘已满" in text


def test_an_empty_log_says_where_those_of_files_are() -> None:
    assert "search_step" in line_window(reading(b""), 1, 10)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_lines_in_utf_16_are_read_in_it(encoding: str) -> None:
    log = "错误：磁盘已满\nok\n在 /var 上\n第四行 done\n".encode(encoding)
    assert line_window(reading(log), 1, 2).splitlines()[1:3] == ["1: 错误：磁盘已满", "2: ok"]
    # A byte of this letter is that of a newline, so lines are counted there as well.
    for first in (3, -4):
        shown = line_window(reading(log), first, 4).split("\n")
        letters = "".join(line.split(": ")[-1] for line in shown)
        assert "在 /var 上第四行 done" in letters


def test_a_line_in_utf_16_amid_others_is_read_in_it() -> None:
    log = b"before\n" + "错误：磁盘已满了".encode("utf-16-le") + b"\nbehind\n"
    for first in (2, -2):
        assert "错误：磁盘已满了\n" in line_window(reading(log), first, 2)
