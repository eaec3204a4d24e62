"""Search finds what a text reads like, whatever codes and encodings its bytes are in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.query import BytesText, StepHost
from joblogs.search import (
    Hits,
    Pattern,
    find_in_text,
    first_error,
    first_error_line,
    occurs,
    spans,
    tells_of_error,
)
from joblogs.search.blocks import blocks
from joblogs.search.finder import Finder, Shown
from joblogs.search.signed_texts import SignedTexts

SPOKEN = (
    *("错误", "失败", "异常", "拒绝", "超时", "エラー", "失敗", "例外", "拒否", "タイムアウト"),
    *("오류", "실패", "예외", "거부", "시간 초과"),
)


def _hits(data: bytes, text: str, shown: Shown | None = None, **how: bool) -> Hits:
    hits = Hits(host=None, label="")  # type: ignore[arg-type]
    finder = Finder(hits, Pattern.of(text, **how), shown or Shown())
    for block in blocks([data[at : at + 300_000] for at in range(0, len(data), 300_000)]):
        finder.search(block)
    return hits


@pytest.mark.parametrize(
    ("line", "text", "regex"),
    [
        (b"ERR\x1b[31mOR\x1b[0m disk", "ERROR disk", False),
        (b"ERR\x1b[31mOR\x1b[0m disk", "^ERROR disk$", True),
        (b"done\r", "done$", True),
        (b"done\r\r", "^done$", True),
        (b"10%\rfinished", "^finished$", True),
        (b"10%\rfinished\x1b[K\rend", "^10%$", True),
        (b"10% of all done\r20%", "20% of all done", False),
        (b"10% of all done\r20%\r 3", " 3% of all done", False),
        (b"N\bNA\bAM\bME\bE", "NAME", False),
        (b"abc\x1b[2Dxy", "^axy$", True),
        (b"dis\x00k f\x07ull", "disk full", False),
        (b"\xef\xbb\xbfhello", "^hello$", True),
        (b"\x1b]8;;http://x/\x1b\\dis\x1b]8;;\x1b\\k", "disk", False),
        (b"\x1b]0;open title", "^open title$", True),
        (b"\x1b]8;;http://x/\x1b\\link", "http://x/", False),  # the bytes as they are as well
        ("磁\x1b[1m盘已满".encode(), "磁盘", False),
        ("磁\x1b[1m盘已满".encode("gb18030"), "磁盘", False),
        ("磁盘\r".encode("gb18030"), "磁盘$", True),
        ("accès refusé".encode("cp1252"), "refusé", False),
    ],
)
def test_a_line_is_found_by_what_it_reads(line: bytes, text: str, regex: bool) -> None:
    data = b"first\n" + line + b"\nlast\n"
    hits = _hits(data, text, regex=regex)
    assert [(found.number, found.matches) for found in hits.lines] == [(2, True)]
    assert occurs(Pattern.of(text, regex=regex), [data[:9], data[9:]])


@pytest.mark.parametrize(
    ("line", "text"),
    [(b"a\rb", "ab"), (b"ERR \x1b[31mOR", "ERROR"), (b"\x1b[31mred", "1mx"), (b"a\tb", "ab")],
)
def test_what_nobody_could_read_is_not_found(line: bytes, text: str) -> None:
    assert _hits(line + b"\n", text).count == 0


def test_the_line_is_given_with_its_codes_and_its_match_is_marked_with_them() -> None:
    line = b"x ERR\x1b[31mOR\x1b[0m disk ERROR"
    (found,) = _hits(line + b"\r\n", "error", ignore_case=True).lines
    assert found.data == line + b"\r\n"
    pattern = Pattern.of("error", ignore_case=True)
    assert spans(pattern, line, 10) == [(2, 12), (22, 27)]
    assert spans(pattern, line, 1) == [(22, 27)]


def test_of_a_line_of_megabytes_the_bytes_around_the_match_are_given() -> None:
    before = "磁".encode() * 1_000_000
    data = b"one\n" + before + b" disk ERR\x1b[1mOR here " + before + b"\ntwo\n"
    (found,) = _hits(data, "ERROR").lines
    assert found.number == 2
    assert b"disk ERR\x1b[1mOR here" in found.data
    assert len(found.data) <= 4096
    assert found.offset is not None
    assert data[found.offset :].startswith(found.data)
    found.data[:300].decode(errors="strict")


def test_without_a_match_beside_it_a_hit_is_counted_once() -> None:
    data = b"a\r\nERROR\r\nERR\x1b[0mOR\r\nok\r\nx ERROR ERR\x1b[mOR\n"
    hits = _hits(data, "ERROR", Shown(context=1))
    assert hits.count == 3
    assert [(line.number, line.matches) for line in hits.lines] == [
        (1, False),
        (2, True),
        (3, True),
        (4, False),
        (5, True),
    ]


@given(
    st.lists(
        st.sampled_from(
            [b"ab", b"a\x1b[1mb", b"\r", b"\n", b"\x1b[K", b"\b", b"x", b"\xff", b"\0"]
        ),
        max_size=40,
    ).map(b"".join)
)
def test_whatever_the_codes_no_line_is_lost_or_counted_twice(data: bytes) -> None:
    hits = _hits(data, "ab", Shown(hits=1000))
    assert hits.count == len(hits.lines) == len({line.number for line in hits.lines})
    certain = {n for n, line in enumerate(data.split(b"\n"), start=1) if b"ab" in line}
    assert certain <= {line.number for line in hits.lines}
    for line in hits.lines:
        for start, end in spans(Pattern.of("ab"), line.data, 10):
            assert 0 <= start < end <= len(line.data)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le", "utf-16-be"])
def test_trouble_is_found_in_the_encoding_of_the_log(encoding: str) -> None:
    text = "\ufeff一切正常 \n" * 3 + "磁盘写入失败\n"
    data = text.encode(encoding)
    at = first_error(BytesText(data)).offset
    assert at is not None
    assert data[at:].decode(encoding).startswith("失败")
    assert first_error(BytesText(data), start=at + 1).offset is None
    assert (
        first_error_line([data[:5], data[5:]]).decode(
            "utf-8" if encoding.startswith("utf") else encoding
        )
        == "磁盘写入失败"
    )


@pytest.mark.parametrize(
    ("word", "encoding"),
    [
        ("バックアップに失敗", "cp932"),
        ("エラー", "cp932"),
        ("연결 실패", "cp949"),
        ("오류", "utf-8"),
    ],
)
def test_words_of_other_countries_tell_of_trouble(word: str, encoding: str) -> None:
    assert tells_of_error(b"app: " + word.encode(encoding)) is not None


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60))
def test_no_text_of_utf_8_is_taken_for_trouble_by_its_bytes(text: str) -> None:
    if text.isascii() or any(word in text for word in SPOKEN):
        return
    letters = "".join(one for one in text if not one.isascii())
    assert tells_of_error(letters.encode()) is None


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_hit_in_utf16_has_the_number_of_its_line_in_bytes(encoding: str) -> None:
    text = "\ufeff" + "海上 ok\nĊ🐊\n" * 3_000 + "target\nend\n"
    data = text.encode(encoding)
    host: StepHost = None  # type: ignore[assignment]
    found = find_in_text(host, BytesText(data), Pattern.of("target"), first=1, most=1, seconds=60)
    before = data.index("target".encode(encoding))
    assert [line.number for line in found.lines] == [data.count(b"\n", 0, before) + 1]
    assert (found.searched, found.stopped) == (len(data), False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_search_whose_time_ends_with_the_text_was_not_stopped(encoding: str) -> None:
    data = ("target\n" * 50).encode(encoding)
    host: StepHost = None  # type: ignore[assignment]
    found = find_in_text(host, BytesText(data), Pattern.of("target"), first=1, most=1, seconds=0)
    assert (found.total, found.searched, found.stopped) == (50, len(data), False)
    long = BytesText(data * 30_000)
    cut = find_in_text(host, long, Pattern.of("target"), first=1, most=1, seconds=0)
    assert cut.stopped
    assert 0 < cut.searched < long.size


SHELL = "备份失败: 磁盘空间不足\r\n第二行 上线\r\n"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b""), (b"ok\n", b"next line\n"), ("中文一行\n".encode(), "中文又一行\n".encode())],
)
def test_a_part_in_utf_16_is_asked_as_the_rest_is(
    encoding: str, mark: str, before: bytes, after: bytes
) -> None:
    data = before + (mark + SHELL).encode(encoding) + after
    for text, regex in [
        *(("磁盘", False), ("上线", False), ("失败: 磁", False), ("^第二行", True), ("不足$", True))
    ]:
        assert _hits(data, text, regex=regex).count == 1, text
        assert occurs(Pattern.of(text, regex=regex), [data[:7], data[7:]])
        if not regex:
            assert any(text.encode() in each for each in SignedTexts().of([data]))
    assert "失败" in first_error_line([data]).decode()
    at = len(before) + len(f"{mark}备份".encode(encoding))
    assert first_error(BytesText(data)).offset == at


def test_all_is_asked_in_utf_16_where_a_reader_says_so() -> None:
    data = b"\1" + "说明: ก ข ค\n".encode("utf-16-be")
    assert _hits(data, "说明").count == 0
    assert _hits(data, "说明", in_utf16=True).count == 1


def test_latin_1_is_asked_of_lines_that_are_not_plainly_in_another_encoding() -> None:
    data = "国标的一行文字\n".encode("gb18030") + "accès refusé\n".encode("cp1252")
    assert [line.number for line in _hits(data, "refusé").lines] == [2]
    assert [line.number for line in _hits(data, "一行").lines] == [1]
