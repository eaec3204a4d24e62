"""Rows that a question about hosts reads: counted, whatever other scopes hold."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.models.base import ModelState
from django.test import Client

from joblogs.models import Host, HostResult, JobInstance, StepInstance
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
            # Of every table of these questions: what another test left is known of none of them.
            for table in ("host", "hostresult", "jobinstance", "stepinstance", "scope"):
                cursor.execute(f"ANALYZE joblogs_{table}")


def _crowd(first: int, count: int) -> None:
    """Runs of another scope, on machines of the same name, address and id.

    Copies of one that was taken in: only beside thousands of rows does PostgreSQL plan as it does
    for a large store.
    """
    load(*run(first, scope=OTHER, host_name="web-1", ip="10.0.0.1", bk_cloud_id=first))
    step = StepInstance.objects.select_related("job").get(job__job_instance_id=first)
    result = HostResult.objects.select_related("identity").get(step=step)
    jobs = JobInstance.objects.bulk_create(
        _copy(step.job, job_instance_id=first + n) for n in range(1, count)
    )
    steps = StepInstance.objects.bulk_create(_copy(step, job=job) for job in jobs)
    hosts = Host.objects.bulk_create(
        _copy(result.identity, identity=os.urandom(32), bk_cloud_id=first + n)
        for n in range(1, count)
    )
    HostResult.objects.bulk_create(
        _copy(result, step=step, identity=host, bk_cloud_id=host.bk_cloud_id)
        for step, host in zip(steps, hosts, strict=True)
    )


def _copy(row: Any, **values: Any) -> Any:
    """A new row with the values of this one, but for these."""
    made = copy.copy(row)
    made._state = ModelState()
    for name, value in {"pk": None, **values}.items():
        setattr(made, name, value)
    return made


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


@pytest.mark.slow
def test_what_other_scopes_hold_is_not_read() -> None:
    load(*run(1, host_name="web-1", ip="10.0.0.1"))
    _crowd(6000, 5)
    by_staff, by_app, headers = staff(), Client(), credentials()

    def ask(address: str) -> None:
        client, own = (by_app, headers) if "/api/" in address else (by_staff, {})
        assert client.get(address, headers=own).status_code == 200

    for address in QUESTIONS:  # what is only read once is read now
        ask(address)
    read: list[dict[str, int]] = []
    for more in (1000, 2000):
        _crowd(10_000 + more, more)
        _prefer_indexes()
        read.append({})
        for address in QUESTIONS:
            with counted() as count:
                ask(address)
            read[-1][address] = count.read
    assert read[0] == read[1]
