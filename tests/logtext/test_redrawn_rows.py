"""Lines that are redrawn all at once read as a terminal would have left each of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext.redrawn_rows import redrawn_rows
from joblogs.logtext.terminal import last_seen

PIECES = (
    *("a", "bc", "10%", " ", "磁盘", "é", "ｱ", "\u0301", "\t", "\x00", "\x01", "\x02", "\x07"),
    *("\r", "\r", "\r", "\x08", "\x08\x08", "\x1b[K", "\x1b[0K", "\x1b[2K", "\x1b[J", "\x1b[1K"),
    *("\x1b[31m", "\x1b[0m", "\x1b[G", "\x1b[1G", "\x1b[9G", "\x1b[2F", "\x1b[1A", "\x1b[1B"),
    *("\x1b[E", "\x1b[2J", "\x1b[3C", "\x1b[?25l", "\x1b]0;title\x07", "\x1b]8;;x\x1b\\", "\x1b"),
    *("\x1b(B", "\x1b(0", "\x1b[", "\x1b[3", "\x1b=", "\x9b", "\x85", "\ufeff", "\x0f", "\x0e"),
)
BYTES = st.sampled_from((b"\xff", b"\x9b", b"\xe7\xa3", b"\xc2"))
LINES = st.lists(
    st.one_of(
        st.sampled_from(PIECES).map(str.encode), st.sampled_from(PIECES).map(str.encode), BYTES
    ),
    max_size=24,
).map(b"".join)
PLAIN = st.lists(st.sampled_from(PIECES[:24]).map(str.encode), max_size=24).map(b"".join)


@given(st.lists(st.one_of(LINES, PLAIN), max_size=6))
def test_each_line_is_what_a_terminal_would_have_left(lines: list[bytes]) -> None:
    for line, row in zip(lines, redrawn_rows(lines), strict=True):
        if row is not None:
            assert row == "\n".join(last_seen(line)).encode(errors="surrogateescape")


def test_what_progress_bars_do_needs_no_more() -> None:
    lines = [
        b"10%\r20%\r100%",
        b"\x1b[2K\r 5.1 MB \x1b[32m===\x1b[0m\x1b[K",
        b"\x1b[1A\x1b[2K\rab12: Downloading\r\x1b[1B",
        b"\x1b[?25l\x1b[1G\x1b[0Kdone\x1b[K",
        "下载 10%\r下载 完".encode(),
        b"|\x08/\x08-\x08",
        b"",
    ]
    assert redrawn_rows(lines) == [
        b"100%",
        b" 5.1 MB ===",
        b"ab12: Downloading",
        b"done",
        "下载 完%".encode(),
        b"-",
        b"",
    ]


def test_a_line_that_is_erased_again_and_again_is_left_to_the_terminal() -> None:
    line = b"x" * 30_000 + b"\x1b[2Ky" * 40
    assert redrawn_rows([line]) == [None]
