"""Parts in UTF-16 are told from what else a log holds."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext.utf16_parts import parts_as_utf8, utf16_parts
from joblogs.logtext.utf16_streams import without_utf16

TEXTS = {
    "chinese": "备份失败: 磁盘空间不足\r\n",
    "chinese without zeros": "数据库连接被拒绝，请稍后再试。",
    "short": "备份失败",
    "japanese": "バックアップに失敗しました\r\n",
    "korean": "백업 실패: 디스크 공간 부족\r\n",
    "english": "Get-Item : Cannot find path 'C:\\x'\r\n",
    "russian": "Ошибка: диск заполнен\r\n",
    "frames": "┌──┐\r\n│ok│\r\n",
}
AROUND = {
    "all of it": ("", ""),
    "behind a line": ("ok\n", "next line\n"),
    "in a line": ("result: ", "\n"),
    "in utf-8": ("中文第一行\n", "中文第二行\n"),
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_part_is_found_wherever_it_begins_and_ends(text: str, around: str, mark: str) -> None:
    before, after = AROUND[around]
    if not mark and (text, around) == ("russian", "in a line"):
        pytest.skip("': ' before it reads as a letter of it, and nothing says that it is none")
    part = mark + TEXTS[text]
    data = before.encode() + part.encode("utf-16-le") + after.encode()
    assert parts_as_utf8(data).decode() == before + part + after


@pytest.mark.parametrize("text", TEXTS)
def test_the_other_order_of_bytes_is_found_too(text: str) -> None:
    data = b"ok\n" + f"\ufeff{TEXTS[text]}".encode("utf-16-be") + b"next line\n"
    assert parts_as_utf8(data).decode() == f"ok\n\ufeff{TEXTS[text]}next line\n"


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 100,
        b"a\0b",
        b"/usr/share/doc/file1\0/usr/lib\0" * 20,
        "国标的一行文字,没有问题\n".encode("gb18030") * 5,
        "国标的一行文字,没有问题\n".encode("gb18030") * 5 + b"\xff\0",
        "バックアップに失敗\n".encode("cp932") * 5,
        "백업 실패\n".encode("cp949") * 5,
        "accès refusé, déjà vu\n".encode("cp1252") * 5,
        "磁盘空间不足\n".encode() * 5 + b"\xe5\xa4\n",
        b"aN" * 500 + b"\0",
    ],
)
def test_what_is_in_something_else_is_left_as_it_is(data: bytes) -> None:
    assert utf16_parts(data) == []
    assert parts_as_utf8(data) is data


def test_of_noise_hardly_anything_is_taken_for_text() -> None:
    data = random.Random(7).randbytes(200_000)  # noqa: S311 - no secret
    assert sum(part.end - part.start for part in utf16_parts(data)) < len(data) / 100


@given(st.binary(max_size=300))
def test_parts_of_any_bytes_lie_apart_in_their_order(data: bytes) -> None:
    position = 0
    for part in utf16_parts(data):
        assert position <= part.start < part.end <= len(data)
        position = part.end
    assert isinstance(parts_as_utf8(data), bytes)


@pytest.mark.parametrize("size", [4096, 10_000, 100_000])
def test_what_goes_on_in_ascii_is_read_as_that(size: int) -> None:
    lines = TEXTS["chinese"] * 400
    data = f"\ufeff{lines}".encode("utf-16-le") + b"tar: done, 12 files written\n"
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(without_utf16(parts)).decode() == (
        f"\ufeff{lines}tar: done, 12 files written\n"
    )


def test_each_of_many_lines_of_a_text_is_a_part() -> None:
    one = "中文测试".encode("utf-16-le")
    parts = utf16_parts((one + b"\n") * 5_000)
    size = len(one) + 1
    assert [part.start for part in parts] == list(range(0, 5_000 * size, size))
    assert {part.end - part.start for part in parts} == {len(one)}
