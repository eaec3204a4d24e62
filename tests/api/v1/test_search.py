"""Search in the logs of a step by API: the groups of the search page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from joblogs.models import LogRead
from tests import builders
from tests.builders import file_log, job, load, result, script_log, step

URL = "/api/v1/biz/2/jobs/100/steps/200/search"


@pytest.fixture
def get(db: None) -> Callable[..., Any]:
    headers = builders.credentials()

    def get(caller: Any = headers, **query: Any) -> Any:
        return Client().get(URL, query, headers=caller)

    return get


@pytest.fixture
def found(get: Callable[..., Any]) -> Callable[..., Any]:
    def found(**query: Any) -> Any:
        envelope = get(**query).json()
        assert envelope["code"] == 0, envelope
        return envelope["data"]

    return found


def printed(**texts: str) -> None:
    """A step whose hosts, h1 and so on, printed these texts."""
    load(job(), step())
    for name, text in texts.items():
        host = int(name[1:])
        load(result(host, host_name=f"web-{host:02}"), script_log(text, host=host))


def test_hosts_that_printed_the_same_are_one_group(found: Any) -> None:
    printed(h1="start\ndisk full\n", h2="start\ndisk full\n", h3="fine\n", h4="Disk failed\n")
    answer = found(q="disk")
    assert (answer["total"], answer["hits"], answer["hosts_with_hits"]) == (4, 3, 3)
    assert answer["hosts_without_hits"] == 1
    alone, both = answer["groups"]
    assert (alone["total"], alone["hosts"]) == (1, [{"bk_host_id": 4, "name": "web-04"}])
    assert (both["total"], both["folded"], both["hits"]) == (2, ["web-[01-02]"], 1)
    assert both["lines"] == [
        {"number": 1, "text": "start", "matches": False},
        {"number": 2, "text": "disk full", "matches": True},
    ]


def test_case_and_expressions_count_if_they_are_asked_for(found: Any) -> None:
    printed(h1="disk full\n", h2="Disk full\n")
    assert found(q="Disk", case=1)["hosts_with_hits"] == 1
    assert found(q="d.sk", case=1)["hosts_with_hits"] == 0
    assert found(q="^d.sk", regex=1)["hosts_with_hits"] == 2


def test_hosts_are_chosen_by_result_and_paged(found: Any) -> None:
    load(job(), step())
    for host in range(1, 5):
        load(result(host, status=104 if host % 2 else 9), script_log("disk\n", host=host))
    assert found(q="disk", status="failed")["hosts_with_hits"] == 2
    first = found(q="disk", length=3)
    assert (first["hosts_with_hits"], first["next_start"]) == (3, 3)
    last = found(q="disk", start=3)
    assert (last["hosts_with_hits"], last["next_start"]) == (1, None)


def test_file_logs_are_searched_by_their_file(found: Any) -> None:
    load(job(), step(step_type=2), result(), file_log(101, content="moved disk\n", offset=0))
    (group,) = found(q="disk")["groups"]
    assert (group["file"], group["hits"]) == ("/tmp/1.log", 1)  # noqa: S108


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": ""},
        {"q": "x" * 1025},
        {"q": "(", "regex": "1"},
        {"q": "x", "regex": "maybe"},
        {"q": "x", "context": 6},
        {"q": "x", "status": "odd"},
        {"q": "x", "length": 20_001},
        {"q": "x", "hosts": "failed"},
        {"q": ["x", "y"]},
    ],
)
def test_a_wrong_parameter_is_named(get: Any, query: dict[str, Any]) -> None:
    load(job(), step())
    envelope = get(**query).json()
    name = list(query)[-1] if len(query) > 1 and "(" not in query.values() else "q"
    assert (envelope["code"], envelope["data"]) == (1240003, None)
    assert f"[{name}]" in envelope["message"]


def test_a_search_is_recorded_where_nothing_is_found_too(get: Any) -> None:
    printed(h1="fine\n", h2="good\n")
    get(q="disk")
    (read,) = LogRead.objects.all()
    assert (read.channel, read.host_count, read.size) == ("search", 2, 10)


def test_who_may_not_read_learns_nothing(get: Any) -> None:
    printed(h1="disk full\n")
    elsewhere = builders.credentials("elsewhere", scopes=(("biz", "3"),))
    assert get(caller=elsewhere, q="disk").json()["code"] == 9900403
    assert not LogRead.objects.exists()


def test_scope_and_step_are_found_by_one_statement(get: Any) -> None:
    printed(h1="disk full\n")
    get(q="disk")
    with CaptureQueriesContext(connection) as queries:
        get(q="disk")
    assert sum('"joblogs_scope"' in query["sql"] for query in queries) == 1


def test_hosts_cost_no_statements(get: Any) -> None:
    def statements(query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            get(q=query)
        return len(queries)

    printed(h1="disk full\n")
    get(q="disk")
    one = statements("disk")
    for host in range(2, 50):
        load(result(host), script_log(f"disk {host}\n", host=host))
    assert statements("disk") == one
