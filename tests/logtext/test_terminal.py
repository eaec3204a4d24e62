"""A text reads as a terminal would have left it; nothing that a terminal obeys is printed raw."""

from __future__ import annotations

import re
import time
import tracemalloc
import unicodedata
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext.ansi import Mark
from joblogs.logtext.terminal import Screen, decoded, last_seen
from joblogs.logtext.terminal_lines import LinePainter
from joblogs.logtext.terminal_row import ScreenRow

TAG = re.compile(r'<(?:span|mark|i) class="[a-z0-9 ]+"(?: title="[^"<>]*")?>|</(?:span|mark|i)>')
CODES = [
    *("\r", "\n", "\b", "\t", "\a", "\0", "\x0b", "\x0c", "\x0e", "\x0f", "\x1b", "\x9b", "\x85"),
    *("\x1b[A", "\x1b[3B", "\x1b[99C", "\x1b[2D", "\x1b[E", "\x1b[F", "\x1b[5G", "\x1b[H"),
    *("\x1b[7;3f", "\x1b[2d", "\x1b[J", "\x1b[1J", "\x1b[2J", "\x1b[K", "\x1b[1K", "\x1b[2K"),
    *(
        "\x1b[2X",
        "\x1b[2P",
        "\x1b[s",
        "\x1b[u",
        "\x1b7",
        "\x1b8",
        "\x1bM",
        "\x1bD",
        "\x1bE",
        "\x1bc",
    ),
    *("\x1b[3@", "\x1b[L", "\x1b[2M", "\x1b[3b"),
    *("\x1b(0", "\x1b(B", "\x1b)0", "\x1b[31m", "\x1b[1;48;5;9m", "\x1b[m", "\x1b[3", "1m"),
    *("\x1b]0;title\x07", '\x1b]8;;http://x/"<b>\x1b\\', "\x1b]8;;\x07", "\x1b]2;open"),
    *("\x1bPq\x1b\\", "\x1b_app\x07"),
    *("<b>&", "日本", "e\u0301", "\u202e", "\ufeff", "text ", "\udc9b1m", "\udcff", "👩\u200d👧"),
]
TEXTS = st.lists(st.sampled_from(CODES) | st.text(max_size=6), max_size=40).map("".join)


_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_SEEN = st.characters(
    exclude_categories=("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"), max_codepoint=0xDFFFF
)


def _rows(text: str, *, at_start: bool = True) -> list[ScreenRow]:
    screen = Screen(at_start=at_start)
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        screen.feed(line + "\n" * (number < len(lines)), number)
    return screen.rows


def _read(text: str) -> list[str]:
    return [row.text for row in _rows(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("old text\r\x1b[Knew\n", ["new"]),
        ("100%\r50%\n", ["50%%"]),
        ("a\r\nb\r\r\n", ["a", "b"]),
        ("abc\b\b\bxyz\n", ["xyz"]),
        ("one\ntwo\n\x1b[2A\x1b[2KONE\n\x1b[KTWO\nthree\n", ["ONE", "TWO", "three"]),
        ("a\nb\nc\n\x1b[3F\x1b[Jz\n", ["z", "", ""]),
        ("one\ntwo\n\x1bM\x1b[3Cx\n", ["one", "twox"]),
        ("a\n\x1b7\x1b[Ab\x1b8c\n", ["b", "c"]),
        ("a\n\x1b[s\x1b[Ab\x1b[uc\n", ["b", "c"]),
        ("abcdef\x1b[4D\x1b[2Xx\n", ["abx ef"]),
        ("abcdef\x1b[4D\x1b[2P\n", ["abef"]),
        ("a\x1b[9Gb\n", ["a       b"]),
        ("a\x0bb\x0cc\n", ["a", " b", "  c"]),
        ("a\tb\r\x1b[9Gc\n", ["a\tc"]),
        ("a\tb\r\x1b[4Gc\n", ["a  c    b"]),
        ("日本\rx\n", ["x 本"]),
        ("日本\r\x1b[2Gx\n", [" x本"]),
        ("ding\a \0\x7f\ufeff.\n", ["ding ."]),
        ("\x1b[?25l\x1b[?2004h\x1b[>4;1mx\x1b[6n\x1b=\x1b[1;24r\n", ["x"]),
        ("\x1b(0lqqk\x1b(B lqqk\n", ["┌──┐ lqqk"]),
        ("\x1b)0\x0ex\x0fx\n", ["│x"]),
        ("\x1b]0;root@web: ~\x07$ ls\n", ["$ ls"]),
        ("\x1b]8;;https://e.example/\x1b\\link\x1b]8;;\x1b\\ end\n", ["link end"]),
        ("\x1b]0;never ended\nnext\n", ["never ended", "next"]),
        ("\x1b]1337;File=inline=1:AAAA\x07x\x1b_app;t=1\x07\x1bPq#0\x1b\\y\n", ["xy"]),
        ("\x1b[3\n1mx\n", ["", "x"]),
        ("\x1b[3\nno colour\n", ["", "no colour"]),
        ("first\n\x1b[2J\x1b[Hsecond\n", ["first", "second"]),
        ("\x1b[Hframe 1\nload 1\n\x1b[Hframe 2\nload 22\n", ["frame 2", "load 22"]),
        (
            "go\n\x1b7\x1b[24;0f 10%\x1b8one\n\x1b7\x1b[24;0f 90%\x1b8two\n",
            ["go", "one", "two", " 90%"],
        ),
        ("co\u00adop می\u200cخواهم नमस्\u200dते 👩\u200d👧 ❤\ufe0f\n", None),
    ],
)
def test_it_reads_as_it_was_last_seen(text: str, expected: list[str] | None) -> None:
    assert _read(text) == (expected or [text[:-1]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\r\x1b[31mERROR\x1b[0m disk", '<span class="f1">ERROR</span> disk'),
        ("\a\x1b[1mx", '<span class="bold">x</span>'),
        ("\ufeff\x1b[31mx", '<span class="f1">x</span>'),
        ("\x1b[1mT\x0f\x1b[31mx", '<span class="bold">T</span><span class="f1 bold">x</span>'),
        ("\x1b[58;5;1mx\x1b[59m", "x"),
        ("\x1b[1;58;2;9;0;0mx", '<span class="bold">x</span>'),
        ("\udc9b31mx\udc9b0my", '<span class="f1">x</span>y'),
        ("N\bNA\bA", '<span class="bold">N</span><span class="bold">A</span>'),
        ("_\bfx", '<span class="undl">f</span>x'),
        ("\x1b[31mone\r\x1b[32mx", '<span class="f2">x</span><span class="f1">ne</span>'),
        ("a\u202eb\u200bc\udcff", None),
    ],
)
def test_colours_are_kept_and_what_hides_text_is_named(text: str, expected: str | None) -> None:
    (row,) = _rows(text)
    named = '<i class="ctl">'
    hidden = f"a{named}⟨U+202E⟩</i>b{named}⟨U+200B⟩</i>c{named}\\xff</i>"
    assert row.html() == (expected or hidden)


def test_a_link_is_text_that_names_where_it_would_lead() -> None:
    (row,) = _rows('\x1b]8;id=1;javascript:alert("x")\x07<click>\x1b]8;;\x07')
    title = "javascript:alert(&quot;x&quot;)"
    assert row.html() == f'<span class="link" title="{title}">&lt;click&gt;</span>'


def test_a_redrawn_row_tells_what_it_was_and_by_which_lines() -> None:
    progress = "".join(f"\rfetching {n}%\x1b[K" for n in range(0, 101, 5))
    row, *_ = _rows(f"{progress}\nnext\n")
    count, states = row.earlier()
    assert (row.text, count) == ("fetching 100%", 20)
    assert [state.text for state in states] == [f"fetching {n}%" for n in range(0, 100, 5)]
    above, _, below = _rows("a 1\nb 1\n" + "".join(f"\x1b[2Fa {n}\nb {n}\n" for n in (2, 3)) + "c")
    assert (above.number, above.last, above.text) == (1, 5, "a 3")
    assert (below.number, below.last, below.text) == (7, 7, "c")
    assert [state.number for state in above.earlier()[1]] == [1, 3]


def test_rows_and_letters_are_inserted_deleted_and_repeated() -> None:
    assert _read("abc\x1b[2D\x1b[2@XY\n") == ["aXYbc"]
    assert _read("one\ntwo\n\x1b[1A\x1b[Lnew\n") == ["one", "new", "two"]
    assert _read("ab\x1b[3b\n") == ["abbbb"]
    one, three = _rows("one\ntwo\nthree\n\x1b[2A\x1b[M")
    assert (one.text, three.text) == ("one", "three")
    assert [state.text for state in three.earlier()[1]] == ["two"]


def test_a_line_whose_row_was_deleted_leads_to_what_stands_there() -> None:
    screen = Screen()
    for number, line in enumerate(["one\n", "two\n", "three\n", "\x1b[2A\x1b[M"], start=1):
        screen.feed(line, number)
    row = screen.row_of(2)
    assert row is not None
    assert row.text == "three"


def test_the_same_drawn_again_is_no_other_state() -> None:
    (row,) = _rows("same\rsame\r\x1b[2Ksame\x1b[2K\rsame")
    assert row.earlier() == (0, [])


def test_colours_within_one_state_make_no_more_of_it() -> None:
    (row,) = _rows("\x1b[31m10\x1b[0m%\r\x1b[31m20\x1b[0m%\r\x1b[31m30\x1b[0m%")
    assert [state.text for state in row.earlier()[1]] == ["10%", "20%"]


def test_of_very_many_states_all_are_counted_and_the_last_are_kept() -> None:
    (row,) = _rows("".join(f"\r{n}" for n in range(100_000, 105_000)))
    count, states = row.earlier()
    assert count == 4_999
    assert states[-1].text == "104998"
    assert len(states) <= 200


def test_above_a_text_that_begins_midway_there_may_be_rows() -> None:
    rows = _rows("c\n\x1b[3Aa\nb\n\n", at_start=False)
    assert [row.text for row in rows] == ["a", "b", "c"]


def test_what_is_marked_is_marked_where_it_stands_now() -> None:
    data = b"10% \x1b[31mERR\x1b[1mOR\x1b[0m & more\rdone"
    html = LinePainter().line(data, [Mark(9, 18, "hit")])
    assert html == (
        'done<mark class="hit"><span class="f1">ERR</span><span class="f1 bold">OR</span></mark>'
        " &amp; more"
    )
    assert LinePainter().line("磁盘 x".encode(), [Mark(3, 6, "hit")]) == (
        '磁<mark class="hit">盘</mark> x'
    )


@given(TEXTS)
def test_nothing_is_left_that_a_browser_or_terminal_obeys(text: str) -> None:
    html = "\n".join(row.html() for row in _rows(text))
    plain = TAG.sub("", html)
    assert not set(plain) & set("<>\"'")
    kept = "\t\n\u00ad\u200c\u200d"
    assert not [c for c in plain if c not in kept and unicodedata.category(c) in _UNSEEN]


@given(st.text(_SEEN | st.just("\n")))
def test_text_without_codes_reads_as_it_is(text: str) -> None:
    lines = text.removesuffix("\n").split("\n") if text else []
    assert last_seen(text.encode()) == lines
    assert [unescape(TAG.sub("", row.html())) for row in _rows(text)][: len(lines)] == lines


@given(TEXTS.map(lambda text: text.encode(errors="replace")) | st.binary(max_size=40))
def test_the_lines_to_compare_by_are_those_of_the_screen(data: bytes) -> None:
    rows = _read(decoded(data, "utf-8")[0])
    assert "\n".join(last_seen(data)).rstrip("\n") == "\n".join(rows).rstrip("\n")


@pytest.mark.parametrize(
    "unit",
    [
        *("\rx", "\b", "\bx", "a\r\x1b[K", "\x1b[A", "\x1b[99C\r", "\x1b[99Cx\n", "\x1b[H\n"),
        *("\x1b[9;9Hx", "\x1b[J", "\x1b[1Px", "\u0301", "日\r", "\x1b]8;;x\x07", "\x1b[", "\x1b]"),
        *("\x1b[9m", "\x0b", "\t\r", "\x1b7\x1b8", "\x1bM", "\x1b[99B", "x" * 300 + "\r\x1b[Cy"),
        *("x\r\x1b[9@", "\x1b[9L", "x\n\x1b[A\x1b[M", "a\x1b[9b"),
    ],
)
@pytest.mark.slow
def test_time_and_memory_are_in_proportion_to_the_text(unit: str) -> None:
    text = unit * (60_000 // len(unit))
    tracemalloc.start()
    started = time.process_time()
    rows = _rows(text, at_start=False)
    html = sum(len(row.html(4096)) for row in rows)
    taken = time.process_time() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A quadratic way through would take minutes, and gigabytes.
    assert taken < 9
    assert peak < 60_000_000
    assert html < 40 * len(text) + 1_200_000
