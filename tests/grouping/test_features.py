"""Features of logs: bounded, and the same however logs are taken together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joblogs.grouping.features import HEAD_BYTES, TAIL_BYTES, LogSample, features_of, looked_at
from joblogs.grouping.slots import slot
from joblogs.grouping.tables import Table

BYTES_MAX = 2_000


def features(data: bytes, *names: bytes) -> bytes:
    (packed,) = features_of([LogSample(data, names)])
    return packed


TEXTS = st.lists(
    st.sampled_from(["ok 1", "ok 2", "took 3 s", "", "a b c", "42", "über 7 %", "\x1b[1mx\x1b[0m"]),
    max_size=300,
).map(lambda lines: "\n".join(lines).encode())


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=400) | TEXTS, max_size=5))
def test_logs_have_together_the_features_that_they_have_alone(texts: list[bytes]) -> None:
    together = list(features_of(map(LogSample, texts)))
    assert together == [features(text) for text in texts]
    assert all(len(packed) <= BYTES_MAX for packed in together)


@pytest.mark.parametrize(
    "line", ["{} {} {} {}\n", "word\n", "x{}\n", "{}%\n", "1\n", "key{} = {}\n"]
)
def test_features_of_a_long_log_stay_small(line: str) -> None:
    text = "".join(line.format(*(n * 7919 % (k + 5) for k in range(4))) for n in range(50_000))
    assert len(features(text.encode())) <= BYTES_MAX


def test_of_a_long_log_the_head_and_the_tail_are_looked_at() -> None:
    lines = b"".join(b"line %d\n" % number for number in range(60_000))
    seen = looked_at(lines)
    assert len(seen) <= HEAD_BYTES + TAIL_BYTES < len(lines)
    assert seen.startswith(b"line 0\n")
    assert seen.endswith(b"\nline 59999\n")
    assert set(seen.splitlines()) <= set(lines.splitlines())
    assert features(lines) != features(lines + b"failed\n")


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        (b"4", b"400"),
        (b"4 GB", b"400 GB"),
        (b"900 MB", b"4 GB"),
        (b"30ms", b"3 s"),
        (b"5h", b"12 days"),
        (b"10 kB/s", b"2 MB/s"),
        ("3 秒".encode(), "5 分钟".encode()),
    ],
)
def test_amounts_of_one_kind_have_an_order(smaller: bytes, larger: bytes) -> None:
    assert slot(smaller) >> 24 < slot(larger) >> 24


def test_the_same_value_has_the_same_slot_alone_and_in_a_log() -> None:
    values = [b"0", b"7", b"007", b"00012", b"12345678901", b"1.5", b"3 s", b"2026-11-30", b"v1.2"]
    table = Table([[features(b"is " + value)] for value in values])
    entries = table.entries(np.arange(len(values)))
    assert table.slots(entries.first_slots + 1, 1)[:, 0].tolist() == [slot(one) for one in values]


def test_logs_of_a_host_count_as_one() -> None:
    first, second = b"begin 1\nok\n", b"ok\nend 2\n"
    table = Table([[features(first), features(second)], [features(first + second)]])
    one, other = table.entries(np.array([0])), table.entries(np.array([1]))
    assert one.keys.tolist() == other.keys.tolist()
    assert table.lasts[0] == table.lasts[1]


def test_equal_logs_have_the_features_of_one_whatever_came_between() -> None:
    logs = [
        LogSample(b"version %d on web-%d\n" % (number % 3, number), (b"web-%d" % number,))
        for number in range(9)
    ]
    known: dict[bytes, bytes] = {}
    made = list(features_of(logs, known))
    assert made == [next(features_of([log])) for log in logs]
    assert len(set(made)) == len(known) == 3
    assert list(features_of(logs, known)) == made
