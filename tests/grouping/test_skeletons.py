"""Skeletons: what differs from run to run is a slot, what may be the point stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.grouping.cleaning import cleaned, origins
from joblogs.grouping.skeletons import SkeletonLine, lines_of_each, skeletons

NAMES = (b"web-1.example.com", b"10.0.0.1")


def _lines_of(text: bytes) -> list[SkeletonLine]:
    (lines,) = lines_of_each([text])
    return lines


def skeletons_of(text: str) -> list[bytes]:
    return [line.skeleton for line in _lines_of(cleaned(text.encode(), NAMES))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("up 12 days,  3:04,  2 users, load: 0.12, 0.08", "up 3 min,  1 user, load: 1.02, 2.20"),
        ("Nov 30 03:11:09 sshd[99]: ready", "Dec  1 23:01:59 sshd[100123]: ready"),
        ("November 5, 2026 at 08:00", "December 14, 2026 at 19:30"),
        ("started at 2026-11-30T03:11:09.123Z", "started at 2026-12-01T00:00:00Z"),
        ("GPU 00000000:AF:00.0 is on", "GPU 00000000:3B:00.0 is on"),
        ("took 3m 12s", "took 44 seconds"),
        ("sent 1,204,331 bytes at 11.2 M kB/s", "sent 88 bytes at 617 kB/s"),
        ("pod api-7d9c6bffcd-x2x8q is up", "pod api-55d4bcf9d7-kzzlw is up"),
        ("[  12.345678] usb 1-1", "[12345.678901] usb 1-1"),
        ("( 5%) done", "(15%) done"),
        ("block blk_-16089 received", "block blk_76312 received"),
        ("星期一 上午08:00 开始", "星期五 下午19:00 开始"),
        ("磁盘剩余5G，耗时 30 秒", "磁盘剩余90G，耗时 2 分钟"),
        ("Up About an hour", "Up 3 hours"),
        ("\x1b[32mok\x1b[0m 1", "ok 2"),
        ("10 %\r 20 %\r100 %", "100 %"),
        ("⠋ building 1", "⠙ building 2"),
        ("hello from web-1", "hello from WEB-1"),
        ("in /var/folders/zz/a1/T", "in /var/folders/yy/b2/T"),
        (
            "key SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDAbcdEFG",
            "key SHA256:AbiVztksCsDhcc0u9e8BgrJXVGDxyzU",
        ),
    ],
)
def test_what_differs_from_run_to_run_is_a_slot(one: str, other: str) -> None:
    assert skeletons_of(one) == skeletons_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("service is running", "service is stopped"),
        ("健康检查成功", "健康检查失败"),
        ("listening on 10.0.0.7:8080", "listening on 10.0.0.7"),
        ("connected to web-2", "connected to web-1"),
        ("user added to group users", "user added to group wheel"),
    ],
)
def test_other_words_are_another_line(one: str, other: str) -> None:
    assert skeletons_of(one) != skeletons_of(other)


def test_a_slot_is_where_it_is_in_the_text() -> None:
    text = b"\nport 8080 of 10.0.0.9:443,  took 3 min 20 s\n"
    (line,) = _lines_of(text)
    assert line.number == 1
    assert [text[a:b] for a, b in line.slots] == [b"8080", b"10.0.0.9", b"443", b"3 min 20 s"]


@given(st.lists(st.text(alphabet="ab1 .:,-/\n\r\x1b[m\x08中%s").map(str.encode), max_size=4))
def test_texts_have_together_the_skeletons_that_they_have_alone(texts: list[bytes]) -> None:
    clean = [cleaned(text, NAMES) for text in texts]
    together = skeletons(clean).rows if clean else []
    assert together == [row for text in clean for row in skeletons([text]).rows]


@given(st.binary(max_size=300) | st.text(alphabet="web-1 tmp.\r\x08\x1b[0m上午8⠋x").map(str.encode))
def test_a_clean_line_knows_where_its_bytes_were(text: bytes) -> None:
    line = text.replace(b"\n", b" ")
    clean, places = origins(line, NAMES)
    assert clean == cleaned(line, NAMES)
    assert len(places) == len(clean) + 1
    assert places == sorted(places)
    assert places[-1] == len(line)
    assert cleaned(text, NAMES).count(b"\n") == text.count(b"\n")


def test_lines_of_many_texts_are_the_lines_of_each() -> None:
    texts = [b"", b"took 3m 12s\n\nsent 8 users", b"\n", b"web 1.2.3 up\n" * 30_000, b"a 5%", b""]

    assert list(lines_of_each(texts)) == [_lines_of(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (b"web-1.example.com web-1 web-1x xweb-1", b"\2 \2 web-1x xweb-1"),
        (b"WEB-1:web-1/web-10", b"\2:\2/web-10"),
        (b"web-1.example.community", b"\2.example.community"),
        ("é10.0.0.1é 110.0.0.1".encode(), "é\2é 110.0.0.1".encode()),
    ],
)
def test_own_names_are_words_and_the_longest_one_counts(text: bytes, clean: bytes) -> None:
    assert cleaned(text, NAMES) == clean


def test_random_names_are_known_by_what_stands_before_them() -> None:
    text = b"SHA256:abcdefg tmp.uvwxyz\nxtmp.uvwxyz aSHA256:abcdefg tmp_ab\n"

    assert cleaned(text) == b"SHA256:0 tmp.0\nxtmp.uvwxyz aSHA256:abcdefg tmp_ab\n"


@pytest.mark.parametrize(
    "name", ["deploy.zmjuab", "deploy.HzyglB", "deploy.a1b2c3", "my-app.AdoEke"]
)
def test_a_temporary_name_is_a_slot(name: str) -> None:
    (line,) = _lines_of(cleaned(f"unpacked to /tmp/{name} and left\n".encode()))
    assert line.skeleton.startswith(b"unpacked to /tmp/")
    assert line.skeleton.endswith(b"\x01 and left")
    assert name.partition(".")[2].encode() not in line.skeleton
