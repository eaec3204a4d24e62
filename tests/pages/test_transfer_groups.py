"""Files that a step moved: by outcome, source and error, what went wrong first."""

from __future__ import annotations

import re

import pytest

from tests.builders import file_log, job, load, result, step
from tests.pages.page_helpers import html, page, staff

pytestmark = pytest.mark.django_db


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
