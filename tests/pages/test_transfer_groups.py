"""Files that a step moved: by outcome, source and error, what went wrong first."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.builders import CREATED, credentials, file_log, job, load, result, step
from tests.pages.page_helpers import html, page, staff

pytestmark = pytest.mark.django_db

DAY = 24 * 60 * 60 * 1000


def copy(number: int, statuses: list[int]) -> None:
    """A run of a file step that has ended, with the status of each host; days apart."""
    load(
        job(number, status=4, create_time=CREATED + number * DAY),
        step(number + 500, job=number, step_type=2, status=4),
    )
    for host, status in enumerate(statuses, start=number * 100):
        place = {"job": number, "step": number + 500}
        failed = status != 9
        load(
            result(host, status=status, **place),
            file_log(host, offset=0, content="x", status=5 if failed else 4, **place),
        )


def test_files_are_grouped_by_outcome_source_and_error() -> None:
    load(job(), step(step_type=2))
    for host, status in enumerate([202, 202, 311, 9, 9], start=1):
        failed = status != 9
        load(
            result(host, status=status, host_name=f"web-{host}"),
            file_log(host, offset=0, content="x", status=5 if failed else 4),
        )
    shown = html(staff(), page("step", host=None))
    cards = re.findall(r'<section class="group c-(\w+)">.*?<b class="n">(\d+)</b>', shown, re.S)
    assert cards == [("bad", "2"), ("bad", "1"), ("ok", "2")]
    assert "failed · file transfer failed" in shown
    assert "failed · user does not exist" in shown


def test_a_failed_transfer_says_whether_it_is_new_or_was_seen_before() -> None:
    copy(1, [202, 9, 9])
    copy(2, [202, 202, 9])
    copy(3, [202, 311, 9])
    cards = html(staff(), page("step", host=None, place=("biz", "2", 3, 503))).split(
        '<section class="group '
    )
    past = [re.findall(r'class="past[^>]*>([^<]+)<', card) for card in cards[1:]]
    assert past == [["seen before: first 15 November 2023, 2 runs, 3 hosts"], ["new"], []]
    summary = Client().get("/api/v1/biz/2/jobs/3/steps/503/summary", headers=credentials())
    failures = [
        group["failure"] for group in summary.json()["data"]["groups"] if group["status"] > 9
    ]
    assert [(one["seen_before"], one["runs"], one["hosts"]) for one in failures] == [
        (True, 2, 3),
        (False, 0, 0),
    ]
