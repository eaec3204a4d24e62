"""The pages of jobs: what became of them, who failed where, and where one goes on."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from tests.builders import job, load, result, step
from tests.pages.page_helpers import html, page, staff, text

pytestmark = pytest.mark.django_db
JOB_PAGE = reverse("staff:job", args=["biz", "2", 100])
JOBS_PAGE = reverse("staff:jobs")


def pills(content: str) -> list[tuple[str, str]]:
    """Colour and text of each status."""
    return re.findall(r'class="pill k-(\w+)"[^>]*>([^<]*)<', content)


def test_a_job_that_succeeded_although_hosts_failed_says_so() -> None:
    load(job(status=3), step(status=3), result(101, status=9), result(102, status=104))
    client = staff()
    for address in (JOBS_PAGE, JOB_PAGE, page("step", host=None)):
        assert ("late", "succeeded, 1 failed") in pills(html(client, address))


def test_an_error_that_was_ignored_is_not_shown_as_a_success() -> None:
    load(job(status=3), step(status=6), result(101, status=104))
    assert ("late", "error ignored") in pills(html(staff(), JOB_PAGE))


def test_a_job_without_a_failed_host_succeeded() -> None:
    load(job(status=3), step(status=3), result(101, status=9))
    assert pills(html(staff(), JOBS_PAGE)) == [("ok", "succeeded")]


def test_a_retry_that_succeeded_leaves_no_failed_host() -> None:
    load(job(status=3), step(status=3), result(101, status=104))
    load(result(101, status=9, execute_count=1))
    assert ("ok", "succeeded") in pills(html(staff(), JOB_PAGE))


def test_a_job_of_one_step_opens_at_its_step() -> None:
    load(job(), step(), job(101), step(300, job=101), step(301, job=101))
    content = html(staff(), JOBS_PAGE)
    assert f'href="{page("step", host=None)}"' in content
    assert f'href="{reverse("staff:job", args=["biz", "2", 101])}"' in content


def test_a_job_of_several_steps_shows_who_failed_where() -> None:
    load(job(status=4), step(), step(201), step(202))
    load(
        *[result(host, status=9, host_name=f"web-{host}") for host in (101, 102, 103)],
        *[result(host, step=201, status=9, host_name=f"web-{host}") for host in (101, 103)],
        result(102, step=201, status=104, exit_code=2, host_name="web-102"),
        result(103, step=202, status=13, host_name="web-103"),
    )
    content = html(staff(), JOB_PAGE)
    table = content[content.index('id="failed-hosts"') :]
    assert re.findall(r'<th scope="row">([^<]*)<', table) == ["web-102", "web-103"]
    assert pills(table) == [
        ("ok", "succeeded"),
        ("bad", "exit code 2"),
        ("ok", "succeeded"),
        ("ok", "succeeded"),
        ("late", "timed out"),
    ]
    log = reverse("staff:log", args=["biz", "2", 100, 201, 102])
    assert f'href="{log}"' in table


def test_steps_that_ran_on_none_of_the_hosts_that_failed_are_no_columns() -> None:
    load(job(status=4), step(), step(201, step_type=3), step(202, status=1))
    load(result(101, status=104))
    content = html(staff(), JOB_PAGE)
    table = content[content.index('id="failed-hosts"') :]
    assert table.count('<th scope="col">') == 2
    assert "–" not in table


def test_hosts_that_failed_are_told_for_many_in_a_few_statements(
    django_assert_max_num_queries,
) -> None:
    load(job(status=4), step(), step(201))
    load(*[result(host, status=104) for host in range(1, 51)])
    load(*[result(host, step=201, status=9) for host in range(1, 51)])
    client = staff()
    with django_assert_max_num_queries(9):
        content = text(client, JOB_PAGE)
    assert "Hosts that failed 50" in content
    assert "20 more hosts failed." in content


def test_a_job_of_one_step_or_without_failures_shows_no_such_table() -> None:
    load(job(), step(), result(101, status=104))
    load(job(101), step(300, job=101), step(301, job=101), result(101, job=101, step=300, status=9))
    client = staff()
    assert "Hosts that failed" not in text(client, JOB_PAGE)
    assert "Hosts that failed" not in text(client, reverse("staff:job", args=["biz", "2", 101]))


def test_a_host_without_an_address_has_a_dash() -> None:
    load(job(), step(), result(101, ip=None, host_name="web-1", status=9))
    client = staff()
    for address in (page("step", host=None), page("log"), reverse("staff:host", args=[101])):
        content = html(client, address)
        assert "<code>–</code>" in content
        assert "0:–" not in content
