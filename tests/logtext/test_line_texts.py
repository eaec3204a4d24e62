"""Lines of bytes have the text of the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext import line_texts as reading
from joblogs.logtext.line_texts import Bytes

TEXT = "\ufeffone\r\n\r\n磁盘上 上海 ਊ\nU+0A00: \u0a00 a\n\nlast"


def line_texts(lines: list[Bytes], encoding: str) -> list[str]:
    return [line.text for line in reading.line_texts(lines, encoding)]


def _lines(data: bytes) -> list[Bytes]:
    lines, at = [], 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        lines.append(Bytes(at, data[at:end]))
        at = end
    return lines


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_the_lines_of_a_text_are_its_lines(encoding: str) -> None:
    texts = line_texts(_lines(TEXT.encode(encoding)), encoding)
    assert "".join(texts) == TEXT
    ends = [text for text in texts if text.endswith("\n")]
    assert len(ends) == TEXT.count("\n")


@given(st.text(st.sampled_from("ab\r\n上ਊ\u0a00\u0100磁"), max_size=40))
def test_no_letter_is_lost_or_made_whatever_stands_beside_a_newline(text: str) -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        assert "".join(line_texts(_lines(text.encode(encoding)), encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_lines_from_within_a_text_are_read_in_step_with_it(encoding: str) -> None:
    lines = _lines("first\nsecond\nthird\n".encode(encoding))
    assert line_texts(lines[1:], encoding)[:2] == ["second\n", "third\n"]
    assert line_texts([lines[0], lines[2]], encoding)[:2] == ["first\n", "third\n"]


@given(
    st.lists(st.binary(max_size=9), max_size=6), st.sampled_from(["utf-16-le", "gb18030", "cp949"])
)
def test_any_bytes_have_a_text(data: list[bytes], encoding: str) -> None:
    assert len(line_texts([Bytes(at * 20, one) for at, one in enumerate(data)], encoding)) == len(
        data
    )


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-16-le", ""), ("utf-16-le", "\ufeff"), ("utf-16-be", "\ufeff")]
)
def test_lines_in_several_encodings_are_each_read_in_their_own(encoding: str, mark: str) -> None:
    shell = f"{mark}备份失败: 磁盘空间不足\r\nGet-Item : not found\r\n"
    data = (
        "第一行是 UTF-8\n".encode()
        + "国标的一行文字\n".encode("gb18030")
        + shell.encode(encoding)
        + b"plain\n"
        + "バックアップに失敗しました\n".encode("cp932")
    )
    texts = reading.line_texts(_lines(data), "utf-8", mixed=True)
    assert "".join(line.text for line in texts) == (
        f"第一行是 UTF-8\n国标的一行文字\n{shell}plain\nバックアップに失敗しました\n"
    )
    names = {name for line in texts for name in line.encodings}
    assert names == {"utf-8", "gb18030", "cp932", encoding}


@given(st.lists(st.sampled_from(["ab\n", "磁盘上\r\n", "\0"]), max_size=8))
def test_read_each_in_its_own_no_line_is_lost(pieces: list[str]) -> None:
    data = b"".join(
        piece.encode("utf-16-le" if index % 3 == 1 else "utf-8")
        for index, piece in enumerate(pieces)
    )
    assert len(reading.line_texts(_lines(data), "utf-8", mixed=True)) == len(_lines(data))
