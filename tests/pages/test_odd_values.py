"""A checksum that is another on a few hosts is no noise, though the masks hide it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from joblogs.models import LogFeatures
from joblogs.pages.step.groups import Group, groups
from joblogs.query import Attempts
from joblogs.query.overview import overview
from joblogs.step_groups import step_groups
from tests.builders import JOB, STEP, Fields, job, load, result, script_log, step
from tests.pages.page_helpers import page, staff
from tests.queries import the_step

pytestmark = pytest.mark.django_db
USUAL = "4be07a55"
STATEMENTS_MAX = 15


def _load(
    hosts: int,
    odd: Mapping[int, str],
    *,
    line: str = "config checksum: {} loaded",
    job_number: int = JOB,
    **fields: object,
) -> None:
    """Hosts that print the like, each with an id of its own and the address that it talks to."""
    records: list[Fields] = [job(job_number), step(job=job_number)]
    for host in range(1, hosts + 1):
        of_host: Fields = {"host_name": f"web-{host:03}", "status": 9, "exit_code": 0} | fields
        text = (
            f"2026-11-22 08:00:{host % 60:02} request_id={host * 7919**4:016x}\n"
            f"here: 10.0.0.{host} primary: 10.0.0.5\n" + line.format(odd.get(host, USUAL)) + "\n"
        )
        records += [
            result(host, job=job_number, **of_host),
            script_log(text, host=host, job=job_number),
        ]
    load(*records)


def _groups() -> list[Group]:
    return groups(step_groups(overview(the_step(), Attempts()), seconds=60), prints=True)


def _hosts(group: Group) -> list[int]:
    return [host.bk_host_id for host in group.hosts]


def _text(client: Client) -> str:
    html = client.get(page("step", host=None)).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


def test_hosts_with_another_value_are_a_group() -> None:
    _load(40, {9: "9f2c11d0", 30: "a77b3322", 31: "a77b3322"})
    odd, crowd = _groups()
    assert (_hosts(odd), len(crowd.hosts), crowd.crowd) == ([9, 30, 31], 37, True)
    assert odd.like is crowd
    assert len(odd.values.places) == 1


def test_the_page_says_which_value_is_on_how_many_hosts() -> None:
    _load(40, {9: "9f2c11d0", 30: "a77b3322", 31: "a77b3322"})
    text = _text(staff())
    assert "40 succeeded. 3 succeeded with different output." in text
    assert "web-[009,030-031]" in text
    assert "same output as 37 hosts except for one value" in text
    assert "config checksum: 9f2c11d0 loaded" in text
    assert "a77b3322 on 2 hosts, 9f2c11d0 on 1 host, where 37 hosts have 4be07a55" in text


def test_values_that_differ_everywhere_and_own_addresses_are_no_difference() -> None:
    _load(40, {})
    (crowd,) = _groups()
    assert len(crowd.hosts) == 40


def test_a_value_that_many_have_is_not_odd() -> None:
    _load(20, dict.fromkeys(range(1, 9), "9f2c11d0"))
    assert len(_groups()) == 1


def test_failed_hosts_with_another_value_are_no_other_way_to_fail() -> None:
    _load(20, {4: "9f2c11d0"}, status=104, exit_code=1)
    assert len(_groups()) == 2
    assert "20 failed." in _text(staff())


def test_a_value_far_in_a_line_is_shown() -> None:
    _load(20, {4: "9f2c11d0"}, line="x" * 3000 + " checksum: {} loaded")
    text = _text(staff())
    assert "x checksum: 9f2c11d0 loaded" in text
    assert "checksum 9f2c11d0, where 19 hosts have 4be07a55" in text


def test_of_logs_whose_values_are_not_known_nothing_is_said_until_maintenance_looks() -> None:
    _load(20, {4: "9f2c11d0"})
    LogFeatures.objects.all().delete()
    (unknown,) = groups(step_groups(overview(the_step(), Attempts())), prints=True)
    assert not unknown.known
    call_command("maintain_logs")
    assert len(groups(step_groups(overview(the_step(), Attempts())), prints=True)) == 2


def test_a_value_that_tries_to_be_markup_is_text() -> None:
    _load(20, {4: "9f2c11d0\x1b]8;;javascript:alert(1)\x07"})
    html = staff().get(page("step", host=None)).content.decode()
    assert 'title="javascript:alert(1)"' in html
    assert "javascript:alert" not in re.sub(r">[^<]*<|title=\"[^\"]*\"", "><", html)


def test_more_odd_hosts_cost_no_more_statements() -> None:
    client = staff()
    counts = []
    for odd in (1, 10):
        _load(110, {host: f"{host:04x}11d0" for host in range(1, odd + 1)}, job_number=JOB + odd)
        client.get(_address(odd))
        with CaptureQueriesContext(connection) as made:
            html = client.get(_address(odd)).content.decode()
        assert f"same output as {110 - odd} hosts except for one value" in html
        counts.append(len(made))
    assert counts[0] == counts[1] <= STATEMENTS_MAX


def _address(odd: int) -> str:
    return page("step", host=None, place=("biz", "2", JOB + odd, STEP))
