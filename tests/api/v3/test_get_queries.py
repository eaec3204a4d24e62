"""Cost of the endpoints read by GET: statements stay few, large answers are streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.get_requests import Ask, data_of, get
from tests.builders import CREATED, file_log, job, load, result, script_log, step

MANY = 500
CASES = [
    ("get_job_instance_status", {"return_ip_result": "1"}),
    ("get_job_instance_ip_log", {}),
    ("get_step_instance_status", {}),
    ("get_step_instance_status", {"keyword": "hello", "search_ip": "10.", "tag": "x"}),
    ("get_step_instance_detail", {}),
]


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


def statements(ask: Ask, name: str, **fields: Any) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        data_of(ask, name, **fields)
    return [query["sql"] for query in captured.captured_queries]


def script_hosts(count: int) -> Iterator[Any]:
    for host in range(101, 101 + count):
        yield result(host, status=9)
        yield script_log("hello\n", host=host)


def file_hosts(count: int) -> Iterator[Any]:
    yield result(1, role="source")
    yield file_log(1, mode=0, offset=0, content="hello\n")
    for host in range(101, 101 + count):
        yield result(host, status=9)
        yield file_log(host, source=1, offset=0, content="hello\n")


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize(("name", "fields"), CASES)
def test_as_many_statements_for_500_hosts_as_for_one(
    ask: Ask, name: str, fields: dict[str, Any], kind: int
) -> None:
    hosts = script_hosts if kind == 1 else file_hosts
    load(job(100), step(200, step_type=kind), *hosts(1))
    one = statements(ask, name, **fields)
    load(*hosts(MANY))
    many = statements(ask, name, **fields)
    assert len(many) == len(one), many
    assert len(one) <= 12


def test_as_many_statements_for_a_page_of_jobs_as_for_one(ask: Ask) -> None:
    load(job(100))
    one = statements(ask, "get_job_instance_list")
    load(*(job(101 + n, create_time=CREATED + n) for n in range(50)))
    assert len(statements(ask, "get_job_instance_list", length=1000)) == len(one) == 4


# Without a transaction around it, as in production: the cursor must outlive its statement.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("get_job_instance_status", ("step_instance_list", 0, "step_ip_result_list")),
        ("get_step_instance_status", ("step_result_group_list", 0, "host_result_list")),
        ("get_step_instance_detail", ("script_info", "server", "ip_list")),
    ],
)
def test_a_large_answer_is_streamed_and_whole(
    ask: Ask, name: str, path: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("joblogs.api.streaming.BUFFER_BYTES", 2000)
    load(job(), step(), *(result(101 + n) for n in range(MANY)))
    response = get(ask, name, return_ip_result="1")
    assert response.streaming
    found = json.loads(b"".join(response))
    assert found["result"] is True
    found = found["data"]
    for key in path:
        found = found[key]
    assert [host["bk_host_id"] for host in found] == list(range(101, 101 + MANY))
