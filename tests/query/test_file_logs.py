"""File logs of a step: in order, and in groups of bounded size even for one host."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joblogs import query
from joblogs.models import StepInstance
from joblogs.query import FileLogs
from tests.builders import file_log, job, load, result, step

pytestmark = pytest.mark.django_db

MEBIBYTE = 1024 * 1024


def _files(host: int, count: int, size: int) -> None:
    load(job(), step(step_type=2), result(host, status=9))
    for number in range(count):
        text = f"{number:04d}".ljust(size, ".")
        load(file_log(host, src_path=f"/data/{number:04d}", offset=0, content=text, status=4))


def _read() -> list[tuple[int, FileLogs]]:
    found = StepInstance.objects.select_related("job").get()
    hosts, _ = query.hosts_of(found)
    return [(host.bk_host_id, logs) for host, logs in query.file_logs(found, hosts)]


def test_a_host_with_more_than_a_group_is_read_in_runs_and_nothing_is_lost() -> None:
    _files(1, count=20, size=MEBIBYTE)
    ((host, logs),) = _read()
    assert (host, len(logs.rows), logs.size) == (1, 20, 20 * MEBIBYTE)
    with CaptureQueriesContext(connection) as captured:
        seen = [(log.src_path, bytes(log.content[:4]), len(log.content)) for log in logs]
    assert seen == [(f"/data/{n:04d}", f"{n:04d}".encode(), MEBIBYTE) for n in range(20)]
    assert len(captured) == 3
    # What was gone through is let go: a host's files never lie in memory all together.
    assert all(not log.content for log in logs.rows)


def test_hosts_that_fit_into_a_group_cost_no_statement_each() -> None:
    for host in (1, 2, 3):
        _files(host, count=2, size=100)
    with CaptureQueriesContext(connection) as captured:
        found = {host: [bytes(log.content[:4]) for log in logs] for host, logs in _read()}
    assert found == dict.fromkeys((1, 2, 3), [b"0000", b"0001"])
    assert len([q for q in captured if "joblogs_filelog" in q["sql"]]) == 2
