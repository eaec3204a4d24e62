"""A log may have any number of masked ranges: only who needs to know where they are reads them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from joblogs import query
from joblogs.query import Attempts
from joblogs.query.overview import overview
from tests.builders import file_log, job, load, result, script_log, step
from tests.queries import the_step

pytestmark = pytest.mark.django_db
HOSTS = range(1, 4)


@pytest.fixture
def masked_everywhere() -> None:
    ranges = [[start, start + 1] for start in range(0, 20_000, 2)]
    load(job(), step(), *(result(host, status=9, redacted=ranges) for host in HOSTS))
    load(*(script_log("text\n", host=host) for host in HOSTS))


@pytest.mark.parametrize(
    "read",
    [
        lambda: query.hosts_of(the_step()),
        lambda: query.hosts_named(the_step(), list(HOSTS)),
        lambda: overview(the_step(), Attempts()),
        lambda: list(query.target_results(the_step())),
        lambda: query.expected_offsets(the_step()),
    ],
    ids=["hosts of", "hosts named", "overview", "results", "offsets"],
)
@pytest.mark.usefixtures("masked_everywhere")
def test_no_list_of_hosts_reads_where_their_masks_are(read: Callable[[], object]) -> None:
    read()
    tracemalloc.start()
    read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000


def test_no_answer_with_file_logs_reads_where_their_masks_are() -> None:
    ranges = [[start, start + 1] for start in range(0, 40_000, 2)]
    files = (
        file_log(host, offset=0, content="-" * 40_000, redacted=ranges, src_path=f"/{host}")
        for host in HOSTS
    )
    load(job(), step(step_type=2), *(result(host, status=9) for host in HOSTS), *files)
    hosts, _ = query.hosts_of(the_step())

    def read() -> int:
        return sum(log.held_size for _, logs in query.file_logs(the_step(), hosts) for log in logs)

    assert read() == 40_000 * len(HOSTS)
    tracemalloc.start()
    read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.usefixtures("masked_everywhere")
def test_that_there_are_some_is_known() -> None:
    hosts, _ = query.hosts_of(the_step())
    assert [row.redacted for host in hosts for row in host.results] == [True] * len(HOSTS)
