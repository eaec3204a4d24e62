"""The pages of jobs and of machines, and who may open which page."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from joblogs.query import job_list
from tests.builders import CREATED, JOB, job, load, result, step
from tests.pages.page_helpers import page, staff

pytestmark = pytest.mark.django_db

ADDRESSES = [
    page("step", host=None),
    page("step-hosts", host=None),
    reverse("staff:job", args=["biz", "2", JOB]),
    reverse("staff:host", args=[1]),
]


def _html(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_a_stranger_finds_nothing() -> None:
    load(job(), step(), result(1, status=9))
    charlie = staff("charlie", scope=("biz", "3"))
    for address in ADDRESSES:
        assert charlie.get(address).status_code == 404
    assert "restart web" not in _html(charlie, reverse("staff:jobs"))


def test_addresses_name_a_scope_as_people_do() -> None:
    load(job(), job(300, bk_scope_id="3", name="secret work"))
    zoe = staff("zoe")
    html = _html(zoe, reverse("staff:jobs"))
    assert 'href="?scope=biz:2"' in html
    assert '<option value="biz:2">' in html
    assert "restart web" in _html(zoe, reverse("staff:jobs") + "?scope=biz:2")
    for other in ("biz:3", "biz:9", "biz", "2"):
        refused = _html(zoe, reverse("staff:jobs") + f"?scope={other}")
        assert "secret work" not in refused
        assert "Select a valid choice" in refused


def test_whoever_is_not_logged_in_is_asked_to() -> None:
    load(job(), step(), result(1, status=9))
    passer_by = Client()
    member = Client()
    member.force_login(User.objects.create_user("no staff"))
    for address in [*ADDRESSES, reverse("staff:jobs")]:
        for client in (passer_by, member):
            response = client.get(address)
            assert response.status_code == 302
            assert response["Location"].startswith(reverse("admin:login"))


def test_jobs_are_filtered_and_paged_by_key() -> None:
    load(
        *[
            record
            for n in range(1, 70)
            for record in (
                job(n, name=f"nightly {n}", create_time=1_700_000_000_000 + n // 2, operator="zoe"),
            )
        ],
        step(job=69),
        result(55, job=69, status=9, host_name="db-9"),
    )
    client = staff()

    def numbers(query: str) -> list[int]:
        html = _html(client, reverse("staff:jobs") + query)
        return [int(n) for n in re.findall(r"/logs/biz/2/jobs/(\d+)/", html)]

    every, query = [], ""
    while True:
        html = _html(client, reverse("staff:jobs") + query)
        every += [int(n) for n in re.findall(r"/logs/biz/2/jobs/(\d+)/", html)]
        following = re.search(r'href="(\?[^"]*)" rel="next"', html)
        if not following:
            break
        query = following[1].replace("&amp;", "&")
    assert every == list(range(69, 0, -1))
    for host in ("db-9", "10.0.0.55", "55"):
        assert numbers(f"?host={host}") == [69]
    assert numbers("?name=nightly+7") == [7]
    assert numbers("?operator=nobody") == []
    assert numbers("?since=2100-01-01") == []
    assert numbers("?until=not-a-day") == []
    assert numbers("?until=2023-11-13") == []
    assert len(numbers("?since=2023-11-14&until=9999-12-31")) == 30
    assert numbers("?number=12") == [12]


def test_a_host_page_shows_what_ran_on_it_where_one_may_look() -> None:
    load(
        job(),
        step(),
        *[result(5, status=9, execute_count=n, host_name="web-5") for n in range(60)],
        job(300, bk_scope_id="3", name="secret work"),
        step(301, job=300),
        result(5, job=300, step=301, status=9),
    )
    client = staff()
    html = _html(client, reverse("staff:host", args=[5]))
    assert html.count('<th scope="row">') == 50
    assert "secret work" not in html
    following = re.search(r'href="(\?after=[^"]*)" rel="next"', html)
    assert following
    assert _html(client, reverse("staff:host", args=[5]) + following[1]).count('"row"') == 10
    assert client.get(reverse("staff:host", args=[6])).status_code == 404
    assert client.get(reverse("staff:host", args=[10**30])).status_code == 404
    assert client.get(reverse("staff:host", args=[5]) + "?after=2026-99-99.1").status_code == 404


def test_the_root_leads_to_the_jobs() -> None:
    assert Client().get("/")["Location"] == reverse("staff:jobs")


@pytest.mark.parametrize("given", ["name=once", "operator=carol"])
def test_a_search_by_name_says_how_far_it_looked_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr(job_list, "LOOKED_THROUGH", 5)
    load(job(1, name="ran once", operator="carol", create_time=CREATED))
    load(*(job(n, create_time=CREATED + n * 60_000) for n in range(2, 10)))
    zoe, jobs = staff("zoe"), reverse("staff:jobs")
    html = _html(zoe, f"{jobs}?{given}")
    assert "No jobs match." in html
    assert "Only jobs created since this time were searched:" in html
    (address,) = re.findall(r'<a href="([^"]*)" rel="next">Continue search</a>', html)
    html = _html(zoe, jobs + address.replace("&amp;", "&"))
    assert "ran once" in html
    assert "were searched" not in html
    # What has an index is looked for among all.
    assert "ran once" in _html(zoe, f"{jobs}?{given}&number=1")
    assert "were searched" not in _html(zoe, f"{jobs}?status=3")
