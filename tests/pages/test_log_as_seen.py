"""The page of a log shows what a terminal would have left; all else stays that of the bytes."""

from __future__ import annotations

import base64
import re
from html import unescape

import pytest
from django.test import Client

from tests.builders import job, load, result, script_log, step
from tests.pages.page_helpers import page, staff

pytestmark = pytest.mark.django_db
ROW = re.compile(
    r'<div class="ln[^"]*"\s+data-at="(\d+)"[^>]*>\s*'
    r'<a class="no"[^>]*>…?(\d+)(?:<i [^>]*></i>)?</a>\s*'
    r'<code dir="ltr">(.*?)</code></div>',
    re.DOTALL,
)
TAG = re.compile(r"<[^>]+>")
BARS = "".join(f"\x1b[2A\x1b[2Kalpha {n}%\n\x1b[2Kbeta {n}%\n" for n in range(1, 3001))


def _load(content: str, status: int = 9) -> None:
    load(job(), step(), result(status=status, host_name="web-1"))
    for at in range(0, len(content), 100_000):
        load(script_log(content[at : at + 100_000], offset=at))


def _html(client: Client, query: str = "") -> str:
    response = client.get(page("log") + query)
    assert response.status_code == 200
    return response.content.decode()


def _rows(html: str) -> list[tuple[int, int, str]]:
    """Offset, number and text of the rows of a page, those of earlier states left out."""
    html = re.sub(r'<details class="was".*?</details>', "", html, flags=re.DOTALL)
    return [(int(at), int(no), TAG.sub("", text)) for at, no, text in ROW.findall(html)]


def test_a_redrawn_line_is_shown_in_its_last_state_and_opens_to_those_before() -> None:
    _load("".join(f"\rfetch {n}%\x1b[K" for n in range(121)) + "\nnext\n")
    html = _html(staff())
    size = sum(len(f"\rfetch {n}%\x1b[K") for n in range(121)) + 1
    assert _rows(html) == [(0, 1, "fetch 120%"), (size, 2, "next")]
    assert re.search(r"<summary>\s*120 earlier states\s*</summary>", html)
    assert '<code dir="ltr">fetch 119%</code>' in html
    assert "?view=bytes&amp;line=1#L1" in html


def test_as_the_bytes_are_every_code_is_shown() -> None:
    _load("one\rtwo\x07\n")
    client = staff()
    assert _rows(_html(client)) == [(0, 1, "two")]
    html = _html(client, "?view=bytes")
    assert 'one<i class="ctl">\\r</i>two<i class="ctl">\\x07</i>' in html
    assert "earlier state" not in html
    assert client.get(page("log-download")).getvalue() == b"one\rtwo\x07\n"


def test_numbers_and_offsets_are_those_of_the_bytes_after_lines_were_redrawn() -> None:
    _load("start\na 0%\nb 0%\n\x1b[2A\x1b[2Ka 1%\n\x1b[2Kb 1%\nend\n")
    assert _rows(_html(staff())) == [
        (0, 1, "start"),
        (6, 2, "a 1%"),
        (11, 3, "b 1%"),
        (38, 6, "end"),
    ]


def test_a_line_that_only_redrew_another_leads_to_that_one() -> None:
    _load("start\na 0%\nb 0%\n\x1b[2A\x1b[2Ka 1%\n\x1b[2Kb 1%\nend\n")
    html = _html(staff(), "?line=5#L5")
    (asked,) = re.findall(r'class="ln asked".*?</div>', html, re.DOTALL)
    assert 'id="L3"' in asked
    assert 'id="L5"' in asked
    assert "b 1%" in asked


def test_a_redraw_that_began_long_before_the_page_is_shown_in_its_last_state() -> None:
    _load(f"begin\nalpha 0%\nbeta 0%\n{BARS}done\n")
    client = staff()
    texts = [text for _, _, text in _rows(_html(client, "?at=end"))]
    assert texts == ["alpha 3000%", "beta 3000%", "done"]
    first = [text for _, _, text in _rows(_html(client, "?at=start"))]
    assert first[0] == "begin"
    assert len(first) == 3


def test_the_end_of_a_line_of_megabytes_that_is_redrawn_is_what_is_shown() -> None:
    _load("".join(f"\rfetching {n:07}\x1b[K" for n in range(60_000)) + "\nafter\n")
    html = _html(staff())
    assert [text for _, _, text in _rows(html)] == ["fetching 0059999", "after"]
    assert "more than" in html
    assert len(html) < 200_000


def test_a_long_line_that_is_not_redrawn_shows_its_beginning_as_before() -> None:
    _load("x" * 300_000 + "\nnext\n")
    rows = _rows(_html(staff()))
    assert rows[0][2].startswith("x" * 4000)
    assert "more on this line" in rows[0][2]
    assert rows[1] == (300_001, 2, "next")


def test_following_gives_what_is_redrawn_once_more_from_where_it_stands() -> None:
    _load("start\na 0%\nb 0%\n", status=7)
    client = staff()
    load(script_log("\x1b[2A\x1b[2Ka 1%\n\x1b[2Kb 1%\nc\n", offset=16))
    answer = client.get(page("log-more"), {"byte": 16}).json()
    assert _rows(answer["html"]) == [(6, 2, "a 1%"), (11, 3, "b 1%"), (38, 6, "c")]
    assert (answer["start"], answer["next"]) == (6, 40)
    load(script_log("50%\r60%", offset=40))
    answer = client.get(page("log-more"), {"byte": 40}).json()
    assert _rows(answer["html"]) == [(40, 7, "60%")]
    assert answer["next"] == 40


@pytest.mark.parametrize(
    "unit", ["\x0b", "\x1b[9;1Hx", "x\x1b[2J", "\x1b[99B", "\x1b[99Cx\n", "\ra", "\x1bD"]
)
def test_a_page_is_bounded_whatever_the_codes_are(unit: str) -> None:
    _load(unit * (200_000 // len(unit.encode())) + "\n")
    assert len(_html(staff())) < 3_000_000


def _load_bytes(data: bytes, status: int = 9) -> None:
    load(job(), step(), result(status=status))
    load(script_log(None, content_base64=base64.b64encode(data).decode()))


@pytest.mark.parametrize(
    ("text", "encoding", "label"),
    [
        ("备份失败: 磁盘空间不足\n", "gb18030", "GB18030"),
        ("バックアップに失敗しました\n", "cp932", "Shift-JIS"),
        ("백업 실패: 디스크 공간 부족\n", "cp949", "EUC-KR"),
        ("磁盘上 full\r\nnext\r\n", "utf-16-le", "UTF-16"),
        ("\ufeff磁盘上 full\r\nnext\r\n", "utf-16-be", "UTF-16"),
        ("磁盘 plain\n", "utf-8", "UTF-8"),
    ],
)
def test_an_encoding_is_recognised_where_it_is_plain(text: str, encoding: str, label: str) -> None:
    _load_bytes(text.encode(encoding))
    html = _html(staff())
    texts = "\n".join(text for _, _, text in _rows(html))
    assert texts == text.strip("\ufeff\n").replace("\r", "")
    assert f"automatic ({label})" in html


def test_latin_1_is_read_by_choice_and_the_choice_stays_in_the_links_of_this_log() -> None:
    _load_bytes("Größe überschritten €\n".encode("cp1252"))
    client = staff()
    assert "Größe" not in _html(client)
    html = _html(client, "?encoding=latin-1")
    assert _rows(html)[0][2] == "Größe überschritten €"
    assert '<option value="latin-1" selected>' in html
    assert "?encoding=latin-1&amp;line=1#L1" in html
    assert "encoding" not in client.cookies


def test_what_the_browser_remembers_counts_where_a_text_is_in_no_other_plainly() -> None:
    _load_bytes("Größe überschritten\n".encode("cp1252"))
    client, other = staff(), Client()
    client.cookies["encoding"] = "latin-1"
    assert _rows(_html(client))[0][2] == "Größe überschritten"
    other.cookies["sessionid"] = client.cookies["sessionid"].value
    assert "Größe" not in _html(other)
    client.cookies["encoding"] = "euc-kr"
    assert "Größe" not in _html(client)
    client.cookies["encoding"] = "nonsense"
    assert "Größe" not in _html(client)


def test_utf_8_stays_utf_8_whatever_the_browser_remembers() -> None:
    _load("磁盘\n")
    client = staff()
    client.cookies["encoding"] = "gb18030"
    assert _rows(_html(client))[0][2] == "磁盘"


def test_downloads_are_the_bytes_whatever_is_chosen() -> None:
    data = "磁盘\n".encode("gb18030")
    _load_bytes(data)
    answer = staff().get(page("log-download"), {"encoding": "gb18030"})
    assert answer.getvalue() == data


def test_following_goes_on_in_the_encoding_of_the_page() -> None:
    _load_bytes("备份失败: 磁盘空间不足\n".encode("gb18030"), status=7)
    client = staff()
    (query,) = re.findall(r'data-more="[^"?]*\?([^"]*)"', _html(client))
    load(
        script_log(
            None, offset=23, content_base64=base64.b64encode("旒\n".encode("gb18030")).decode()
        )
    )
    answer = client.get(f"{page('log-more')}?{unescape(query)}byte=23").json()
    assert [text for _, _, text in _rows(answer["html"])] == ["旒"]


def test_lines_that_warn_or_tell_of_errors_say_so_in_words() -> None:
    _load("fine\n\x1b[33mWARNING\x1b[0m: old\nERROR: disk full\n0 warnings\n")
    html = _html(staff())
    levels = re.findall(r'id="L(\d)".*?(?:aria-label="(\w+) line"|</div>)', html, re.DOTALL)
    assert levels == [("1", ""), ("2", "warning"), ("3", "error"), ("4", "")]


def test_long_pauses_are_marked_where_lines_say_when_they_were_printed() -> None:
    lines = ["10:00:00 a", "10:00:01 b", "no time", "10:01:31 c", "10:01:35 d", "10:01:41 e"]
    _load("".join(f"2026-11-30 {line}\n" for line in lines))
    html = _html(staff())
    pauses = re.findall(r'class="pause".*?<b>(.*?)</b>.*?id="L(\d)"', html, re.DOTALL)
    assert pauses == [("1 min 30 s", "4"), ("6.0 s", "6")]


def test_of_a_short_run_shorter_pauses_are_marked() -> None:
    load(job(), step(), result(status=9, start_time=1_000, end_time=31_000))
    load(script_log("[08:00:00] a\n[08:00:01] b\n[08:00:03] c\n"))
    html = _html(staff())
    assert re.findall(r'class="pause".*?<b>(.*?)</b>', html, re.DOTALL) == ["2.0 s"]
    assert re.search(r"took\s*<b>30 s</b>", html)
