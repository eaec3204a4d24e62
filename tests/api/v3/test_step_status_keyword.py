"""get_step_instance_status by keyword: hosts by what they printed."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from joblogs.models import LogRead
from joblogs.search import Budget
from tests.api.get_requests import Ask, data_of, error_of, get
from tests.builders import file_log, job, load, result, script_log, step

NAME = "get_step_instance_status"


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


def sizes(ask: Ask, **fields: Any) -> list[int]:
    """How many hosts each group has."""
    return [g["host_size"] for g in data_of(ask, NAME, **fields)["step_result_group_list"]]


def told(ask: Ask, **fields: Any) -> dict[int, int]:
    """The status of each host that is listed."""
    found = data_of(ask, NAME, **fields)["step_result_group_list"]
    return {h["bk_host_id"]: h["status"] for group in found for h in group["host_result_list"]}


def printed(*texts: str | None) -> None:
    """Hosts from 101 on, each with a log."""
    load(job(), step())
    for host, text in enumerate(texts, 101):
        load(result(host, status=9))
        if text:
            load(script_log(text, host=host))


@pytest.mark.parametrize(
    ("keyword", "found"),
    [
        ("disk full", [101]),
        ("DISK", [101, 102]),
        ("磁盘", [103]),
        ("a.b", []),
        ("$&|`;'\"", [104]),
        (" ", [101, 102, 103, 104, 105]),
        ("nowhere", []),
        ("a\0b", []),
    ],
)
def test_hosts_are_found_by_what_they_printed(ask: Ask, keyword: str, found: list[int]) -> None:
    printed("x disk full\n", "Disk ok\n", "磁盘满\n", "$&|`;'\"\n", None, "acb\n")
    if keyword == " ":
        found = [101, 102, 103, 104, 105, 106]  # blank: not given
    assert list(told(ask, keyword=keyword)) == found
    assert sizes(ask, keyword=keyword) == ([len(found)] if found else [])


def test_a_keyword_is_found_across_chunks_and_the_border_of_a_character(ask: Ask) -> None:
    load(job(), step(), result(101), result(102))
    raw = "x 磁盘满 y".encode()
    for cut in range(len(raw)):
        piece = raw[cut : cut + 1].hex()
        load(script_log(None, offset=cut, content_base64=_base64(bytes.fromhex(piece))))
    assert list(told(ask, keyword="磁盘满 Y")) == [101]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_keyword_is_looked_for_in_the_attempts_looked_at(ask: Ask) -> None:
    load(
        job(),
        step(),
        result(101, status=11),
        script_log("first\n"),
        result(101, execute_count=1, status=9),
        script_log("second\n", execute_count=1),
    )
    assert told(ask, keyword="first") == {}
    assert told(ask, keyword="second") == {101: 9}
    assert told(ask, keyword="first", execute_count=0) == {101: 11}


def test_keyword_and_address_both_count(ask: Ask) -> None:
    printed("disk\n", "disk\n", "ok\n")
    assert list(told(ask, keyword="disk", search_ip=".102")) == [102]
    assert list(told(ask, keyword="disk", search_ip=".103")) == []


def test_a_keyword_is_looked_for_in_what_files_a_target_got(ask: Ask) -> None:
    load(
        job(),
        step(step_type=2),
        result(101),
        result(102),
        result(102, role="source"),
        file_log(101, offset=0, content="State: no space\n"),
        file_log(102, mode=0, offset=0, content="State: no space\n"),
    )
    assert list(told(ask, keyword="no space")) == [101]


def test_a_keyword_that_is_too_long_is_refused(ask: Ask) -> None:
    printed("x\n")
    code, message = error_of(ask, NAME, keyword="x" * 1025)
    assert (code, message) == (
        1241010,
        "请求参数[keyword]不合法，原因：须为 1 至 1024 个字符，且不能包含换行",
    )
    assert error_of(ask, NAME, keyword="a\nb")[0] == 1241010


def test_logs_that_cannot_be_searched_in_time_are_said_to_be(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed("x" * 1000, "y\n")
    monkeypatch.setattr("joblogs.api.v3.step_status.KEYWORD_BUDGET", Budget(size=500))
    code, message = error_of(ask, NAME, keyword="y")
    assert code == 1241010
    assert "search_ip" in message
    assert list(told(ask, keyword="y", search_ip=".102")) == [102]


def test_only_a_keyword_reads_logs_and_that_is_recorded(ask: Ask) -> None:
    printed("disk\n", "ok\n")
    get(ask, NAME, search_ip="10")
    assert not LogRead.objects.exists()
    get(ask, NAME, keyword="disk")
    [read] = LogRead.objects.all()
    assert (read.channel, read.host_count, read.size) == (NAME, 2, 8)
