"""Rows that a question about hosts reads: counted, whatever other scopes hold."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client

from tests.builders import CREATED, credentials, load
from tests.pages.page_helpers import staff
from tests.test_which_jobs import ADMIN_HOSTS, ADMIN_JOBS, OTHER, run

pytestmark = pytest.mark.django_db

_READ = """
    SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables
    WHERE relname IN ('joblogs_host', 'joblogs_hostresult', 'joblogs_jobinstance')
"""


class Count:
    """How much was read: rows of PostgreSQL, steps of SQLite's machine."""

    def __init__(self) -> None:
        self.read = 0

    def step(self) -> int:
        self.read += 1
        return 0


@contextmanager
def counted() -> Iterator[Count]:
    count = Count()
    if connection.vendor == "sqlite":
        connection.connection.set_progress_handler(count.step, 1)
        yield count
        connection.connection.set_progress_handler(None, 1)
        return
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        (before,) = cursor.fetchone()
        yield count
        cursor.execute(_READ)
        count.read = cursor.fetchone()[0] - before


def _prefer_indexes() -> None:
    """Small tables are read whole; what is asked here is what large ones cost."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for way in ("seqscan", "hashjoin", "mergejoin"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
            cursor.execute("ANALYZE joblogs_host, joblogs_hostresult, joblogs_jobinstance")


def _crowd(first: int, count: int) -> None:
    """Runs of another scope, on machines of the same name, address and id."""
    load(*itertools.chain.from_iterable(
        run(first + n, scope=OTHER, host_name="web-1", ip="10.0.0.1", bk_cloud_id=n)
        for n in range(count)
    ))  # fmt: skip


QUESTIONS = [
    "/logs/?host=web-1",
    "/logs/?host=10.0.0.1",
    "/logs/?host=1",
    "/logs/hosts/1/",
    ADMIN_HOSTS,
    f"{ADMIN_HOSTS}?q=web-1",
    f"{ADMIN_JOBS}?q=10.0.0.1",
    "/api/v3/get_job_instance_list?bk_scope_type=biz&bk_scope_id=2&ip=10.0.0.1"
    f"&create_time_start={CREATED}&create_time_end={CREATED + 10**6}",
]


@pytest.mark.parametrize("address", QUESTIONS)
def test_what_other_scopes_hold_is_not_read(address: str) -> None:
    load(*run(1, host_name="web-1", ip="10.0.0.1"))
    _crowd(6000, 5)
    client, headers = (Client(), credentials()) if "/api/" in address else (staff(), {})
    assert client.get(address, headers=headers).status_code == 200
    read = []
    for more in (10, 100):
        _crowd(6000 + more, more)
        _prefer_indexes()
        with counted() as count:
            assert client.get(address, headers=headers).status_code == 200
        read.append(count.read)
    assert read[0] == read[1]
