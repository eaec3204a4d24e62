"""v4_get_job_instance_list, by the wire of BlueKing JOB."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.api.get_requests import Ask
from tests.api.v4.asking import failed_get, get_v4
from tests.builders import CREATED, job, load, result, step

NAME = "get_job_instance_list"
SPAN = {"create_time_start": CREATED - 10, "create_time_end": CREATED + 1000}


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


def jobs(ask: Ask, **query: Any) -> Any:
    return get_v4(ask, NAME, **{**SPAN, **query})["job_instance_list"]


def numbers(ask: Ask, **query: Any) -> list[int]:
    return [entry["job_instance_id"] for entry in jobs(ask, **query)]


def test_a_job_has_what_is_known_of_it(ask: Ask) -> None:
    times = {"start_time": CREATED + 1, "end_time": CREATED + 5, "total_time": 4}
    load(job(name="nightly", operator="ops", status=4, **times))
    assert jobs(ask) == [
        {
            "bk_biz_id": 2,
            "bk_scope_type": "biz",
            "bk_scope_id": "2",
            "job_instance_id": 100,
            "job_plan_id": -1,
            "job_template_id": -1,
            "name": "nightly",
            "operator": "ops",
            "launch_mode": 2,
            "status": 4,
            **times,
            "create_time": CREATED,
            "type": 1,
        }
    ]
    load(job(101, task_type=0))
    (plan, _) = jobs(ask)
    assert not {"job_plan_id", "job_template_id", "start_time", "total_time"} & set(plan)


def test_a_job_that_runs_has_run_until_now(ask: Ask) -> None:
    started = int(time.time() * 1000) - 60_000
    load(job(start_time=started, status=2))
    assert jobs(ask)[0]["total_time"] >= 60_000


def test_pages_are_newest_first_and_the_last_one_is_shorter(ask: Ask) -> None:
    load(*(job(number, create_time=CREATED + number) for number in range(1, 13)))
    assert numbers(ask) == list(range(12, 2, -1))
    assert numbers(ask, offset=10, length=5) == [2, 1]
    assert numbers(ask, offset=10_000, length=200) == []
    assert numbers(ask, length=1) == [12]


def test_both_ends_are_in_and_no_span_is_too_long(ask: Ask) -> None:
    load(job(1, create_time=CREATED), job(2, create_time=CREATED + 9))
    span = {"create_time_start": CREATED, "create_time_end": CREATED + 9}
    assert numbers(ask, **span) == [2, 1]
    assert numbers(ask, create_time_start=-5, create_time_end=2**52) == [2, 1]
    assert numbers(ask, create_time_start=CREATED + 9, create_time_end=CREATED) == []


def test_filters(ask: Ask) -> None:
    load(
        job(1, name="Restart web", operator="zoe", launch_mode=1, task_type=0, status=3),
        *(step(job=1), result(101, job=1, ip="10.0.0.9")),
        job(2, name="nightly", operator="ops", launch_mode=3, task_type=2, status=4),
    )
    for query in (
        *({"operator": "zoe"}, {"name": "restart"}, {"launch_mode": 1}, {"type": 0}),
        *({"status": 3}, {"ip": "10.0.0.9"}, {"job_instance_id": 1, "operator": "nobody"}),
        {"job_instance_id": 1, "create_time_start": 0, "create_time_end": 0},
    ):
        assert numbers(ask, **query) == [1], query
    blank = {"operator": "", "name": " ", "status": "", "job_instance_id": 0, "job_cron_id": -1}
    assert numbers(ask, **blank) == [2, 1]
    assert numbers(ask, job_cron_id=5) == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"create_time_start": None}, "请求参数[create_time_start]缺失或不合法"),
        ({"create_time_end": "soon"}, "请求参数[create_time_end]缺失或不合法"),
        ({"offset": 10_001}, "最多只能查偏移量为 0-10000 的执行历史"),
        ({"offset": -1}, "最多只能查偏移量为 0-10000 的执行历史"),
        ({"length": 201}, "单次返回最大记录数量length必须在 1-200 之间"),
        ({"length": 0}, "单次返回最大记录数量length必须在 1-200 之间"),
        ({"launch_mode": 9}, "错误的请求 [launch_mode]"),
        ({"status": 99}, "错误的请求 [status]"),
        ({"type": 7}, "错误的请求 [type]"),
        ({"ip": "nowhere"}, "IP 非法"),
    ],
)
def test_what_is_wrong_is_named(ask: Ask, query: dict[str, Any], told: str) -> None:
    load(job())
    status, _, message = failed_get(ask, NAME, **{**SPAN, **query})
    assert (status, message) == (400, told)
