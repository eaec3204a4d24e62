"""What the runs of a machine were called: one row for each, in its scope, made as results come."""

from __future__ import annotations

import hashlib

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joblogs.maintenance import expiry, maintain
from joblogs.models import Host, HostResult, JobInstance
from tests.builders import CREATED, Fields, job, load, result, send, step

pytestmark = pytest.mark.django_db


def _names() -> set[tuple[str, int, str | None, str | None]]:
    """Scope, id, name and address of the identities that a result points to."""
    rows = Host.objects.referenced().select_related("scope")
    return {(row.scope.scope_id, row.bk_host_id, row.name, row.ip) for row in rows}


def test_a_machine_that_was_renamed_has_two() -> None:
    load(job(1), step(job=1), result(job=1, host_name="old"))
    load(job(2), step(job=2), result(job=2, host_name="new"))
    assert _names() == {("2", 101, "old", "10.0.0.101"), ("2", 101, "new", "10.0.0.101")}
    assert [r.identity.name for r in HostResult.objects.order_by("pk")] == ["old", "new"]


def test_runs_that_call_it_the_same_share_one() -> None:
    for number in range(1, 4):
        load(job(number), step(job=number), result(job=number, host_name="web"))
    assert Host.objects.count() == 1


def test_each_scope_has_its_own() -> None:
    load(job(1), step(job=1), result(job=1, host_name="web"))
    other = {"bk_scope_type": "biz", "bk_scope_id": "3"}
    load(job(2, **other), step(job=2), result(job=2, host_name="web"))
    assert {(scope, name) for scope, _, name, _ in _names()} == {("2", "web"), ("3", "web")}


def test_it_is_told_apart_by_each_part_present_or_absent() -> None:
    ways: list[Fields] = [
        {}, {"bk_cloud_id": 1}, {"host_name": ""}, {"host_name": "a"}, {"host_name": "A"},
        {"ip": "10.9.9.9"}, {"ipv6": "::1"}, {"ip": None, "ipv6": "::1"},
    ]  # fmt: skip
    load(job(), step(), *(result(execute_count=n, **way) for n, way in enumerate(ways)))
    assert Host.objects.count() == len(ways)
    digest = hashlib.sha256(b"=101\0=0\0\0=10.0.0.101\0").digest()
    assert bytes(HostResult.objects.get(execute_count=0).identity.identity) == digest


def test_a_result_that_is_called_otherwise_points_to_another() -> None:
    load(job(), step(), result(host_name="web", update_time=1))
    load(result(host_name="db", ip="10.0.0.9", update_time=2))
    assert _names() == {("2", 101, "db", "10.0.0.9")}
    load(result(host_name="older", update_time=1))
    assert _names() == {("2", 101, "db", "10.0.0.9")}


def test_a_result_that_only_goes_on_asks_for_no_identity() -> None:
    load(job(), step(), result(status=7, update_time=1))
    with CaptureQueriesContext(connection) as made:
        load(result(status=9, update_time=2))
    assert not [q for q in made if "joblogs_host" + '"' in q["sql"]]


def test_new_machines_cost_the_same_statements_however_many_they_are() -> None:
    counts = []
    for number, hosts in ((1, 2), (2, 20)):
        records = [result(1000 * number + n, job=number) for n in range(hosts)]
        load(job(number), step(job=number))
        with CaptureQueriesContext(connection) as made:
            load(*records)
        counts.append(len(made))
    assert counts[0] == counts[1]


def test_a_machine_with_a_new_address_for_each_run_costs_no_more_with_each() -> None:
    """What it was called before is not read when it is called otherwise again."""
    fetched = []
    for number in range(1, 30):
        load(job(number), step(job=number))
        with CaptureQueriesContext(connection) as made:
            load(result(job=number, ip=f"10.0.1.{number}"))
        fetched.append(len(made))
    assert fetched[0] == fetched[-1]
    asked = [q["sql"] for q in made if 'FROM "joblogs_host"' in q["sql"]]
    assert asked
    assert all('"identity" IN' in sql for sql in asked)


def test_what_no_result_points_to_is_swept() -> None:
    load(job(), step(), result(host_name="web", update_time=1))
    load(result(host_name="db", update_time=2))
    assert Host.objects.count() == 2
    assert maintain(dry_run=True).hosts_forgotten == 1
    call_command("maintain_logs")
    assert list(Host.objects.values_list("name", flat=True)) == ["db"]
    assert maintain().hosts_forgotten == 0
    # And it comes back with the next run that is called so.
    load(job(2), step(job=2), result(job=2, host_name="web"))
    assert {name for _, _, name, _ in _names()} == {"db", "web"}


def test_those_of_a_job_that_went_go_with_the_sweep() -> None:
    load(job(1), step(job=1), result(job=1, host_name="web"), result(7, job=1))
    load(job(2), step(job=2), result(job=2, host_name="web"))
    expiry.forget(list(JobInstance.objects.filter(job_instance_id=1)))
    assert maintain(limit=0).hosts_forgotten == 0
    assert maintain().hosts_forgotten == 1
    assert _names() == {("2", 101, "web", "10.0.0.101")}


def test_expired_logs_keep_theirs(settings: object) -> None:
    settings.LOG_RETENTION_DAYS = 1  # type: ignore[attr-defined]
    load(job(create_time=CREATED, status=3), step(status=3), result(host_name="web", status=9))
    maintain()
    assert JobInstance.objects.get().expired_at is not None
    assert _names() == {("2", 101, "web", "10.0.0.101")}


def test_a_result_that_is_refused_leaves_no_identity() -> None:
    load(job(), step())
    assert send(result(ip=None)).refused
    assert Host.objects.count() == 0
