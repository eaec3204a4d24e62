"""Search in the logs of a step."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from joblogs.pages.search import page as search_page
from tests.builders import job, load, result, script_log, step
from tests.pages.page_helpers import page, reads, staff

pytestmark = pytest.mark.django_db


def _load(hosts: int = 5, odd: str = "ERROR: no space\n") -> None:
    """Hosts that printed the same but for the time, and one that did not."""
    load(job(), step())
    for number in range(101, 101 + hosts):
        text = f"[08:00:{number % 60:02}] start\n[08:01:{number % 60:02}] done in {number} ms\n"
        load(
            result(number, status=104 if number == 101 else 9, host_name=f"web-{number}"),
            script_log(odd if number == 101 else text, host=number),
        )


def _search(client: Client | None = None, **asked: Any) -> str:
    response = (client or staff()).get(page("search", host=None), asked)
    assert response.status_code == 200
    html: str = response.content.decode()
    return html


def test_hosts_that_printed_the_same_are_one_row_with_their_lines() -> None:
    _load()
    html = _search(q="done")
    assert re.findall(r'class="many">(\d+)<', html) == ["4"]
    assert '<mark class="hit">done</mark>' in html
    assert "4 lines" in html
    assert "on 4 hosts" in html
    assert "hosts/102/?line=2#L2" in html


def test_hosts_whose_hit_holds_another_value_than_most_are_apart() -> None:
    load(job(), step())
    for number in range(101, 141):
        checksum = {103: "9f2c11d0", 104: "a77b3322", 105: "a77b3322"}.get(number, "4be07a55")
        text = f"checksum {checksum} request_id={number * 7919**4:016x}\n"
        load(result(number, status=9, host_name=f"web-{number}"), script_log(text, host=number))
    html = _search(q="checksum")
    assert re.findall(r'class="many">(\d+)<', html) == ["1", "2", "37"]
    assert html.count("value differs from most hosts") == 2
    first, second, crowd = html.split('<section class="hits">')[1:]
    assert "9f2c11d0" in first
    assert "web-103" in first
    assert "a77b3322" in second
    assert "4be07a55" in crowd
    assert "web-103" not in crowd


def test_the_hosts_that_did_not_print_it_are_named() -> None:
    _load()
    html = _search(q="done")
    assert "1 host without a match" in html
    assert re.search(r'without.*hosts/101/">web-101<', html, re.DOTALL)


def test_the_few_come_before_the_crowd_and_context_is_shown() -> None:
    _load()
    html = _search(q="done|ERROR", regex=1, context=1)
    assert re.findall(r'class="many">(\d+)<', html) == ["1", "4"]
    assert "] start" in html


def test_case_is_ignored_unless_it_matters() -> None:
    _load()
    client = staff()
    assert "1 line" in _search(client, q="error")
    assert "No matching logs" in _search(client, q="error", case=1)


def test_it_can_be_narrowed_to_one_host_or_to_those_that_failed() -> None:
    _load()
    client = staff()
    assert "on 1 host" in _search(client, q="e", host=102)
    assert "on 1 host" in _search(client, q="e", hosts="failed")
    assert "on 4 hosts" in _search(client, q="e", hosts="ok")


def test_what_is_wrong_with_an_expression_is_said() -> None:
    _load()
    html = _search(q="(disk", regex=1)
    assert "Invalid search: missing )" in html
    assert reads() == []


def test_what_is_wrong_with_an_expression_is_said_in_chinese() -> None:
    _load()
    address = f"{page('search', host=None)}?q=(disk&regex=1"
    response = staff().get(address, headers={"accept-language": "zh-hans"})
    assert "无法搜索：缺少 ): (disk" in response.content.decode()


def test_a_search_that_ran_out_of_time_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _load()
    monkeypatch.setattr(search_page, "SECONDS", 0.000001)
    html = _search(q="done")
    assert "Stopped after" in html
    assert "without it" not in html


def test_what_was_searched_for_and_found_is_shown_as_text() -> None:
    _load(odd="<b>x</b> \x1b]0;t\x07 \u202e\n")
    html = _search(q="<b>")
    assert "<b>x" not in html
    assert 'value="&lt;b&gt;"' in html
    assert '<mark class="hit">&lt;b&gt;</mark>' in html
    assert not set(html) & {"\x1b", "\x07", "\u202e"}


def test_a_search_is_recorded_with_all_that_it_read() -> None:
    _load()
    _search(q="nowhere")
    ((who, channel, hosts, size),) = reads()
    assert (who, channel, hosts) == ("zoe", "page search", 5)
    assert size > 100


def test_staff_of_other_scopes_are_not_let_in() -> None:
    _load()
    client = staff("charlie", scope=("biz", "9"))
    assert client.get(page("search", host=None), {"q": "done"}).status_code == 404


def test_statements_do_not_grow_with_hosts() -> None:
    counts = []
    client = staff()
    for hosts in (2, 50):
        _load(hosts)
        with CaptureQueriesContext(connection) as asked:
            _search(client, q="done")
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_word_that_is_coloured_inside_is_found_and_marked() -> None:
    load(job(), step(), result(), script_log("disk ERR\x1b[31mOR\x1b[0m here\r\n"))
    client = staff()
    html = client.get(page("search", host=None), {"q": "error here"}).content.decode()
    assert '<mark class="hit">ERR<span class="f1">OR</span> here</mark>' in html
    html = client.get(page("search", host=None), {"q": "here$", "regex": "1"}).content.decode()
    assert '<mark class="hit">here</mark>' in html


def test_a_hit_that_was_overwritten_since_is_shown_by_its_bytes() -> None:
    load(job(), step(), result(), script_log("needle 10%\rdone      \nother\n"))
    html = staff().get(page("search", host=None), {"q": "needle"}).content.decode()
    assert '<mark class="hit">needle</mark> 10%<i class="ctl">\\r</i>done' in html


def test_a_hit_deep_in_a_long_line_is_shown_and_linked_where_it_is() -> None:
    load(job(), step(), result())
    text = "x" * 900_000
    load(script_log(f"first\n{text}", offset=0))
    load(script_log(f"needle{text}\n", offset=900_006))
    client = staff()
    html = client.get(page("search", host=None), {"q": "needle"}).content.decode()
    assert re.search(r'x{100}<mark class="hit">needle</mark>x{100}', html)
    (link,) = re.findall(r'class="no"[^>]* href="([^"]*byte=\d+)"', html)
    assert "needle" in client.get(link).content.decode()


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-16-le"])
def test_a_hit_is_read_in_the_encoding_of_its_log(encoding: str) -> None:
    data = "备份失败: 磁盘空间不足 /data\n".encode(encoding)
    load(job(), step(), result())
    load(script_log(None, content_base64=base64.b64encode(data).decode()))
    client = staff()
    for text in ("/data", "磁盘"):
        html = client.get(page("search", host=None), {"q": text}).content.decode()
        assert "备份失败" in html
        assert f'<mark class="hit">{text}</mark>' in html
