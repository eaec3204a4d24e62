"""v4_get_job_instance_status, by the wire of BlueKing JOB."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.get_requests import Ask
from tests.api.v4.asking import failed_get, get_v4
from tests.builders import CREATED, job, load, result, step

NAME = "get_job_instance_status"
TIMES = {"start_time": CREATED + 1, "end_time": CREATED + 5, "total_time": 4}


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


def status(ask: Ask, **query: Any) -> Any:
    return get_v4(ask, NAME, **{"job_instance_id": 100, **query})


def test_a_job_has_its_steps_and_these_their_results(ask: Ask) -> None:
    load(
        job(name="nightly", status=4, **TIMES),
        step(name="check", status=4, **TIMES),
        result(101, status=104, exit_code=3, error_code=7, **TIMES),
        result(102, ip=None, ipv6="fd00::7", bk_cloud_id=3, tag="ok", status=9),
    )
    assert status(ask, return_execute_object_result="true") == {
        "finished": True,
        "job_instance": {
            "bk_biz_id": 2,
            "bk_scope_type": "biz",
            "bk_scope_id": "2",
            "job_instance_id": 100,
            "status": 4,
            "name": "nightly",
            "create_time": CREATED,
            **TIMES,
        },
        "step_instance_list": [
            {
                "step_instance_id": 200,
                "name": "check",
                "status": 4,
                "type": 1,
                "execute_count": 0,
                **TIMES,
                "create_time": CREATED,
                "step_execute_object_result_list": [
                    {
                        "status": 104,
                        "tag": "",
                        "execute_object": {
                            "type": 1,
                            "host": {"bk_host_id": 101, "bk_cloud_id": 0, "ip": "10.0.0.101"},
                            "resource_id": "101",
                        },
                        "exit_code": 3,
                        **TIMES,
                    },
                    {
                        "status": 9,
                        "tag": "ok",
                        "execute_object": {
                            "type": 1,
                            "host": {"bk_host_id": 102, "bk_cloud_id": 3, "ipv6": "fd00::7"},
                            "resource_id": "102",
                        },
                    },
                ],
            }
        ],
    }


def test_results_are_left_out_unless_they_are_wanted_and_there_are_any(ask: Ask) -> None:
    load(job(), step(), result(), step(201, step_type=3))
    for query in ({}, {"return_execute_object_result": "false"}, {"return_ip_result": "true"}):
        (first, second) = status(ask, **query)["step_instance_list"]
        assert "step_execute_object_result_list" not in first | second
    (first, second) = status(ask, return_execute_object_result="1")["step_instance_list"]
    assert "step_execute_object_result_list" in first
    assert "step_execute_object_result_list" not in second


def test_what_has_not_happened_is_left_out(ask: Ask) -> None:
    load(job(101, status=1), step(job=101, status=1))
    data = status(ask, job_instance_id=101)
    assert data["finished"] is False
    assert not {"start_time", "end_time", "total_time"} & set(data["job_instance"])
    assert not {"start_time", "end_time", "total_time"} & set(data["step_instance_list"][0])


def test_hosts_cost_no_statements(ask: Ask) -> None:
    counts = []
    for number, hosts in ((100, 1), (101, 50)):
        load(job(number), step(job=number), *(result(1 + h, job=number) for h in range(hosts)))
        with CaptureQueriesContext(connection) as asked:
            status(ask, job_instance_id=number, return_execute_object_result="true")
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"job_instance_id": "404"}, (404, "1244006")),
        ({"job_instance_id": "0"}, (400, "1240003")),
        ({"job_instance_id": None}, (400, "1240003")),
        ({"return_execute_object_result": "maybe"}, (400, "1240003")),
        ({"bk_scope_id": "9"}, (404, "1243049")),
        ({"bk_scope_type": "galaxy"}, (400, "1241005")),
    ],
)
def test_what_is_wrong_has_a_status_and_a_number(
    ask: Ask, query: dict[str, Any], told: tuple[int, str]
) -> None:
    load(job(), step())
    assert failed_get(ask, NAME, **{"job_instance_id": 100, **query})[:2] == told


def test_it_is_asked_by_get_only(ask: Ask) -> None:
    response = ask({}, path=f"/api/v4/{NAME}")
    assert (response.status_code, response["Allow"]) == (405, "GET")
