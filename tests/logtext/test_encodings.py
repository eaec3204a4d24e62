"""Which encodings a text may be in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext.encodings import LEGACY, UTF8, encodings, recoded
from joblogs.logtext.utf16_streams import without_utf16

CHINESE = "备份失败: 磁盘空间不足\r\n"
JAPANESE = "バックアップに失敗しました\r\n"
KOREAN = "백업 실패: 디스크 공간 부족\r\n"


@pytest.mark.parametrize(
    ("text", "name"), [(CHINESE, "gb18030"), (JAPANESE, "cp932"), (KOREAN, "cp949")]
)
def test_what_is_not_utf_8_may_be_in_each_of_the_others(text: str, name: str) -> None:
    found = encodings(text.encode(name))
    assert sorted(found) == sorted((UTF8, *LEGACY))
    assert recoded(text.encode(name), name) == text.encode()


@pytest.mark.parametrize("text", ["", "plain\n", CHINESE, JAPANESE, "é\0\n", "\ufeff" + KOREAN])
def test_utf_8_is_known_by_its_bytes_a_cut_letter_at_the_end_included(text: str) -> None:
    data = text.encode()
    assert all(encodings(data[:end]) == (UTF8,) for end in (len(data), len(data.rstrip()) - 1))


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [CHINESE, "error: " + JAPANESE, "plain text\n", "\x1b[31mred\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf_16_is_known_by_its_mark_or_its_zeros(name: str, text: str, mark: str) -> None:
    data = (mark + text).encode(name)
    assert encodings(data) == (name,)
    assert encodings(data, start=False) != (name,)
    pieces = [data[at : at + 3] for at in range(0, len(data), 3)]
    assert b"".join(without_utf16([data])) == (mark + text).encode()
    assert b"".join(without_utf16([data[:9], *pieces[3:]])) == (mark + text).encode()


@pytest.mark.parametrize(
    "data", [b"\0" * 100, bytes(range(256)) * 4, b"a\0b", b"\x7fELF\x02\x01\0\0"]
)
def test_zeros_alone_are_no_utf_16(data: bytes) -> None:
    assert encodings(data)[0] == UTF8
    assert b"".join(without_utf16([data])) == data


@given(st.binary(max_size=300))
def test_whatever_comes_can_be_read_in_each_of_what_it_may_be_in(data: bytes) -> None:
    for name in encodings(data):
        assert isinstance(recoded(data, name).decode(), str)
