"""Number of statements: the same for 500 hosts as for one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joblogs import database
from tests.builders import Fields, asking, file_log, job, load, result, script_log, step

Ask = Callable[..., Any]


@pytest.fixture
def statements(ask: Ask) -> Callable[..., int]:
    """How many statements an answer takes, the record of the read included."""

    def statements(hosts: int, **fields: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            envelope = ask(asking(**fields)).json()
        assert envelope["code"] == 0, envelope
        data = envelope["data"]
        entries = data["script_task_logs" if data["log_type"] == 1 else "file_task_logs"]
        assert len(entries) == hosts
        assert all(entry.get("log_content") or entry.get("file_logs") for entry in entries)
        sql = [query["sql"] for query in captured]
        assert sum("INSERT INTO" in statement for statement in sql) == 1
        assert any("joblogs_logread" in statement for statement in sql)
        return len(sql)

    return statements


Statements = Callable[..., int]


def script_step(number: int, hosts: int, *, counts: int = 1, batches: int = 1) -> list[Fields]:
    places = [
        {"step": number, "execute_count": count, "batch": batch}
        for count in range(counts)
        for batch in range(batches)
    ]
    every = [(host, place) for host in range(1, hosts + 1) for place in places]
    return [
        step(number),
        *(result(host, **place) for host, place in every),
        *(script_log(f"of {host}\n", host=host, **place) for host, place in every),
    ]


def file_step(number: int, hosts: int) -> list[Fields]:
    """Every host is a target and a source."""
    every = range(1, hosts + 1)
    return [
        step(number, step_type=2),
        *(result(host, step=number, role=r) for host in every for r in ("target", "source")),
        *(
            file_log(host, mode=mode, step=number, offset=0, content="done\n")
            for host in every
            for mode in (0, 1)
        ),
    ]


def ways_to_ask(hosts: int) -> list[Fields]:
    ids = list(range(1, hosts + 1))
    addresses = [f"10.0.{host // 256}.{host % 256}" for host in ids]
    return [
        {"host_id_list": ids},
        {"ip_list": [{"bk_cloud_id": 0, "ip": ip} for ip in addresses]},
        {},
        {"start": 0},
    ]


@pytest.mark.parametrize("make", [script_step, file_step])
def test_500_hosts_cost_as_many_statements_as_one(
    statements: Statements, make: Callable[..., list[Fields]]
) -> None:
    load(job(), *make(201, 1), *make(202, 500))
    one = [statements(1, step=201, **way) for way in ways_to_ask(1)]
    many = [statements(500, step=202, **way) for way in ways_to_ask(500)]
    assert many == one


@pytest.mark.parametrize("more", [{"counts": 3}, {"batches": 3}])
def test_attempts_and_batches_cost_no_statements_per_host(
    statements: Statements, more: dict[str, int]
) -> None:
    load(job(), *script_step(201, 1, **more), *script_step(202, 500, **more))
    one = statements(1, step=201, host_id_list=[1])
    assert statements(500, step=202, host_id_list=list(range(1, 501))) == one


def test_any_500_of_2000_hosts_answer_whole_in_the_order_of_the_request(
    ask: Ask, statements: Statements
) -> None:
    load(job(), *script_step(200, 2000))
    wanted = random.Random(1).sample(range(1, 2001), 500)  # noqa: S311 - only a shuffle
    entries = ask(asking(host_id_list=wanted)).json()["data"]["script_task_logs"]
    found = [(entry["bk_host_id"], entry["log_content"]) for entry in entries]
    assert found == [(host, f"of {host}\n") for host in wanted]
    assert statements(500, host_id_list=wanted) == statements(1, host_id_list=wanted[:1])


@pytest.mark.parametrize("body", [asking(job=404), asking(step=404), asking(host_id_list=["x"])])
def test_what_is_refused_reads_no_log_and_is_not_recorded(ask: Ask, body: Fields) -> None:
    load(job(), *script_step(200, 1))
    with CaptureQueriesContext(connection) as captured:
        assert ask(body).json()["result"] is False
    assert not [q for q in captured if "logchunk" in q["sql"] or "INSERT" in q["sql"]]


def test_rights_and_the_step_are_asked_at_once_but_never_of_a_replica(
    ask: Ask, statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(job(), *script_step(200, 1))

    def together() -> list[bool]:
        with CaptureQueriesContext(connection) as captured:
            assert ask(asking()).json()["code"] == 0
        asked = [q["sql"] for q in captured if "joblogs_appgrant" in q["sql"]]
        return ["joblogs_stepinstance" in statement for statement in asked]

    assert together() == [True]
    at_once = statements(1)
    monkeypatch.setattr(database, "is_reading_replica", lambda: True)
    assert together() == [False]
    assert statements(1) == at_once + 1
