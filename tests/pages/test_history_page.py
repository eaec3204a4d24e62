"""The page that searches the logs of all jobs that a member of staff may browse."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client

from joblogs import maintenance
from joblogs.models import LogRead, SearchRead
from tests.builders import CREATED, job, load, result, script_log, step
from tests.pages.page_helpers import staff

pytestmark = pytest.mark.django_db
SPAN = {"since": "2023-11-01", "until": "2023-11-30"}


def load_run(number: int, text: str, *, hosts: int = 1) -> None:
    load(
        job(number, status=3, create_time=CREATED + number, name=f"job {number}"),
        step(number, job=number, status=3),
    )
    for host in range(1, hosts + 1):
        load(
            result(host, job=number, step=number, status=9, host_name=f"web-{host}"),
            script_log(text, host=host, job=number, step=number),
        )


@pytest.fixture(autouse=True)
def store() -> None:
    load_run(1, "start\n<b>No space left</b>\n", hosts=3)
    load_run(2, "all is well\n")
    maintenance.maintain(every_day=True)


def get(client: Client | None = None, **query: Any) -> str:
    return (client or staff()).get("/logs/search/", SPAN | query).content.decode()


def test_it_shows_the_steps_with_folded_hosts_and_the_first_line() -> None:
    html = get(q="no space left")
    assert "1 step printed it" in html
    assert "web-[1-3]" in html
    assert "&lt;b&gt;" in html
    assert "<b>No space left" not in html
    assert 'href="/logs/biz/2/jobs/1/steps/1/search/?q=no+space+left"' in html
    assert "/hosts/1/?line=2#L2" in html


def test_never_is_an_answer() -> None:
    html = get(q="f81d4fae-7dec")
    assert "No step printed it" in html
    assert "Searched 2 steps" in html
    assert "read 0 of them" in html


def test_the_jobs_page_leads_to_it() -> None:
    html = staff().get("/logs/").content.decode()
    assert 'action="/logs/search/"' in html


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"q": "ab"}, "Narrow the search"),
        ({"q": "(", "regex": "1"}, "Invalid search"),
        ({"q": "abc", "since": "2020-01-01"}, "The span must be 1 to 400 days."),
        ({"q": "abc", "since": "2023-12-01"}, "The span must be 1 to 400 days."),
        ({"q": "abc", "since": "0001-01-01", "until": "0001-01-02"}, "No step printed it"),
        ({"q": "abc", "until": "0001-01-02", "since": ""}, "No step printed it"),
        ({"q": "abc", "since": "9999-12-31", "until": "9999-12-31"}, "No step printed it"),
        ({"q": "abc", "cursor": "nonsense"}, "No step printed it"),
        ({}, "Search all logs"),
    ],
)
def test_it_says_what_is_wrong(query: dict[str, Any], text: str) -> None:
    assert text in get(**query)


def test_a_wrong_day_is_the_only_fault_that_is_reported() -> None:
    html = get(q="abc", until="2023-13-45")
    assert "Enter a valid date." in html
    assert "The span must be" not in html


def test_what_is_wrong_with_a_text_is_translated() -> None:
    answer = staff().get("/logs/search/", SPAN | {"q": "a\nb"}, headers={"Accept-Language": "zh"})
    assert "无法搜索：包含换行符，而匹配从不跨行" in answer.content.decode()


def test_a_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblogs.pages.history.page.STEPS", 1)
    load_run(3, "No space left\n")
    client = staff()
    html = get(client, q="No space left")
    assert "job 3" in html
    assert "Searched back to 2023-11-14." in html
    more = html.partition('<a href="?')[2].partition('"')[0].replace("&amp;", "&")
    html = client.get(f"/logs/search/?{more}").content.decode()
    assert "job 1" in html
    assert "Continue search" not in html


def test_the_search_and_what_it_showed_are_recorded() -> None:
    get(q="No space left", until=datetime.date(2023, 11, 14))
    (search,) = SearchRead.objects.all()
    assert (search.channel, search.steps, search.found_steps) == ("page history", 2, 1)
    (read,) = LogRead.objects.all()
    assert (read.channel, read.step_instance_id, read.host_count) == ("page history", 1, 3)


def test_staff_without_a_scope_are_told_whom_to_ask() -> None:
    shown = get(staff("nora", scope=None))
    assert "You don't have access to any scope yet." in shown
