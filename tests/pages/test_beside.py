"""From the log of a host to those beside it."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.builders import job, load, result, script_log, step
from tests.pages.page_helpers import page, staff

pytestmark = pytest.mark.django_db
FAILED = (103, 107, 110)


def _load(hosts: int = 12) -> None:
    load(job(), step())
    _load_hosts(hosts)
    call_command("maintain_logs", stdout=StringIO())  # else some may not have been compared yet


def _load_hosts(hosts: int) -> None:
    for host in range(101, 101 + hosts):
        failed = host in FAILED
        load(
            result(
                host,
                status=104 if failed else 9,
                exit_code=2 if failed else 0,
                host_name=f"web-{host - 100}",
            ),
            script_log("ERROR: no space\n" if failed else "all is well\n", host=host),
        )


def _way(client: Client, host: int, to: str, query: str = "") -> str:
    answer = client.get(f"{page('log-neighbour', host=host)}?to={to}{query}")
    assert answer.status_code == 302
    return str(answer["Location"])


def _listed(client: Client, host: int, among: str) -> list[str]:
    html = client.get(page("log-beside", host=host), {"among": among}).content.decode()
    return re.findall(r'class="dot \w+"></span>(\S+)', html)


def test_the_next_host_is_the_next_of_the_group_and_after_the_last_comes_the_first() -> None:
    _load()
    client = staff()
    assert _way(client, 103, "next") == page("log", host=107)
    assert _way(client, 110, "next") == page("log", host=103)
    assert _way(client, 103, "previous") == page("log", host=110)
    assert _way(client, 102, "next") == page("log", host=104)


def test_the_way_keeps_how_logs_are_shown_and_what_is_found() -> None:
    _load()
    way = _way(staff(), 103, "next", "&wrap=0&find=space&file=3")
    assert way == page("log", host=107) + "?wrap=0&find=space"


def test_of_a_host_that_is_like_no_other_the_next_is_one_that_failed() -> None:
    _load()
    load(result(113, status=104, exit_code=9, host_name="web-5b"))
    client = staff()
    assert _way(client, 113, "next") == page("log", host=107)
    assert _way(client, 113, "previous") == page("log", host=103)


def test_the_hosts_are_listed_by_choice_with_this_one_marked() -> None:
    _load()
    client = staff()
    assert _listed(client, 103, "") == ["web-3", "web-7", "web-10"]
    assert _listed(client, 101, "failed") == ["web-3", "web-7", "web-10"]
    assert _listed(client, 101, "all") == [f"web-{n}" for n in range(1, 13)]
    html = client.get(page("log-beside", host=103)).content.decode()
    assert re.search(r'aria-current="page"[^>]*>.*web-3 <small>exit code 2', html)


def test_of_very_many_those_around_it_are_listed() -> None:
    _load(320)
    listed = _listed(staff(), 101 + 159, "all")
    assert len(listed) == 200
    assert "web-160" in listed
    assert listed[0] == "web-60"


def test_hosts_cost_no_statements() -> None:
    _load(2)
    client = staff()
    client.get(page("log-beside"))
    counts = []
    for hosts in (20, 200):  # both are enough to be compared
        _load(hosts)
        with CaptureQueriesContext(connection) as queries:
            client.get(page("log-beside"), {"among": "all"})
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_who_may_not_see_the_step_finds_nothing() -> None:
    _load()
    stranger = staff("charlie", scope=("biz", "3"))
    for name in ("log-beside", "log-neighbour"):
        assert stranger.get(page(name)).status_code == 404
    assert staff().get(page("log-neighbour", host=999)).status_code == 404
