"""What an overview says of hosts is what is stored, and what logs are read by."""

from __future__ import annotations

import pytest

from joblogs import query
from joblogs.choices import Role
from joblogs.models import HostResult
from joblogs.query import Attempts, StepHost
from joblogs.query.overview import overview
from tests.builders import Fields, job, load, result, script_log, step
from tests.queries import the_step

pytestmark = pytest.mark.django_db


@pytest.fixture
def hosts() -> list[StepHost]:
    """One of all that a result may say, one of nothing, one that was tried again."""
    said: Fields = {
        "host_name": "web-10",
        "tag": "a",
        "exit_code": 3,
        "start_time": 1,
        "end_time": 9,
    }
    sizes: Fields = {"log_size": 8, "log_sha256": "ab" * 32, "redacted": [[0, 2]], "total_time": 8}
    load(job(), step(), result(1, status=104, ip="10.0.0.1", **said, **sizes))
    load(result(2, status=9, host_name="web-9", ipv6="fd00::2"), result(3, host_name="db"))
    load(
        result(2, status=9, host_name="web-9", execute_count=1, batch=2), script_log("a\n", host=1)
    )
    return overview(the_step(), Attempts()).hosts


def test_its_rows_are_those_that_logs_are_read_by(hosts: list[StepHost]) -> None:
    read = query.hosts_as(the_step(), Role.TARGET)
    assert [(host.newest, host.results) for host in hosts] == [
        (host.newest, host.results) for host in read
    ]


def test_what_else_a_result_says_is_as_it_is_stored(hosts: list[StepHost]) -> None:
    stored = {row.pk: row for row in HostResult.objects.filter(step=the_step())}
    for host in hosts:
        for found in host.results:
            assert isinstance(found, query.Result)
            *said, redacted = [getattr(stored[found.pk], name) for name in found._fields]
            assert found == (*said, redacted is not None)


def test_hosts_are_in_the_order_of_their_numbers_and_of_their_names(
    hosts: list[StepHost],
) -> None:
    assert [host.bk_host_id for host in hosts] == [1, 2, 3]
    by_name = overview(the_step(), Attempts()).by_name
    assert [host.name for host in by_name] == ["db", "web-9", "web-10"]
