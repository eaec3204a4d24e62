"""Where a log first tells of trouble."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.query import BytesText
from joblogs.search import FirstError, first_error, tells_of_error


@pytest.mark.parametrize(
    "line",
    [
        b"ERROR: disk full",
        b"tar: layer.bin: Cannot write: No space left on device",
        b"curl: (7) Failed to connect to 10.0.0.1",
        b"./run.sh: line 8: 71234 Segmentation fault (core dumped)",
        b"Traceback (most recent call last):",
        b"fatal: [web-1]: UNREACHABLE! => {}",
        b"ok=2 changed=1 unreachable=0 failed=1",
        b"sh: foo: command not found",
        "磁盘写入失败".encode(),
        b"2 errors, 0 warnings",
        b"\x1b[1;31mERROR\x1b[0m disk",
    ],
)
def test_this_tells_of_trouble(line: bytes) -> None:
    assert tells_of_error(line) is not None


@pytest.mark.parametrize(
    "line",
    [
        b"all is well",
        b"0 errors, 0 warnings",
        b"finished without errors",
        b"ok=2 changed=1 unreachable=0 failed=0",
        b'{"failed": false, "error": null}',
        b"writing /var/log/error.log",
        b"curl --fail-early --show-error https://host",
        b"terrorist, failover, timeouts_total",
        b"\x1b[0;32mfailed=0\x1b[0m",
    ],
)
def test_this_does_not(line: bytes) -> None:
    assert tells_of_error(line) is None


@given(st.integers(0, 300), st.integers(1, 64))
def test_it_is_found_wherever_it_is_and_however_the_text_is_read(before: int, block: int) -> None:
    text = BytesText(b"fine\n" * before + b"ERROR\n" + b"fine\n" * 3)
    assert first_error(text, block_bytes=block) == FirstError(before * 5)
    assert first_error(text, start=before * 5 + 6, block_bytes=block) == FirstError(None)


def test_in_a_line_without_end_it_is_found_at_its_byte() -> None:
    text = BytesText(b"x " * 500_000 + b"ERROR" + b" x" * 500_000)
    assert first_error(text, block_bytes=100_000).offset == 1_000_000


def test_a_search_that_takes_too_long_says_where_it_stopped() -> None:
    text = BytesText(b"fine\n" * 1_000_000)
    found = first_error(text, seconds=0.000001)
    assert found.offset is None
    assert 0 < (found.stopped_at or 0) < text.size
