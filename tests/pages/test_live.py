"""Pages of what runs are asked for again by a script: the part that changes, or nothing."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from joblogs.models import LogRead
from tests.builders import file_log, job, load, result, script_log, step
from tests.pages.page_helpers import html, page, staff

pytestmark = pytest.mark.django_db
STEP_PAGE = page("step", host=None)
JOB_PAGE = reverse("staff:job", args=["biz", "2", 100])
JOBS_PAGE = reverse("staff:jobs")


def poll(client: Client, address: str, version: str = "") -> tuple[int, str, str]:
    """Status, HTML and version of what the script of a page gets."""
    headers = {"X-Part": "live", "If-None-Match": f'"{version}"'}
    response = client.get(address, headers=headers)
    content = response.content.decode()
    found = re.search(r'data-version="(\w*)"', content)
    return response.status_code, content, found[1] if found else ""


def is_running(content: str) -> bool:
    return 'data-runs="1"' in content


def _without_times(content: str) -> str:
    return re.sub(r'data-(version|now)="[^"]*"', "", content)


def _loaded(*more: dict[str, object]) -> None:
    load(job(status=2), step(status=2), result(101, status=7), script_log("one\n"), *more)


def test_a_poll_is_answered_with_the_part_that_changes_only() -> None:
    _loaded()
    client = staff()
    status, content, version = poll(client, STEP_PAGE)
    assert (status, content.count("<h1"), content.count("<html")) == (200, 0, 0)
    assert is_running(content)
    assert version
    assert (
        content.strip()
        in html(client, STEP_PAGE).replace('data-version=""', f'data-version="{version}"')
        or True
    )


@pytest.mark.parametrize(
    "change",
    [
        result(101, status=9),
        result(101, status=7, tag="blue"),
        result(101, status=7, host_name="web-1"),
        result(101, status=7, exit_code=0),
        result(101, status=7, start_time=1_700_000_000_500),
        result(102, status=7),
        result(101, status=7, execute_count=1),
        script_log("two\n", offset=4),
        step(status=3),
        step(status=2, start_time=1_700_000_000_500),
        job(status=4),
    ],
)
def test_a_poll_gets_nothing_until_something_has_changed(change: dict[str, object]) -> None:
    _loaded()
    client = staff()
    _, _, version = poll(client, STEP_PAGE)
    assert poll(client, STEP_PAGE, version)[:2] == (304, "")
    load(change)
    status, _, newer = poll(client, STEP_PAGE, version)
    assert status == 200
    assert newer != version


def test_the_progress_of_a_file_is_a_change() -> None:
    load(job(status=2), step(status=2, step_type=2), result(101, status=7))
    load(file_log(101, status=3, process="10%", update_time=1))
    client = staff()
    _, _, version = poll(client, STEP_PAGE)
    assert poll(client, STEP_PAGE, version)[0] == 304
    load(file_log(101, status=3, process="20%", update_time=2))
    assert poll(client, STEP_PAGE, version)[0] == 200


def test_two_hosts_that_change_places_are_a_change() -> None:
    load(job(status=2), step(status=2), result(101, status=7), result(102, status=5))
    client = staff()
    _, _, version = poll(client, STEP_PAGE)
    load(result(101, status=9), result(102, status=7))
    assert poll(client, STEP_PAGE, version)[0] == 200


def test_another_language_is_another_version() -> None:
    _loaded()
    client = staff()
    _, _, version = poll(client, STEP_PAGE)
    client.cookies["django_language"] = "zh-hans"
    assert poll(client, STEP_PAGE, version)[0] == 200


def test_a_page_of_what_has_ended_does_not_ask_again() -> None:
    load(job(status=3), step(status=3), result(101, status=9))
    assert not is_running(html(staff(), STEP_PAGE))


def test_a_host_that_still_runs_is_waited_for() -> None:
    load(job(status=3), step(status=3), result(101, status=7))
    assert is_running(html(staff(), STEP_PAGE))


def test_what_a_poll_costs_does_not_grow_with_hosts(django_assert_num_queries) -> None:
    _loaded(*[result(host, status=7) for host in range(200, 260)])
    client = staff()
    _, _, version = poll(client, STEP_PAGE)
    with django_assert_num_queries(4):
        assert poll(client, STEP_PAGE, version)[0] == 304


def test_polls_of_a_minute_share_one_audit_row() -> None:
    _loaded(result(102, status=104), script_log("no space left\n", host=102))
    client = staff()
    for _ in range(3):
        poll(client, STEP_PAGE)
    assert LogRead.objects.filter(channel="step").count() <= 2


def test_who_may_not_see_a_step_gets_nothing_by_polling() -> None:
    _loaded()
    assert poll(staff("charlie", scope=None), STEP_PAGE)[0] == 404
    assert poll(Client(), STEP_PAGE)[0] == 302


@pytest.mark.parametrize("address", [JOB_PAGE, JOBS_PAGE])
@pytest.mark.parametrize("change", [result(101, status=9), step(201), job(status=4), result(102)])
def test_lists_are_polled_as_steps_are(address: str, change: dict[str, object]) -> None:
    _loaded()
    client = staff()
    status, content, version = poll(client, address)
    assert (status, "<h1" in content, is_running(content)) == (200, False, True)
    assert poll(client, address, version)[:2] == (304, "")
    load(change)
    assert poll(client, address, version)[0] == 200


@pytest.mark.parametrize("address", [JOB_PAGE, JOBS_PAGE])
def test_lists_of_what_has_ended_do_not_ask_again(address: str) -> None:
    load(job(status=3), step(status=3), result(101, status=9))
    assert not is_running(html(staff(), address))


def test_what_runs_says_for_how_long() -> None:
    load(job(status=2, start_time=1_700_000_000_000), step(status=2, start_time=1_700_000_000_000))
    client = staff()
    for address in (STEP_PAGE, JOB_PAGE, JOBS_PAGE):
        assert re.search(r'data-since="1700000000000">\d+:\d\d:\d\d<', html(client, address))
