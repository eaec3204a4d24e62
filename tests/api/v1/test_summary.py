"""What happened on all hosts of a step, in few characters."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from joblogs.models import LogRead
from tests import builders
from tests.builders import file_log, job, load, result, script_log, step

URL = "/api/v1/biz/2/jobs/100/steps/200/"


@pytest.fixture
def get(db: None) -> Callable[..., Any]:
    headers = builders.credentials()

    def get(rest: str = "summary", **query: Any) -> Any:
        return Client().get(URL + rest, query, headers=headers)

    return get


@pytest.fixture
def summary(get: Callable[..., Any]) -> Callable[..., Any]:
    def summary(**query: Any) -> Any:
        response = get(**query)
        assert response.status_code == 200, response.content
        return response.json()["data"]

    return summary


def plant(hosts: int, *, failing: int = 3) -> None:
    """A step of that many hosts: two ways to fail, a silent host, one of another version."""
    records: list[Any] = [job(), step(status=4)]
    for host in range(1, hosts + 1):
        text, status, code = f"start {host}\nversion 1.24.0\npid {host * 7}\n", 9, 0
        if host <= failing:
            text, status, code = f"start {host}\nE: No space left on device\n", 104, 2
        elif host == failing + 1:
            text, status, code = f"start {host}\nE: Permission denied\n", 104, 2
        elif host == failing + 2:
            text = ""
        elif host == failing + 3:
            text = f"start {host}\nversion 1.22.1\npid {host * 7}\n"
        name = f"web-{host:05}"
        records.append(result(host, status=status, exit_code=code, host_name=name, total_time=host))
        if text:
            records.append(script_log(text, host=host))
    load(*records)


def test_failures_come_first_and_each_group_says_why_it_is_apart(summary: Any) -> None:
    plant(40)
    answer = summary()
    assert answer["counts"] == {
        "hosts": 40,
        "succeeded": 36,
        "failed": 4,
        "unfinished": 0,
        "no_output": 1,
        "other_output": 1,
        "compared": 39,
        "to_compare": 39,
    }
    disk, denied, *others, most = answer["groups"]
    assert (disk["hosts"], disk["host_count"]) == ("web-[00001-00003]", 3)
    assert "E: No space left on device" in [line["text"] for line in disk["lines"]]
    assert (denied["hosts"], denied["exit_code"]) == ("web-00004", 2)
    assert (most["majority"], most["host_count"]) == (True, 34)
    (version,) = [group for group in others if group["apart_by"] == "values"]
    assert version["hosts"] == "web-00006"
    assert [value["value"] for one in version["differences"] for value in one["own"]] == ["1.22.1"]
    assert answer["no_output"] == "web-00005"
    assert [host["bk_host_id"] for host in answer["slowest"]] == [40, 39, 38]
    assert answer["left_out"] == {"groups": 0, "hosts": 0}


def test_it_fits_however_many_hosts_fail_each_in_its_own_way(get: Any) -> None:
    records: list[Any] = [job(), step()]
    for host in range(1, 101):
        failed = result(host, status=104, exit_code=1, tag=f"reason {host}")
        records += [failed, script_log(f"reason {host}\n", host=host)]
    load(*records)
    response = get(max_chars=2000)
    assert len(response.content.decode()) <= 2000
    answer = response.json()["data"]
    listed = sum(group["host_count"] for group in answer["groups"])
    assert listed + answer["left_out"]["hosts"] == 100
    assert answer["left_out"]["groups"] > 0
    assert len(get(max_chars=8000).json()["data"]["groups"]) > len(answer["groups"])


def test_names_of_many_hosts_are_cut_between_two_of_them(summary: Any) -> None:
    odd = [result(host, status=9, host_name=f"web-{host:05}") for host in range(1, 400, 2)]
    load(job(), step(), *odd)
    names = summary()["no_output"]
    assert re.fullmatch(r"web-\[00001(,0\d{4})+,…", names)


def test_the_hosts_of_a_group_are_listed_by_page(get: Any, summary: Any) -> None:
    plant(30)
    key = summary()["groups"][0]["key"]
    first = get(f"groups/{key}", length=2).json()["data"]
    rest = get(f"groups/{key}", start=2).json()["data"]
    assert first["total"] == rest["total"] == 3
    assert [host["bk_host_id"] for host in first["hosts"] + rest["hosts"]] == [1, 2, 3]
    unknown = get("groups/0123456789ab")
    assert (unknown.status_code, unknown.json()["code"]) == (400, 1240003)


def test_statements_do_not_grow_with_hosts_and_the_read_is_recorded(get: Any) -> None:
    plant(20)
    get()
    with CaptureQueriesContext(connection) as few:
        get()
    load(*(result(host, status=9, exit_code=0) for host in range(100, 400)))
    load(*(script_log(f"start {h}\nversion 1.24.0\npid 1\n", host=h) for h in range(100, 400)))
    get()
    with CaptureQueriesContext(connection) as many:
        get()
    assert len(few) == len(many)
    read = LogRead.objects.latest("pk")
    assert read.channel == "summary"
    assert read.size > 0


def test_empty_steps_running_ones_and_file_steps_have_one(summary: Any) -> None:
    load(job(), step())
    assert (summary()["groups"], summary()["counts"]["hosts"]) == ([], 0)
    load(result(1, status=7), result(2, status=5))
    assert summary()["counts"]["unfinished"] == 2
    assert summary()["unfinished"] == "10.0.0.[1-2]"


def test_a_file_step_has_groups_by_outcome(summary: Any) -> None:
    load(job(), step(step_type=2), result(1, status=9), result(2, status=104, exit_code=1))
    load(file_log(1, offset=0, content="done\n"), file_log(2, offset=0, content="failed\n"))
    answer = summary()
    assert [group["succeeded"] for group in answer["groups"]] == [False, True]
    assert (answer["counts"]["no_output"], answer["no_output"]) == (0, "")
    assert all("output" not in group for group in answer["groups"])


@pytest.mark.parametrize("query", ["max_chars=10", "max_chars=x", "hosts=1", "batch=-1"])
def test_what_cannot_be_asked_is_refused(get: Any, query: str) -> None:
    load(job(), step())
    response = get(f"summary?{query}")
    assert (response.status_code, response.json()["code"]) == (400, 1240003)


def test_bytes_that_are_no_text_are_answered_all_the_same(summary: Any) -> None:
    load(job(), step(status=4), result(1, status=104, exit_code=1), result(2), result(3))
    raw = base64.b64encode("磁盘空间不足\n".encode("gb18030") + b"\xff\xfe\x80 error\n").decode()
    load(script_log(None, host=1, content_base64=raw), script_log("ok\n", host=2))
    groups = summary()["groups"]
    assert [line for group in groups for line in group["lines"]], groups
