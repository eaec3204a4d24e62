"""Lines that say when they were printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext.line_times import line_time, seconds_between


@pytest.mark.parametrize(
    ("before", "after", "seconds"),
    [
        ("2026-11-30T10:00:00.250Z start", "2026-11-30T10:00:07.750Z end", 7.5),
        ("[2026-11-30 23:59:50][PID:1] a", "[2026-12-01 00:00:05][PID:1] b", 15),
        ("2026/11/30 10:00:00 a", "2026/11/30 10:01:00 b", 60),
        ("INFO 2026-11-30 10:00:00,100 a", "WARN 2026-11-30 10:00:02,600 b", 2.5),
        ("Nov 30 10:00:00 web-1 sshd[1]: a", "Nov 30 11:00:00 web-1 sshd[1]: b", 3600),
        ("Nov  9 10:00:00 web-1 a", "Nov 10 10:00:00 web-1 b", 86400),
        ("[08:00:01] a", "[08:00:31] b", 30),
        ("23:59:59 a", "00:00:09 b", 10),
        ("[    1.250000] usb", "[   11.250000] usb", 10),
        ("1700000000.5 a", "1700000010.5 b", 10),
    ],
)
def test_between_two_lines_passed_so_many_seconds(before: str, after: str, seconds: float) -> None:
    assert seconds_between(line_time(before), line_time(after)) == pytest.approx(seconds)
    assert seconds_between(line_time(after), line_time(before)) == 0


@pytest.mark.parametrize(
    "text",
    ["", "no time", "version 10:00", "2026-13-40 10:00:00 x", "took 12 s", "a:b:c", "[123] x"],
)
def test_this_says_no_time(text: str) -> None:
    assert line_time(text) is None


def test_times_of_different_kinds_are_not_compared() -> None:
    assert seconds_between(line_time("10:00:00 a"), line_time("2026-11-30 11:00:00 b")) == 0
    assert seconds_between(None, line_time("11:00:00 b")) == 0


@given(
    st.text(max_size=200) | st.from_regex(r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d", fullmatch=True)
)
def test_whatever_a_line_begins_with_nothing_breaks(text: str) -> None:
    line_time(text)
