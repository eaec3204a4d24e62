"""Exports from the pages: what they show, no more and no less, as a file."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from joblogs.models import JobInstance, LogRead, StepInstance
from tests.builders import CREATED, JOB, file_log, job, load, result, script_log, step
from tests.export.exporting import export
from tests.pages.page_helpers import page, reads, staff

pytestmark = pytest.mark.django_db

JOBS = reverse("staff:jobs-export")
OF_JOB = reverse("staff:job-export", args=["biz", "2", JOB])
OF_STEP = page("step-export", host=None)
OF_HOST = page("host-export")


@pytest.fixture
def browser() -> Client:
    load(
        *(job(), step(), result(status=9, host_name="web-1"), script_log("hello\n")),
        *(result(102, status=104, exit_code=1), script_log("sorry\n", host=102)),
        *(result(102, execute_count=1, status=9), script_log("good\n", host=102, execute_count=1)),
        *(job(101, name="other", create_time=CREATED + 1), step(210, job=101)),
        *(result(7, job=101, step=210), script_log("other\n", host=7, job=101, step=210)),
        *(job(102, bk_scope_id="3"), step(220, job=102), result(8, job=102, step=220)),
        script_log("foreign\n", host=8, job=102, step=220),
    )
    return staff()


def _saved(client: Client, address: str) -> bytes:
    response: Any = client.get(address)
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment; filename=")
    return response.getvalue()


def _hosts(client: Client, address: str) -> list[int]:
    text = _saved(client, address).decode()
    return [int(row["bk_host_id"]) for row in csv.DictReader(io.StringIO(text, newline=""))]


def test_the_list_of_jobs_is_exported_as_it_is_filtered(browser: Client) -> None:
    assert _hosts(browser, JOBS + "?format=csv") == [101, 102, 7]
    assert _hosts(browser, JOBS + "?format=csv&name=other") == [7]
    assert _hosts(browser, JOBS + f"?format=csv&number={JOB}&after=1.1") == [101, 102]
    assert b"foreign" not in _saved(browser, JOBS + "?format=ndjson")


def test_a_job_is_exported_with_every_attempt_only_as_records(browser: Client) -> None:
    assert _saved(browser, OF_JOB + "?format=txt").splitlines() == [
        b"web-1 100/200 | hello",
        b"10.0.0.102 100/200 | good",
    ]
    whole = export(job=JOB, every_attempt=True).splitlines()[1:]
    assert _saved(browser, OF_JOB + "?format=ndjson").splitlines()[1:] == whole


@pytest.mark.parametrize(
    ("narrowed", "text"),
    [
        ("", "web-1 | hello\n10.0.0.102 | good\n"),
        ("&q=web", "web-1 | hello\n"),
        ("&attempt=0", "web-1 | hello\n10.0.0.102 | sorry\n"),
        ("&outcome=bad&attempt=0", "10.0.0.102 | sorry\n"),
        ("&batch=0&outcome=ok", "web-1 | hello\n10.0.0.102 | good\n"),
    ],
)
def test_a_step_is_exported_as_its_table_is_narrowed(
    browser: Client, narrowed: str, text: str
) -> None:
    assert _saved(browser, OF_STEP + "?format=txt" + narrowed).decode() == text


def test_a_group_is_exported_alone(browser: Client) -> None:
    html = browser.get(page("step", host=None) + "?attempt=0").content.decode()
    groups = set(re.findall(r'id="g-([0-9a-f]{12})"', html))
    found = [
        _hosts(browser, f"{OF_STEP}?format=csv&attempt=0&group={group}") for group in sorted(groups)
    ]
    assert sorted(found) == [[101], [102]]


def test_a_group_that_the_table_has_left_narrows_no_export(browser: Client) -> None:
    """Groups of identical output are others: beside them the table shows all hosts again."""
    address = page("step", host=None) + "?attempt=0"
    group = re.findall(r'id="g-([0-9a-f]{12})"', browser.get(address).content.decode())[0]

    def exported(more: str) -> list[str]:
        html = browser.get(f"{address}&group={group}{more}").content.decode()
        return re.findall(r'href="export\?format=csv([^"]*)"', html)

    assert exported("") == [f"&amp;group={group}&amp;attempt=0"]
    assert exported("&alike=identical") == ["&amp;attempt=0"]


def test_a_host_is_exported_as_of_the_attempt_that_is_shown(browser: Client) -> None:
    address = page("host-export", host=102)
    assert _saved(browser, address + "?format=txt") == b"10.0.0.102 | good\n"
    assert _saved(browser, address + "?format=txt&attempt=0") == b"10.0.0.102 | sorry\n"
    assert browser.get(page("host-export", host=9) + "?format=txt").status_code == 404


def test_every_read_is_recorded_with_its_bytes(browser: Client) -> None:
    _saved(browser, OF_HOST + "?format=zip")
    _saved(browser, JOBS + "?format=txt")
    assert reads() == [
        ("zoe", "page export", 1, 6),
        ("zoe", "page export", 2, 11),
        ("zoe", "page export", 1, 6),
    ]


@pytest.mark.parametrize(
    ("asked", "back"),
    [
        (JOBS + "?format=zip&name=absent", reverse("staff:jobs") + "?name=absent"),
        (JOBS + "?format=zip&scope=x", reverse("staff:jobs") + "?scope=x"),
        (OF_STEP + "?format=zip&q=absent", page("step", host=None) + "?q=absent"),
        (OF_STEP + "?format=csv&group=absent", page("step", host=None) + "?group=absent"),
    ],
)
def test_nothing_to_export_is_said_on_the_page(browser: Client, asked: str, back: str) -> None:
    response = browser.get(asked, follow=True)
    assert response.redirect_chain == [(back, 302)]
    assert "No matching logs to export." in response.content.decode()
    assert not LogRead.objects.filter(channel="page export").exists()


def test_pages_offer_what_they_show_in_four_formats(browser: Client) -> None:
    pages = {
        reverse("staff:jobs") + "?name=restart": "&name=restart",
        reverse("staff:job", args=["biz", "2", JOB]): "",
        page("step", host=None) + "?q=web&attempt=0": "&q=web&attempt=0",
        page("log") + "?attempt=0": "&attempt=0",
    }
    for address, narrowed in pages.items():
        html = browser.get(address).content.decode().replace("&amp;", "&")
        for kind in ("zip", "txt", "csv", "ndjson"):
            assert f'href="export?format={kind}{narrowed}"' in html, address


def test_files_and_their_sources_are_exported_too(browser: Client) -> None:
    load(
        *(step(201, step_type=2), result(step=201), result(102, step=201, role="source")),
        file_log(step=201, offset=0, content="down\n", status=4),
        file_log(102, step=201, mode=0, offset=0, content="up\n", status=4),
    )
    address = page("step-export", host=None, place=("biz", "2", JOB, 201))
    assert _saved(browser, address + "?format=txt").splitlines() == [
        b"10.0.0.101 | down",
        b"10.0.0.102 | up",
    ]


def test_strangers_and_other_methods_get_nothing(browser: Client) -> None:
    charlie, passer_by = staff("charlie", scope=("biz", "3")), Client()
    for address in (OF_JOB, OF_STEP, OF_HOST):
        assert charlie.get(address + "?format=txt").status_code == 404
    assert _saved(charlie, JOBS + "?format=txt") == b"10.0.0.8 102/220 | foreign\n"
    for address in (JOBS, OF_JOB, OF_STEP, OF_HOST):
        assert passer_by.get(address).status_code == 302
        assert browser.post(address).status_code == 405
        assert browser.head(address).status_code == 405


def _act(client: Client, model: str, action: str, *keys: int) -> Any:
    address = reverse(f"admin:joblogs_{model}_changelist")
    return client.post(address, {"action": action, "_selected_action": keys})


def test_the_admin_exports_the_chosen_jobs_and_steps(browser: Client) -> None:
    one = JobInstance.objects.get(job_instance_id=101).pk
    response = _act(browser, "jobinstance", "export_records", one)
    assert (
        response.getvalue().splitlines()[1:] == export(job=101, every_attempt=True).splitlines()[1:]
    )
    chosen = StepInstance.objects.get(step_instance_id=200).pk
    response = _act(browser, "stepinstance", "export_archive", chosen)
    assert response["Content-Type"] == "application/zip"
    assert response.getvalue()[:2] == b"PK"
    assert [read[1:] for read in reads()] == [("admin export", 1, 6), ("admin export", 2, 11)]


def test_the_admin_exports_nothing_of_another_scope(browser: Client) -> None:
    foreign = JobInstance.objects.get(job_instance_id=102).pk
    response = _act(browser, "jobinstance", "export_records", foreign)
    assert (response.status_code, LogRead.objects.count()) == (302, 0)
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    assert b"foreign" in _act(root, "jobinstance", "export_records", foreign).getvalue()


def test_the_list_says_where_nothing_narrows_what_is_exported(browser: Client) -> None:
    address = reverse("staff:jobs")
    labels = [
        re.findall(r'class="export">([^<:]+):', browser.get(address + query).content.decode())
        for query in ("", "?name=other")
    ]
    assert labels == [["export all jobs"], ["export"]]
