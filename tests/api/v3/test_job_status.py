"""get_job_instance_status: a job, its steps, and if asked how it went on each target."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.get_requests import Ask, data_of, error_of, wanted
from tests.builders import CREATED, HOST, credentials, job, load, result, step

NAME = "get_job_instance_status"
TIMES = {"start_time": CREATED + 100, "end_time": CREATED + 9000, "total_time": 8900}


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


def hosts(ask: Ask, **fields: Any) -> Any:
    """The hosts of the only step."""
    data = data_of(ask, NAME, return_ip_result="true", **fields)
    return data["step_instance_list"][0]["step_ip_result_list"]


def test_it_tells_every_field_of_a_job_and_its_steps(ask: Ask) -> None:  # R24, R30
    load(job(status=3, **TIMES), step(status=4, execute_count=2, **TIMES))
    data = data_of(ask, NAME)
    assert data == {
        "finished": True,
        "job_instance": {
            "bk_biz_id": 2,
            "bk_scope_type": "biz",
            "bk_scope_id": "2",
            "job_instance_id": 100,
            "name": "restart web",
            "status": 3,
            "create_time": CREATED,
            **TIMES,
        },
        "step_instance_list": [
            {
                "step_instance_id": 200,
                "name": "restart",
                "status": 4,
                "type": 1,
                "execute_count": 2,
                "create_time": CREATED,
                **TIMES,
                "step_ip_result_list": None,
            }
        ],
    }


def test_it_tells_every_field_of_a_host(ask: Ask) -> None:  # R30
    codes: dict[str, Any] = {"status": 104, "tag": "bad", "exit_code": 7, "error_code": 0}
    load(job(), step(), result(bk_cloud_id=5, ip="10.0.0.1", **codes, **TIMES))
    assert hosts(ask) == [
        {"bk_host_id": HOST, "ip": "10.0.0.1", "bk_cloud_id": 5, **codes, **TIMES}
    ]


def test_a_tag_is_always_a_text_and_what_is_not_known_is_null(ask: Ask) -> None:
    load(job(), step(), result(ip=None, ipv6="fd00::7"))
    [host] = hosts(ask)
    assert host["tag"] == ""
    unknown = ("ip", "exit_code", "error_code", "start_time", "end_time", "total_time")
    assert [host[field] for field in unknown] == [None] * 6


@pytest.mark.parametrize("value", ["True", "true", "TRUE", "1", " true "])
def test_hosts_come_when_they_are_asked_for(ask: Ask, value: str) -> None:  # R20
    load(job(), step(), result())
    data = data_of(ask, NAME, return_ip_result=value)
    assert len(data["step_instance_list"][0]["step_ip_result_list"]) == 1


@pytest.mark.parametrize("value", [None, "", "False", "false", "0"])
def test_hosts_are_null_when_they_are_not_asked_for(ask: Ask, value: str | None) -> None:  # R20
    load(job(), step(), result())
    data = data_of(ask, NAME, return_ip_result=value)
    assert data["step_instance_list"][0]["step_ip_result_list"] is None


@pytest.mark.parametrize(
    ("value", "given"),
    [(True, True), ("True", True), ("1", True), (1, True), (False, False), ("false", False)],
)
def test_a_body_says_yes_and_no_in_several_ways(ask: Ask, value: Any, given: bool) -> None:  # R20
    load(job(), step(), result())
    answer = ask(wanted(NAME, return_ip_result=value), path="/api/v3/" + NAME).json()
    assert (answer["data"]["step_instance_list"][0]["step_ip_result_list"] is not None) == given


@pytest.mark.parametrize("value", ["yes", "2", "tru", "null"])
def test_neither_yes_nor_no_is_refused(ask: Ask, value: str) -> None:
    load(job(), step())
    assert error_of(ask, NAME, return_ip_result=value) == (
        1240003,
        "错误的请求 [return_ip_result]",
    )


@pytest.mark.parametrize("value", [[], {}, [True], 1.5, [[[[]]]]])
def test_neither_yes_nor_no_is_refused_in_a_body(ask: Ask, value: Any) -> None:
    answer = ask(wanted(NAME, return_ip_result=value), path="/api/v3/" + NAME).json()
    assert answer["code"] == 1240003


def test_an_approval_has_an_empty_list_when_asked(ask: Ask) -> None:
    load(job(), step(step_type=3))
    assert hosts(ask) == []
    assert data_of(ask, NAME)["step_instance_list"][0]["step_ip_result_list"] is None


def test_a_sql_step_stays_one(ask: Ask) -> None:
    load(job(), step(step_type=4))
    assert data_of(ask, NAME)["step_instance_list"][0]["type"] == 4


def test_a_job_without_steps_yet_is_no_error(ask: Ask) -> None:
    load(job(status=1))
    data = data_of(ask, NAME, return_ip_result="1")
    assert (data["step_instance_list"], data["finished"]) == ([], False)


def test_steps_come_in_their_order(ask: Ask) -> None:
    load(job(), step(203), step(202, position=2), step(204, position=1), step(201))
    steps = data_of(ask, NAME)["step_instance_list"]
    assert [one["step_instance_id"] for one in steps] == [204, 202, 201, 203]


@pytest.mark.parametrize("status", [1, 2, 7, 10, 15])
def test_a_job_that_goes_on_is_not_finished(ask: Ask, status: int) -> None:
    load(job(status=status))
    assert data_of(ask, NAME)["finished"] is False


@pytest.mark.parametrize("status", [3, 4, 5, 6, 8, 9, 11, 12, 13, 14])
def test_every_other_status_is_the_end(ask: Ask, status: int) -> None:
    load(job(status=status))
    assert data_of(ask, NAME)["finished"] is True


def test_hosts_come_by_id_and_once_with_their_newest_attempt(ask: Ask) -> None:
    load(
        job(),
        step(),
        result(103, status=11),
        result(102, status=9),
        result(102, execute_count=2, batch=1, status=104, ip="10.0.9.2"),
        result(102, execute_count=1, batch=7, status=9),
        result(102, execute_count=2, batch=2, status=101, ip="10.0.9.3"),
    )
    told = [(host["bk_host_id"], host["status"], host["ip"]) for host in hosts(ask)]
    assert told == [(102, 101, "10.0.9.3"), (103, 11, "10.0.0.103")]


def test_a_file_step_lists_its_targets_only(ask: Ask) -> None:
    load(
        job(),
        step(step_type=2),
        result(101, role="target", status=9),
        result(101, role="source", execute_count=3, status=11),
        result(102, role="source"),
    )
    assert [(host["bk_host_id"], host["status"]) for host in hosts(ask)] == [(101, 9)]


def test_each_step_lists_its_own_hosts(ask: Ask) -> None:
    load(job(), step(200), step(201), result(101), result(102, step=201))
    steps = data_of(ask, NAME, return_ip_result=1)["step_instance_list"]
    found = [[host["bk_host_id"] for host in one["step_ip_result_list"]] for one in steps]
    assert found == [[101], [102]]


@pytest.mark.parametrize(
    ("kind", "number", "told"),
    [
        ("biz", "2", 2),
        ("biz", "02", None),
        ("biz", "x", None),
        ("biz_set", "8000001", 8_000_001),
        ("biz_set", "9999999", 9_999_999),
        ("biz_set", "2", None),
        ("tenant_set", "2", None),
    ],
)
def test_the_old_name_of_a_scope_is_told_where_there_is_one(
    ask: Ask, kind: str, number: str, told: int | None
) -> None:
    caller = credentials("other", scopes=((kind, number),))
    load(job(300, bk_scope_type=kind, bk_scope_id=number))
    body = {"bk_scope_type": kind, "bk_scope_id": number, "job_instance_id": 300}
    answer = ask(body, path="/api/v3/" + NAME, caller=caller).json()
    assert answer["data"]["job_instance"]["bk_biz_id"] == told
    assert answer["data"]["job_instance"]["bk_scope_id"] == number


def test_no_such_job_is_told(ask: Ask) -> None:
    assert error_of(ask, NAME, job_instance_id=404) == (1244006, "作业实例不存在")
