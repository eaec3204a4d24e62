"""The page of one host's log."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.builders import file_log, job, load, result, script_log, step
from tests.pages.page_helpers import page, reads, staff
from tests.pages.page_helpers import text as text_of

pytestmark = pytest.mark.django_db
LINES = "".join(f"line {n}\n" for n in range(1, 2001))


def _text(client: Client, query: str = "") -> str:
    response = client.get(page("log") + query)
    assert response.status_code == 200
    return response.content.decode()


def _numbers(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="L(\d+)"', html)]


def _load(content: str = LINES, **said: Any) -> None:
    fields: dict[str, Any] = {"status": 9, "host_name": "web-1"} | said
    load(job(), step(), result(**fields), script_log(content))


def test_a_log_of_success_opens_at_its_start_and_links_to_what_follows() -> None:
    _load()
    html = _text(staff())
    assert _numbers(html) == list(range(1, 501))
    assert "after line 500 of 2,000" in html or "after line 500 of 2000" in html
    assert f"?byte={LINES.index('line 501')}" in html


@pytest.mark.parametrize("status", [104, 7])
def test_a_log_of_failure_or_of_a_running_host_opens_at_its_end(status: int) -> None:
    _load(status=status)
    assert _numbers(_text(staff())) == list(range(1501, 2001))


def test_a_line_has_an_address_that_shows_it_with_what_is_before() -> None:
    _load()
    html = _text(staff(), "?line=1234")
    assert _numbers(html)[0] == 1224
    assert re.search(r'class="ln asked"[^>]*id="L1234"', html)
    assert "?line=1234#L1234" in html


def test_the_first_error_is_found_and_then_the_next() -> None:
    text = LINES.replace("line 700\n", "failed=0\n").replace("line 900\n", "ERROR: disk full\n")
    _load(text.replace("line 1800\n", "Permission denied\n"))
    client = staff()
    html = _text(client, "?error=0")
    assert re.search(r'class="ln asked trouble"[^>]*id="L900"', html)
    (after,) = re.findall(r"\?error=(\d+)\">Next", html)
    assert re.search(r'asked trouble"[^>]*id="L1800"', _text(client, f"?error={after}"))
    assert "No more error lines" in _text(client, f"?error={len(text) - 5}")


def test_a_failing_exit_code_is_named_once() -> None:
    load(job(), step(), result(status=104, exit_code=7), script_log("bad\n"))
    client = staff()
    assert text_of(client, page("log")).count("exit code") == 1
    for address in (page("log"), page("step", host=None), page("compare")):
        assert "exit code not zero" not in text_of(client, address)
    assert "exit code 7" in text_of(client, page("step", host=None))


def test_hostile_output_is_harmless_text() -> None:
    _load(
        "<script>alert(1)</script>\n\x1b]0;owned\x07\x1b[2J\u202etxt.exe\n\x1b[31mred\x1b[0m\n"
        "\x00 nul\n" + "x" * 300_000 + "\n"
    )
    html = _text(staff())
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert not set(html) & {"\x1b", "\x00", "\x07", "\u202e"}
    assert '<span class="f1">red</span>' in html
    assert "more on this line" in html
    assert len(html) < 60_000


def test_bytes_that_are_no_text_are_shown_and_told_and_read_when_asked() -> None:
    data = b"price \xff\nplain\n" + "accès refusé\n".encode("cp1252")
    load(job(), step(), result(status=9))
    load(script_log(None, content_base64=base64.b64encode(data).decode()))
    client = staff()
    assert "accès refusé" not in _text(client)
    assert '<i class="ctl">\\xff</i>' in _text(client)
    assert "2 of the lines shown hold bytes that are no text in UTF-8." in _text(client)
    told = _text(client, "?encoding=latin-1")
    assert "accès refusé" in told
    assert "hold bytes that are no text" not in told


def test_parts_in_other_encodings_are_read_in_these_and_found() -> None:
    data = (
        b"begin\n"
        + "磁盘已满\n".encode("gb18030")
        + "\ufeff备份失败: 空间不足\r\n".encode("utf-16-le")
        + b"end\n"
    )
    load(job(), step(), result(status=9))
    load(script_log(None, content_base64=base64.b64encode(data).decode()))
    client = staff()
    html = _text(client)
    assert "磁盘已满" in html
    assert "备份失败: 空间不足" in html
    assert "automatic (UTF-8 + GB18030 + UTF-16)" in html
    assert "hold bytes that are no text" not in html
    found = _text(client, "?find=空间&only=1")
    assert "1 line found" in found
    assert '备份失败: <mark class="hit">空间</mark>不足' in found


def test_size_completeness_and_digest_are_shown() -> None:
    _load("hello\n", log_size=10)
    html = _text(staff())
    assert "incomplete: 4" in html
    assert hashlib.sha256(b"hello\n").hexdigest() in html


def test_a_host_that_said_nothing_is_said_to_have_said_nothing() -> None:
    load(job(), step(), result(status=9))
    assert "This host has no output" in _text(staff())


def test_attempts_and_batches_can_be_chosen() -> None:
    load(job(), step(execute_count=1))
    for count, text in ((0, "first try\n"), (1, "second try\n")):
        load(result(status=104, execute_count=count), script_log(text, execute_count=count))
    client = staff()
    assert "second try" in _text(client)
    html = _text(client, "?attempt=0")
    assert "first try" in html
    assert "second try" not in html
    assert 'href="?attempt=0&amp;line=1#L1"' in html


def test_what_cannot_be_read_in_an_address_is_named() -> None:
    _load("hello\n")
    html = _text(staff(), "?line=abc&attempt=-1")
    assert "line: Enter a whole number" in html
    assert "hello" in html


def test_following_gets_what_came_after_a_byte_and_an_unfinished_line_again() -> None:
    load(job(), step(), result(status=7), script_log("one\ntwo"))
    client = staff()
    html = _text(client)
    assert 'data-next="4"' in html
    load(script_log(" is whole\nthree\n", offset=7))
    answer = client.get(page("log-more"), {"byte": 4}).json()
    assert _numbers(answer["html"]) == [2, 3]
    assert "two is whole" in answer["html"]
    assert (answer["next"], answer["grows"], answer["behind"]) == (23, True, False)
    nothing = client.get(page("log-more"), {"byte": 23}).json()
    assert (nothing["html"], nothing["next"]) == ("", 23)
    load(result(status=9))
    assert client.get(page("log-more"), {"byte": 23}).json()["grows"] is False


def test_a_download_is_the_bytes_with_a_name() -> None:
    _load("héllo\x00\r\n", host_name='we"b 磁.log')
    response = staff().get(page("log-download"))
    assert b"".join(response) == "héllo\x00\r\n".encode()
    assert response["Content-Length"] == "9"
    assert response["Content-Type"] == "application/octet-stream"
    name = "100-200-we_b_%E7%A3%81.log.log"
    assert response["Content-Disposition"] == f"attachment; filename*=utf-8''{name}"


def test_each_file_of_a_file_step_has_its_log_and_progress() -> None:
    load(
        job(task_type=2),
        step(step_type=2),
        result(status=9),
        file_log(process="40%", size="3 MB", content="[1] pulling\n", status=3, offset=0),
        file_log(dest_path="/tmp/2.log", src_path="/data/2.log", content="[2] done\n", offset=0),  # noqa: S108
    )
    client = staff()
    html = _text(client)
    assert 'value="40"' in html
    assert "[1] pulling" in html
    (other,) = set(re.findall(r"\?file=(\d+)\">/tmp/2.log", html))
    assert "[2] done" in _text(client, f"?file={other}")


def test_reads_are_recorded_with_their_channel_and_size() -> None:
    _load("hello\n")
    client = staff()
    client.get(page("log"))
    client.get(page("log-more"), {"byte": 3})
    b"".join(client.get(page("log-download")))
    assert reads() == [
        ("zoe", "page log", 1, 6),
        ("zoe", "page follow", 1, 3),
        ("zoe", "page download", 1, 6),
    ]


@pytest.mark.parametrize("name", ["log", "log-more", "log-download", "compare"])
def test_staff_of_other_scopes_and_strangers_are_not_let_in(name: str) -> None:
    _load("hello\n")
    assert staff("charlie", scope=("biz", "9")).get(page(name)).status_code == 404
    assert staff("nobody", scope=None).get(page(name)).status_code == 404
    assert Client().get(page(name)).status_code == 302
    zoe = staff()
    assert zoe.get(page(name, place=("biz", "9", 100, 200))).status_code == 404
    assert zoe.get(page(name, host=999)).status_code == 404
    assert reads() == []


def test_a_job_that_has_the_same_number_in_another_scope_is_another_job() -> None:
    _load("ours\n")
    load(job(bk_scope_id="9"))
    assert staff("charlie", scope=("biz", "9")).get(page("log")).status_code == 404


def test_statements_do_not_grow_with_the_lines_or_the_attempts() -> None:
    _load("one\n")
    client = staff()
    counts = []
    for count in (0, 5):
        load(script_log("line\n" * 3000, offset=4)) if count else None
        for number in range(count):
            load(result(status=104, execute_count=number + 1))
        with CaptureQueriesContext(connection) as asked:
            _text(client)
        counts.append(len(asked))
    assert counts[1] - counts[0] <= 1
    assert counts[1] <= 16


def test_the_page_speaks_chinese() -> None:
    _load("hello\n")
    client = staff()
    client.cookies["django_language"] = "zh-hans"
    html = _text(client)
    assert "首个错误" in html
    assert "完整" in html


def test_a_page_says_how_many_places_of_what_it_shows_are_masked() -> None:
    token = "ghp_0123456789abcdefghijABCDEFGHIJ012345\n"
    _load(token * 2)
    html = _text(staff())
    assert "2 places masked" in html
    assert "ghp_" + "*" * 36 in html


def test_the_table_of_hosts_says_which_logs_are_masked() -> None:
    _load("ghp_0123456789abcdefghijABCDEFGHIJ012345\n" * 3)
    html = staff().get(page("step", host=None)).content.decode()
    assert "3 places masked" in html


def test_a_page_of_a_log_without_secrets_says_nothing_of_masks() -> None:
    _load()
    assert "masked" not in _text(staff())


def test_a_page_of_a_file_says_what_is_masked_in_that_file() -> None:
    token = "ghp_0123456789abcdefghijABCDEFGHIJ012345\n"
    load(
        *(job(task_type=2), step(step_type=2), result(status=9)),
        file_log(content=token, offset=0),
        file_log(dest_path="/tmp/2.log", src_path="/data/2.log", content="[2] done\n", offset=0),  # noqa: S108
    )
    client = staff()
    html = _text(client)
    assert "1 place masked" in html
    (other,) = set(re.findall(r"\?file=(\d+)\">/tmp/2.log", html))
    assert "masked" not in _text(client, f"?file={other}")
