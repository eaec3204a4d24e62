"""How a step went on each host, with its first error line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from joblogs.models import LogRead
from joblogs.search import first_error_lines
from tests import builders
from tests.builders import file_log, job, load, result, script_log, step

URL = "/api/v1/biz/2/jobs/100/steps/200/first_errors"


@pytest.fixture
def get(db: None) -> Callable[..., Any]:
    headers = builders.credentials()

    def get(caller: Any = headers, **query: Any) -> Any:
        return Client().get(URL, query, headers=caller)

    return get


@pytest.fixture
def hosts(get: Callable[..., Any]) -> Callable[..., Any]:
    def hosts(**query: Any) -> Any:
        response = get(**query)
        assert response.status_code == 200, response.content
        return response.json()["data"]["hosts"]

    return hosts


def test_a_host_is_shown_with_its_first_error_line_and_those_around_it(hosts: Any) -> None:
    load(job(), step(), result(status=104, exit_code=2, tag="late"))
    load(script_log("one\n0 errors\ntwo\nERROR: disk full\nthree\nerror again\n"))
    (host,) = hosts()
    assert (host["bk_host_id"], host["status"], host["exit_code"]) == (101, 104, 2)
    assert (host["tag"], host["state"], host["searched"]) == ("late", "complete", True)
    assert host["size"] == 52
    assert host["first_error"] == [
        {"number": 3, "text": "two", "matches": False},
        {"number": 4, "text": "ERROR: disk full", "matches": True},
        {"number": 5, "text": "three", "matches": False},
    ]
    (bare,) = hosts(context=0)
    assert [line["number"] for line in bare["first_error"]] == [4]


def test_a_log_without_an_error_and_one_without_text_have_no_line(hosts: Any) -> None:
    load(job(), step(), result(101), result(102), script_log("all well\n", host=101))
    assert [host["first_error"] for host in hosts()] == [[], []]


def test_hosts_are_chosen_by_their_result_and_paged(get: Any, hosts: Any) -> None:
    load(job(), step(), *(result(n, status=104 if n % 2 else 9) for n in range(1, 7)))
    assert [host["bk_host_id"] for host in hosts(status="failed")] == [1, 3, 5]
    assert [host["bk_host_id"] for host in hosts(status="succeeded", start=1, length=1)] == [4]
    assert get(status="failed", length=1).json()["data"]["total"] == 3


def test_the_first_file_with_an_error_counts_in_a_file_step(hosts: Any) -> None:
    load(job(), step(step_type=2), result(status=104))
    load(file_log(101, content="copied\n", offset=0))
    load(file_log(101, content="a\ncannot write\n", offset=0, source=103))
    (host,) = hosts()
    assert [line["text"] for line in host["first_error"]] == ["a", "cannot write"]


def test_a_table_has_a_row_for_each_host_and_no_formula(get: Any) -> None:
    load(job(), step(), result(101, status=104, tag="=1+1"), result(102))
    load(script_log("ok\n=cmd failed\n", host=101))
    response = get(format="csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    first, second = csv.DictReader(io.StringIO(response.content.decode()))
    assert (first["bk_host_id"], first["tag"]) == ("101", "'=1+1")
    assert (first["first_error_line"], first["first_error"]) == ("2", "'=cmd failed")
    assert (second["first_error_line"], second["first_error"]) == ("", "")


@pytest.mark.parametrize(
    "query",
    [
        {"status": "odd"},
        {"length": 501},
        {"length": 0},
        {"context": 6},
        {"format": "xml"},
        {"statsu": "failed"},
        {"status": ["failed", "running"]},
    ],
)
def test_a_wrong_parameter_is_named(get: Any, query: dict[str, Any]) -> None:
    load(job(), step())
    response = get(**query)
    assert (response.status_code, response.json()["code"]) == (400, 1240003)
    assert f"[{next(iter(query))}]" in response.json()["message"]


def test_who_may_not_read_gets_no_row_and_leaves_none(get: Any) -> None:
    load(job(), step(), result(), script_log("failed\n"))
    elsewhere = builders.credentials("elsewhere", scopes=(("biz", "3"),))
    assert get(caller=elsewhere).status_code == 403
    assert not LogRead.objects.exists()


def test_a_read_is_recorded_with_its_hosts_and_bytes(get: Any) -> None:
    load(job(), step(), result(101), result(102), script_log("failed\n", host=101))
    get()
    (read,) = LogRead.objects.all()
    assert (read.channel, read.host_count, read.size) == ("first_errors", 2, 7)


def test_hosts_cost_no_statements(get: Any) -> None:
    def statements(hosts: int, number: int) -> int:
        load(
            job(number),
            step(number, job=number),
            *(
                record
                for host in range(1, hosts + 1)
                for record in (
                    result(host, job=number, step=number),
                    script_log("failed\n", host=host, job=number, step=number),
                )
            ),
        )
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = Client().get(
                f"/api/v1/biz/2/jobs/{number}/steps/{number}/first_errors",
                headers=headers,
            )
        assert len(response.json()["data"]["hosts"]) == hosts
        return len(queries)

    headers = builders.credentials("counting")
    statements(1, 300)
    assert statements(1, 301) == statements(50, 302)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize("context", [0, 1, 3])
def test_lines_and_numbers_do_not_depend_on_the_parts(size: int, context: int) -> None:
    log = b"".join(b"line %d\n" % n for n in range(1, 40)) + b"fatal: disk\nafter\n\nlast"
    parts = [log[at : at + size] for at in range(0, len(log), size)]
    lines = first_error_lines(parts, context=context)
    numbered = list(enumerate(log.splitlines(keepends=True), start=1))
    assert [(line.number, line.data) for line in lines] == [
        (number, data) for number, data in numbered if abs(number - 40) <= context
    ]
    assert [line.number for line in lines if line.matches] == [40]
