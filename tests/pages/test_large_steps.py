"""The page of a step on thousands of hosts: what was planted is found, and it stays small."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joblogs import log_features
from joblogs.models import HostResult
from joblogs.pages.step.groups import groups
from joblogs.query import Attempts
from joblogs.query.overview import overview
from joblogs.step_groups import step_groups
from tests.builders import Fields, job, load, result, script_log, step
from tests.pages.page_helpers import page, staff
from tests.queries import the_step

pytestmark = pytest.mark.django_db
STATEMENTS_MAX, HTML_MAX = 16, 400_000
"""One of them reads a log of each failure, for its key: whatever names it holds."""
GROUPS = {
    "disk full": (7, 9, 1111),
    "refused": (11, 12),
    "crash": (15,),
    "silent": (20,),
    "another checksum": (21, 1500),
}
SAID = {
    "disk full": (104, 2, "tar: Cannot write: No space left on device\n"),
    "refused": (104, 7, "curl: (7) Connection refused\n"),
    "crash": (104, 139, "Segmentation fault\n"),
    "silent": (102, None, ""),
    "another checksum": (9, 0, "checksum: 9f2c11d0\nall is well\n"),
}
CROWD = (9, 0, "checksum: 4be07a55\nall is well\n")


def _records(hosts: Iterable[int]) -> Iterable[Fields]:
    kind = {host: name for name, own in GROUPS.items() for host in own}
    yield from (job(), step())
    for host in hosts:
        status, code, text = SAID[kind[host]] if host in kind else CROWD
        name = f"web-{host:05}"
        yield result(host, host_name=name, status=status, exit_code=code, total_time=host)
        if text:
            stamp = f"2026-11-22 08:{host // 60 % 60:02}:{host % 60:02}"
            yield script_log(f"{stamp} starting on {name} pid={host}\n{text}", host=host)


def _found() -> set[tuple[int, ...]]:
    made = groups(step_groups(overview(the_step(), Attempts()), seconds=60), prints=True)
    return {tuple(host.bk_host_id for host in group.hosts) for group in made if not group.crowd}


def _opens_small(*queries: str) -> None:
    client = staff()
    for query in queries:
        with CaptureQueriesContext(connection) as made:
            response = client.get(page("step", host=None) + query)
        assert response.status_code == 200
        assert len(response.content) < HTML_MAX
        assert len(made) <= STATEMENTS_MAX


def test_of_2_000_hosts_the_planted_ones_are_the_groups() -> None:
    load(*_records(range(1, 2001)))
    assert _found() == set(GROUPS.values())
    _opens_small("", "?alike=identical", "?sort=-took&page=20")


@pytest.mark.slow
def test_of_20_000_hosts_the_planted_ones_are_the_groups() -> None:
    planted = [host for own in GROUPS.values() for host in own]
    load(*_records([1, *planted]))
    _multiply(HostResult.objects.get(host_id=1), set(range(2, 20_001)) - set(planted))
    assert _found() == set(GROUPS.values())
    _opens_small("", "?sort=-took&page=200")


def _multiply(row: HostResult, hosts: Iterable[int]) -> None:
    """Rows like this one for many hosts, much cheaper than records; nothing reads their text."""
    own = ("id", "host_id", "host_name", "ip")
    columns = [f.attname for f in HostResult._meta.concrete_fields if f.attname not in own]
    said = {name: getattr(row, name) for name in columns}
    made = [HostResult(host_id=host, host_name=f"web-{host:05}", **said) for host in hosts]
    HostResult.objects.bulk_create(made, batch_size=2000)
    (features,) = log_features.compute(row.day, [row], seconds=60).values()
    rows = HostResult.objects.filter(host_id__in=hosts)
    log_features.keep(
        row.day, list(rows), dict.fromkeys(rows.values_list("pk", flat=True), features)
    )
