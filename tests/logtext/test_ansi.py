"""Whatever a machine printed, the page shows it and obeys none of it."""

from __future__ import annotations

import re
import time
import unicodedata
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext.ansi import PLAIN, Mark, Painter, styled, visible
from joblogs.logtext.encodings import CHOICES

STATIC = Path(__file__).resolve().parents[2] / "joblogs" / "static" / "joblogs"
PIECES = [
    b"text <script>alert(1)</script> & \"q\" 'a'",
    b"\x1b[31m",
    b"\x1b[1;4;38;5;208m",
    b"\x1b[48:2::10:200:30m",
    b"\x1b[38;5:1m",
    b"\x1b[48;2;1:2;3m",
    b"\x1b[0m",
    b"\x1b[2K",
    b"\x1b]0;title<b>\x07",
    b"\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\",
    b"\x1b",
    b"\x1b[",
    b"\x1b]",
    b"\x00\r\x08\x7f\t",
    "\u202eevil\u2066\u200b\u2028\x85".encode(),
    "磁盘".encode(),
    "磁盘".encode("gb18030"),
    b"\xff\xc3",
]
HOSTILE = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=20).map(b"".join)
TAG = re.compile(r'<(?:span|mark|i) class="[a-z0-9 ]+">|</(?:span|mark|i)>')

CODECS = sorted({*CHOICES.values()} - {"utf-16"})  # which is decoded before


def _text(html: str) -> str:
    return TAG.sub("", html)


def _painted(data: bytes, encoding: str = "utf-8") -> str:
    return Painter(encoding).line(data)


@given(HOSTILE, st.sampled_from(CODECS))
def test_without_our_tags_nothing_is_left_that_a_browser_or_terminal_obeys(
    data: bytes, encoding: str
) -> None:
    text = _text(_painted(data, encoding))
    assert not set(text) & set("<>\"'")
    assert not [c for c in text if c != "\t" and unicodedata.category(c) in _UNSEEN]


_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_every_character_that_unicode_calls_unseen_is_made_visible() -> None:
    for code in range(0x110000):
        if unicodedata.category(chr(code)) in _UNSEEN and code != 9:
            assert visible(chr(code)) != chr(code), hex(code)


def _is_seen(character: str) -> bool:
    """Neither one of the unseen categories nor of the plane of tags and selectors."""
    unseen = _UNSEEN | {"Cn"}
    tags = "\U000e0000" <= character <= "\U000e0fff"
    return unicodedata.category(character) not in unseen and not tags


@given(st.text(st.characters(codec="utf-8").filter(_is_seen)))
def test_plain_text_reads_as_it_is(text: str) -> None:
    assert unescape(_painted(text.encode())) == text


@given(HOSTILE)
def test_painting_piece_by_piece_between_sequences_carries_the_style(data: bytes) -> None:
    one, two = Painter(), Painter()
    whole = one.line(b"\x1b[1;32m" + data)
    two.line(b"\x1b[1;32m")
    assert two.line(data) == whole


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\x00b", 'a<i class="ctl">\\x00</i>b'),
        (b"\x1b[2Kx", '<i class="ctl">\\x1b[2K</i>x'),
        ("\u202eabc".encode(), '<i class="ctl">⟨U+202E⟩</i>abc'),
        (b"\xff\xfe", '<i class="ctl">\\xff\\xfe</i>'),
        (b"\x1b]0;t\x07", '<i class="ctl">\\x1b]0;t\\x07</i>'),
        (b"10%\r20%", '10%<i class="ctl">\\r</i>20%'),
        (b"\x1b[31mred\x1b[0m off", '<span class="f1">red</span> off'),
        (b"\x1b[1;94mx", '<span class="f12 bold">x</span>'),
        (b"\x1b[38;5;208mx", '<span class="f3">x</span>'),
        (b"\x1b[38;2;255;0;0mx", '<span class="f1">x</span>'),
        (b"\x1b[38:2::255:0:0mx", '<span class="f1">x</span>'),
        (b"\x1b[48;5;21mx", '<span class="b4 ond">x</span>'),
        (b"\x1b[38;5;231;48;5;16mx", '<span class="f15 b0 ond">x</span>'),
        (b"\x1b[38;5;244mx", '<span class="f8">x</span>'),
        (b"\x1b[41;37mx", '<span class="f7 b1 ond">x</span>'),
        (b"\x1b[7mx", '<span class="b7 onl">x</span>'),
        (b"\x1b[4:3mx\x1b[4:0my", '<span class="undl">x</span>y'),
        (b"\x1b[31;41mx", '<span class="f1">x</span>'),  # its own colour on itself: not hidden
        (b"\x1b[8msecret", "secret"),
    ],
)
def test_it_is_shown_like_this(data: bytes, expected: str) -> None:
    assert _painted(data) == expected


def test_gbk_is_text_where_the_reader_says_so() -> None:
    data = "通知:价格".encode("gb18030")
    assert _painted(data, "gb18030") == "通知:价格"
    assert _painted(data) != "通知:价格"


def test_what_is_marked_is_marked_and_still_escaped() -> None:
    html = Painter().line(b"\x1b[31ma <b> c", [Mark(7, 10, "hit")])
    assert html == (
        '<span class="f1">a </span><mark class="hit"><span class="f1">&lt;b&gt;</span></mark>'
        '<span class="f1"> c</span>'
    )


@given(st.text("0123456789;:", max_size=40))
def test_no_parameters_break_a_style(codes: str) -> None:
    styled(PLAIN, codes).classes()


@pytest.mark.parametrize(
    "unit", [b"\x1b[", b"\x1b]", b"\x1b[1;", b"1;", b"\x1b]8;;", b"\xff", b"\x1b[9m", b"\x00a"]
)
@pytest.mark.slow
def test_time_is_in_proportion_to_the_bytes(unit: bytes) -> None:
    # A quadratic way through would take minutes here.
    started = time.process_time()
    _painted(b"\x1b[" + unit * (250_000 // len(unit)) + b"m")
    assert time.process_time() - started < 5


@given(st.text("0123458:;", max_size=12))
def test_whatever_the_parameters_of_a_colour_are_it_is_one_of_16_or_none(codes: str) -> None:
    for start in ("", "38;", "48;5;", "38;2;1;"):
        style = styled(PLAIN, start + codes)
        assert {style.front, style.back} <= {None, *range(16)}
    assert _text(_painted(f"\x1b[{codes}mtext".encode())) == "text"


def test_the_style_sheet_has_each_colour_as_the_nearest_is_reckoned() -> None:
    css = (STATIC / "ansi.css").read_text(encoding="utf-8")
    for number in range(16):
        assert css.count(f".f{number}{{") == css.count(f".b{number}{{") == 1
        (colour,) = re.findall(rf"--p{number}:#([0-9a-f]{{6}})", css)
        red, green, blue = bytes.fromhex(colour)
        assert styled(PLAIN, f"38;2;{red};{green};{blue}").front == number
