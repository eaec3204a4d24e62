"""get_step_instance_status: how a step went on its hosts, in groups of those that ended alike."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.get_requests import Ask, data_of, error_of, wanted
from tests.builders import CREATED, job, load, result, step

NAME = "get_step_instance_status"
TIMES = {"start_time": CREATED + 100, "end_time": CREATED + 9000, "total_time": 8900}


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


def groups(ask: Ask, **fields: Any) -> list[tuple[int, str, int, list[int]]]:
    """Status, tag, size and listed hosts of each group."""
    return [
        (
            group["result_type"],
            group["tag"],
            group["host_size"],
            [host["bk_host_id"] for host in group["host_result_list"]],
        )
        for group in data_of(ask, NAME, **fields)["step_result_group_list"]
    ]


def told(ask: Ask, **fields: Any) -> dict[int, int]:
    """The status of each host that is listed."""
    found = data_of(ask, NAME, **fields)["step_result_group_list"]
    return {h["bk_host_id"]: h["status"] for group in found for h in group["host_result_list"]}


def test_it_tells_every_field(ask: Ask) -> None:  # R24
    load(
        job(),
        step(status=4, execute_count=1, **TIMES),
        result(bk_cloud_id=5, ipv6="fd00::7", status=104, tag="bad", exit_code=7, **TIMES),
    )
    assert data_of(ask, NAME) == {
        "step_instance_id": 200,
        "execute_count": 1,
        "name": "restart",
        "type": 1,
        "status": 4,
        "create_time": CREATED,
        **TIMES,
        "step_result_group_list": [
            {
                "result_type": 104,
                "result_type_desc": "脚本返回码非零",
                "tag": "bad",
                "host_size": 1,
                "host_result_list": [
                    {
                        "bk_host_id": 101,
                        "ip": "10.0.0.101",
                        "ipv6": "fd00::7",
                        "bk_agent_id": None,
                        "bk_cloud_id": 5,
                        "bk_cloud_name": None,
                        "status": 104,
                        "status_desc": "脚本返回码非零",
                        "tag": "bad",
                        "exit_code": 7,
                        **TIMES,
                    }
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    ("status", "zh", "en"),
    [(9, "执行成功", "Success"), (0, "未知错误", "Unknown Error"), (4321, "未知", "Unknown")],
)
def test_a_status_has_its_name_in_both_languages(ask: Ask, status: int, zh: str, en: str) -> None:
    load(job(), step(), result(status=status))
    assert data_of(ask, NAME)["step_result_group_list"][0]["result_type_desc"] == zh
    path = f"/api/v3/{NAME}?{urlencode(wanted(NAME))}"
    english = ask(b"", method="GET", path=path, headers={"Blueking-Language": "en"}).json()
    assert english["data"]["step_result_group_list"][0]["host_result_list"][0]["status_desc"] == en


def test_groups_are_sorted_by_status_then_tag_and_hosts_by_id(ask: Ask) -> None:
    load(
        job(),
        step(),
        result(105, status=104, tag="b"),
        result(104, status=9),
        result(103, status=104, tag="B"),
        result(102, status=104, tag="b"),
        result(101, status=104),
        result(100, status=9, tag=""),
    )
    assert groups(ask) == [
        (9, "", 2, [100, 104]),
        (104, "", 1, [101]),
        (104, "B", 1, [103]),
        (104, "b", 2, [102, 105]),
    ]


def test_a_step_without_hosts_has_an_empty_list(ask: Ask) -> None:
    load(job(), step(status=1))
    assert groups(ask) == []


def test_a_step_that_waits_is_one_group(ask: Ask) -> None:
    load(job(), step(status=1), result(101, status=5), result(102, status=5))
    assert groups(ask) == [(5, "", 2, [101, 102])]


def test_a_sql_step_stays_one_and_a_file_step_lists_its_targets(ask: Ask) -> None:
    load(
        job(),
        step(step_type=4),
        step(201, step_type=2),
        result(101, step=201, status=9),
        result(102, step=201, role="source"),
    )
    assert data_of(ask, NAME)["type"] == 4
    assert groups(ask, step_instance_id=201) == [(9, "", 1, [101])]


ATTEMPTS = (
    result(101, status=11),
    result(102, status=9),
    result(101, execute_count=1, status=104),
    result(101, execute_count=2, status=9),
)


@pytest.mark.parametrize(
    ("count", "found"),
    [
        (None, {101: 9, 102: 9}),
        (0, {101: 11, 102: 9}),
        (1, {101: 104, 102: 9}),
        (2, {101: 9, 102: 9}),
        (2**40, {101: 9, 102: 9}),
    ],
)
def test_an_earlier_attempt_is_told_as_things_stood_then(
    ask: Ask, count: int | None, found: dict[int, int]
) -> None:
    load(job(), step(), *ATTEMPTS)
    assert told(ask, execute_count=count) == found


BATCHES = (
    result(101, batch=1, status=9),
    result(102, batch=1, status=11),
    result(102, batch=2, status=104),
    result(103, batch=2, status=7),
)


@pytest.mark.parametrize(
    ("batch", "found"),
    [
        (None, {102: 104, 103: 7}),
        (0, {101: 9, 102: 104, 103: 7}),
        (1, {101: 9, 102: 11}),
        (2, {102: 104, 103: 7}),
        (3, {}),
        (2**40, {}),
    ],
)
def test_no_batch_is_the_latest_and_batch_0_is_all(
    ask: Ask, batch: int | None, found: dict[int, int]
) -> None:
    load(job(), step(), *BATCHES)
    assert told(ask, batch=batch) == found


def test_the_latest_batch_is_that_of_the_attempts_looked_at(ask: Ask) -> None:
    load(job(), step(), *BATCHES, result(104, execute_count=1, batch=3, status=9))
    assert told(ask) == {104: 9}
    assert told(ask, execute_count=0) == {102: 104, 103: 7}


MIXED = (
    result(101, status=9, tag="a"),
    result(102, status=9),
    result(103, status=104, tag="a"),
    result(104, status=104, tag="a"),
)


@pytest.mark.parametrize(
    ("given", "listed"),
    [
        ({}, [[102], [101], [103, 104]]),
        ({"status": 9}, [[102], [101], []]),
        ({"status": 104}, [[], [], [103, 104]]),
        ({"status": 7}, [[], [], []]),
        ({"tag": "a"}, [[], [101], [103, 104]]),
        ({"tag": ""}, [[102], [101], [103, 104]]),
        ({"status": 9, "tag": "a"}, [[], [101], []]),
        ({"max_host_num_per_group": 1}, [[102], [101], [103]]),
        ({"max_host_num_per_group": 0}, [[], [], []]),
        ({"max_host_num_per_group": 2**62}, [[102], [101], [103, 104]]),
    ],
)
def test_a_group_that_is_not_chosen_is_counted_only(
    ask: Ask, given: dict[str, Any], listed: list[list[int]]
) -> None:
    load(job(), step(), *MIXED)
    found = groups(ask, **given)
    assert [group[:3] for group in found] == [(9, "", 1), (9, "a", 1), (104, "a", 2)]
    assert [group[3] for group in found] == listed


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("10.0.1", [102]),
        ("0.1", [101, 102]),
        ("FD00", [103]),
        (" fd00 ", [103]),
        ("", [101, 102, 103]),
        ("?", []),
    ],
)
def test_hosts_are_found_by_a_part_of_an_address(ask: Ask, part: str, found: list[int]) -> None:
    load(
        job(),
        step(),
        result(101, ip="10.0.0.1"),
        result(102, ip="10.0.1.9"),
        result(103, ip=None, ipv6="fd00::7"),
    )
    assert list(told(ask, search_ip=part)) == found
    assert sum(group[2] for group in groups(ask, search_ip=part)) == len(found)


@pytest.mark.parametrize(
    "given",
    [
        {"execute_count": -1},
        {"execute_count": "x"},
        {"batch": -1},
        {"batch": "1.5"},
        {"max_host_num_per_group": -1},
        {"status": "ok"},
    ],
)
def test_what_is_no_number_in_its_range_is_named(ask: Ask, given: dict[str, Any]) -> None:
    load(job(), step())
    [field] = given
    assert error_of(ask, NAME, **given) == (1240003, f"错误的请求 [{field}]")


def test_a_missing_job_and_a_missing_step_are_told_apart(ask: Ask) -> None:
    load(job(), step(), job(101), step(201, job=101))
    assert error_of(ask, NAME, job_instance_id=404) == (1244006, "作业实例不存在")
    assert error_of(ask, NAME, step_instance_id=404) == (1244007, "作业步骤实例不存在")
    assert error_of(ask, NAME, step_instance_id=201)[0] == 1244007


def test_an_approval_has_no_such_status(ask: Ask) -> None:
    load(job(), step(step_type=3))
    assert error_of(ask, NAME) == (1241003, "不支持的操作")
