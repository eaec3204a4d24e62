"""get_job_instance_list: the jobs of a scope within a span of time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.get_requests import SCOPE, Ask, data_of, error_of, wanted
from tests.builders import CREATED, credentials, job, load, result, step

NAME = "get_job_instance_list"
MONTH = 30 * 24 * 3600 * 1000


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


def numbers(ask: Ask, **fields: Any) -> list[int]:
    return [entry["job_instance_id"] for entry in data_of(ask, NAME, **fields)["data"]]


def posted(ask: Ask, **fields: Any) -> Any:
    return ask(wanted(NAME, **fields), path="/api/v3/" + NAME).json()


def test_it_tells_every_field(ask: Ask) -> None:
    times = {"start_time": CREATED + 1, "end_time": CREATED + 5, "total_time": 4}
    said: dict[str, Any] = {"operator": "zoe", "launch_mode": 3, "status": 4, **times}
    load(job(task_type=0, **said))
    assert data_of(ask, NAME) == {
        "start": 0,
        "length": 20,
        "total": 1,
        "data": [
            {
                "bk_biz_id": 2,
                "bk_scope_type": "biz",
                "bk_scope_id": "2",
                "job_instance_id": 100,
                "job_plan_id": None,
                "job_template_id": None,
                "name": "restart web",
                "operator": "zoe",
                "launch_mode": 3,
                "status": 4,
                "create_time": CREATED,
                **times,
                "type": 0,
            }
        ],
    }


def test_nothing_found_is_an_empty_list(ask: Ask) -> None:
    assert data_of(ask, NAME) == {"start": 0, "length": 20, "total": 0, "data": []}


def test_the_newest_come_first_and_both_ends_count(ask: Ask) -> None:
    times = [CREATED - 1001, CREATED - 1000, CREATED, CREATED + 1000, CREATED + 1001]
    load(*(job(100 + n, create_time=time) for n, time in enumerate(times)))
    assert numbers(ask) == [103, 102, 101]


def test_it_turns_pages(ask: Ask) -> None:
    load(*(job(100 + n, create_time=CREATED + n) for n in range(5)))
    data = data_of(ask, NAME, start=1, length=2)
    assert (data["start"], data["length"], data["total"]) == (1, 2, 5)
    assert [entry["job_instance_id"] for entry in data["data"]] == [103, 102]
    assert numbers(ask, start=4, length=1000) == [100]
    assert numbers(ask, start=5) == []
    assert numbers(ask, start=2**63 - 1) == []


FILTERS = [
    ({"operator": "zoe"}, [102]),
    ({"operator": "Zoe"}, []),
    ({"operator": "zo"}, []),
    ({"name": "WEB"}, [102, 101]),
    ({"name": "重启"}, [103]),
    ({"name": "%"}, []),
    ({"launch_mode": 1}, [102]),
    ({"launch_mode": 77}, []),
    ({"launch_mode": 2**40}, []),
    ({"type": 2}, [103]),
    ({"status": 4}, [103]),
    ({"status": -1}, []),
    ({"ip": "10.0.0.7"}, [101]),
    ({"ip": "FD00:0::7"}, [103]),
    ({"ip": "10.0.0.8"}, []),
    ({"ip": "10.0.0.9"}, [101]),
    ({"job_cron_id": 5}, []),
    ({"name": "web", "launch_mode": 2}, [101]),
    ({"job_instance_id": 103, "name": "no", "type": 99, "ip": "?"}, [103]),
    ({"job_instance_id": 404}, []),
    ({"operator": "a\0b"}, []),
    ({"name": "a\0b"}, []),
]


@pytest.mark.parametrize(("given", "found"), FILTERS)
def test_it_filters(ask: Ask, given: dict[str, Any], found: list[int]) -> None:
    load(
        job(101, name="restart web", create_time=CREATED - 2),
        step(201, job=101),
        result(1, job=101, step=201, ip="10.0.0.7"),
        result(2, job=101, step=201, ip="10.0.0.9", role="source"),
        job(102, name="stop Web", operator="zoe", launch_mode=1, create_time=CREATED - 3),
        job(103, name="重启", task_type=2, status=4, create_time=CREATED - 4),
        step(203, job=103),
        result(3, job=103, step=203, ip=None, ipv6="fd00::7"),
    )
    assert sorted(numbers(ask, **given), reverse=True) == sorted(found, reverse=True)
    assert data_of(ask, NAME, **given)["total"] == len(found)


def test_a_job_by_its_number_is_found_whenever_it_was_made(ask: Ask) -> None:
    load(job(101, create_time=CREATED - MONTH * 12))
    assert numbers(ask, job_instance_id=101) == [101]


@pytest.mark.parametrize("value", [None, "", "0", "-1", "x", "1.5"])
@pytest.mark.parametrize("field", ["create_time_start", "create_time_end"])
def test_both_ends_are_required(ask: Ask, field: str, value: str | None) -> None:
    found = error_of(ask, NAME, **{field: value})
    assert found == (1241007, f"请求参数[{field}]缺失或不合法")


@pytest.mark.parametrize("end", [CREATED, CREATED - 1])
def test_a_span_has_its_end_after_its_start(ask: Ask, end: int) -> None:
    found = error_of(ask, NAME, create_time_start=CREATED, create_time_end=end)
    assert found == (1241007, "请求参数[create_time_start|create_time_end]缺失或不合法")


def test_a_span_has_thirty_days_at_most(ask: Ask) -> None:
    assert numbers(ask, create_time_start=CREATED, create_time_end=CREATED + MONTH) == []
    found = error_of(ask, NAME, create_time_start=CREATED, create_time_end=CREATED + MONTH + 1)
    assert found == (1241002, "请求参数不合法")


@pytest.mark.parametrize("value", [3, -1, 99])
def test_an_unknown_type_is_refused(ask: Ask, value: int) -> None:
    assert error_of(ask, NAME, type=value) == (1241002, "请求参数不合法")


@pytest.mark.parametrize(
    "given",
    [
        {"length": 0},
        {"length": 1001},
        {"length": "x"},
        {"start": -1},
        {"start": 2**63},
        {"type": "x"},
        {"status": "1.5"},
        {"launch_mode": "web"},
        {"job_cron_id": "x"},
    ],
)
def test_what_is_no_number_in_its_range_is_named(ask: Ask, given: dict[str, Any]) -> None:
    [field] = given
    assert error_of(ask, NAME, **given) == (1240003, f"错误的请求 [{field}]")


def test_what_is_no_address_is_refused(ask: Ask) -> None:
    assert error_of(ask, NAME, ip="10.0.0") == (1240003, "IP 非法")


@pytest.mark.parametrize("value", [True, [], {}, 1.5])
@pytest.mark.parametrize("field", ["operator", "name"])
def test_what_is_no_text_is_refused(ask: Ask, field: str, value: Any) -> None:
    assert posted(ask, **{field: value})["code"] == 1240003


def test_a_text_that_no_column_holds_matches_nothing(ask: Ask) -> None:
    load(job())
    assert posted(ask, operator="\ud800")["data"]["total"] == 0


def test_a_number_counts_as_its_digits(ask: Ask) -> None:
    load(job(operator="007"), job(101, operator="7"))
    assert posted(ask, operator=7)["data"]["data"][0]["job_instance_id"] == 101


def test_jobs_of_another_scope_are_not_listed_not_even_by_number_or_address(ask: Ask) -> None:
    load(job(101, bk_scope_id="3"), step(job=101), result(job=101, ip="10.0.0.7"))
    for given in ({}, {"job_instance_id": 101}, {"ip": "10.0.0.7"}):
        assert numbers(ask, **given) == []
    everywhere = credentials("everywhere", scopes=(), all_scopes=True)
    body = wanted(NAME) | SCOPE | {"bk_scope_id": "3"}
    answer = ask(body, path="/api/v3/" + NAME, caller=everywhere).json()
    assert answer["data"]["total"] == 1
