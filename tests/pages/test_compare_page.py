"""A host's log beside another."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from joblogs import counterparts
from tests.builders import CREATED, job, load, result, script_log, step
from tests.pages.page_helpers import page, reads, staff

pytestmark = pytest.mark.django_db


def _text(number: int, checksum: str = "9f2c11d0") -> str:
    return (
        f"[08:00:{number % 60:02}] start\nconfig checksum {checksum} loaded\ndone in {number} ms\n"
    )


def _load(hosts: int = 14) -> None:
    """A crowd; 101 has another checksum, 102 failed."""
    load(job(), step())
    for number in range(101, 101 + hosts):
        text = _text(number, "4be07a55" if number == 101 else "9f2c11d0")
        if number == 102:
            text = "[08:00:02] start\nconfig checksum 9f2c11d0 loaded\ntar: No space left\n"
        status = 104 if number == 102 else 9
        load(result(number, status=status, host_name=f"web-{number}"))
        load(script_log(text, host=number))


def _compare(client: Client | None = None, host: int = 102, **asked: Any) -> str:
    response = (client or staff()).get(page("compare", host=host), asked)
    assert response.status_code == 200
    return response.content.decode()


def _kinds(html: str) -> list[str]:
    return re.findall(r'class="row k-(\w+)"', html)


def test_a_failed_host_is_compared_with_what_most_printed() -> None:
    _load()
    html = _compare()
    assert "typical of 12 similar hosts" in html
    assert _kinds(html) == ["similar", "same", "left", "right"]
    assert "No space left" in html


def test_a_masked_value_that_nearly_all_share_is_a_difference() -> None:
    _load(30)
    html = _compare(host=101)
    assert _kinds(html) == ["similar", "different", "similar"]
    assert '<mark class="value">4be07a55</mark>' in html
    assert re.search(r"←.*9f2c11d0.*on 28 of 28 hosts", html)
    assert '1 line differs</b><span class="quiet">, ' in re.sub(r"\s+", " ", html)


def test_masks_can_be_taken_off() -> None:
    _load()
    html = _compare(to="host", other="web-103", masks=0, host=104)
    assert _kinds(html) == ["different", "same", "different"]
    assert '<mark class="diff">' in html


@pytest.mark.parametrize("other", ["103", "web-103", "10.0.0.103"])
def test_another_host_is_named_by_its_name_address_or_id(other: str) -> None:
    _load()
    assert ">web-103</b>" in _compare(to="host", other=other)


def test_a_host_that_is_not_in_the_step_is_asked_for_again() -> None:
    _load()
    assert "Enter a host of this step" in _compare(to="host", other="web-999")


def test_an_attempt_is_compared_with_the_one_before() -> None:
    load(job(), step(execute_count=1))
    load(result(status=104), script_log("try\nfailed\n"))
    client = staff()
    assert "first attempt" in _compare(client, 101, to="attempt")
    load(result(status=9, execute_count=1), script_log("try\nfine\n", execute_count=1))
    html = _compare(client, 101, to="attempt")
    assert _kinds(html) == ["same", "left", "right"]
    assert re.search(r"fine.*failed", html, re.DOTALL)
    assert "attempt 1" in html


def test_a_run_is_compared_with_the_earlier_one_of_its_name() -> None:
    for number, text in ((90, "old\n"), (95, "newer\n"), (100, "newest\n")):
        place = {"job": number, "step": number * 2}
        load(job(number, create_time=CREATED + number), step(number * 2, job=number))
        load(result(status=9, **place), script_log(text, **place))
    load(job(99, name="another job", create_time=CREATED + 99), step(198, job=99))
    load(result(job=99, step=198), script_log("not this\n", job=99, step=198))
    html = _compare(host=101, to="earlier")
    assert "newest" in html
    assert "newer" in html
    assert "not this" not in html


def test_the_earlier_run_of_another_scope_is_none_of_theirs() -> None:
    load(job(90, create_time=CREATED - 1, bk_scope_id="9"), step(180, job=90))
    load(result(job=90, step=180), script_log("secret\n", job=90, step=180))
    load(job(), step(), result(), script_log("ours\n"))
    html = _compare(host=101, to="earlier")
    assert "No earlier job with this name" in html


def test_large_logs_are_cut_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counterparts, "BYTES_MAX", 100)
    load(job(), step())
    for host, text in ((101, "a\n" * 500 + "x\n"), (102, "a\n" * 500 + "y\n")):
        load(result(host), script_log(text, host=host))
    client = staff()
    html = _compare(client, 101, to="host", other="102")
    assert "These logs are large" in html
    assert _kinds(html) == []
    html = _compare(client, 101, to="host", other="102", part="end")
    assert "left" in _kinds(html)
    assert "?line=501#L501" in html


def test_unchanged_lines_are_folded_until_they_are_asked_for() -> None:
    load(job(), step())
    for host, last in ((101, "x"), (102, "y")):
        load(result(host), script_log("same\n" * 50 + last + "\n", host=host))
    client = staff()
    asked = {"to": "host", "other": "102"}
    assert "47 matching lines" in _compare(client, 101, **asked)
    assert _kinds(_compare(client, 101, all=1, **asked)).count("same") == 50
    assert 'class="sign">−' in _compare(client, 101, view="inline", **asked)


def test_hostile_output_is_harmless_text() -> None:
    load(job(), step())
    for host, text in ((101, "<script>1</script>\x1b[2J\u202e\n"), (102, "<script>2</script>\n")):
        load(result(host), script_log(text, host=host))
    html = _compare(host=101, to="host", other="102")
    assert "<script>1" not in html
    assert not set(html) & {"\x1b", "\u202e"}


def test_a_comparison_is_recorded_with_all_that_it_read() -> None:
    _load()
    _compare()
    ((who, channel, hosts, size),) = reads()
    assert (who, channel, hosts) == ("zoe", "page compare", 12)
    assert size > 400


def test_statements_do_not_grow_with_the_group() -> None:
    counts = []
    client = staff()
    for hosts in (14, 40):
        _load(hosts)
        with CaptureQueriesContext(connection) as asked:
            _compare(client)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_lines_are_read_in_their_encoding_and_as_they_were_last_seen() -> None:
    load(job(), step())
    for host, word in ((1, "磁盘已满"), (2, "内存不足")):
        data = f"10%\r20%\rdone\n备份失败: {word}\n".encode("gb18030")
        load(result(host, status=9))
        load(script_log(None, host=host, content_base64=base64.b64encode(data).decode()))
    html = staff().get(page("compare", host=1), {"to": "host", "other": "2", "all": "1"})
    text = re.sub(r"<[^>]+>", "", html.content.decode())
    assert "备份失败: 磁盘已满" in text
    assert "备份失败: 内存不足" in text
    assert "20%" not in text
