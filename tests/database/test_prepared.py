"""A prepared question finds what the queryset that it is made of finds."""

from __future__ import annotations

import contextlib
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import NotSupportedError, OperationalError, connection, connections, transaction
from django.db.models import BigIntegerField, Exists, OuterRef, QuerySet
from django.test.utils import CaptureQueriesContext

from joblogs import access
from joblogs.database import ArrayParam, CompiledQuery, InArray, Param, fetch
from joblogs.database.driver import execute
from joblogs.models import App, HostResult, LogChunk, StepInstance
from tests.builders import HOST, STEP, job, load, result, script_log, step
from tests.queries import the_step

pytestmark = pytest.mark.django_db


def question():
    logged = HostResult.objects.filter(step=OuterRef("pk"), held_size__gt=0)
    found = StepInstance.objects.filter(step_instance_id=Param("step", BigIntegerField()))
    return found.select_related("job__scope").annotate(logged=Exists(logged))


def asking(shared: QuerySet[StepInstance]) -> CompiledQuery[StepInstance]:
    return CompiledQuery(lambda: shared)


def stored(*steps: int) -> None:
    load(job(), *(step(number) for number in steps), result(step=steps[0]))
    load(script_log("hello\n", step=steps[0]))


def test_models_come_with_what_is_joined_and_annotated(django_assert_num_queries) -> None:
    stored(STEP, STEP + 1)
    asked = CompiledQuery(question)
    for number, logged in ((STEP, True), (STEP + 1, False), (STEP, True)):
        with django_assert_num_queries(1):
            (found,) = asked(step=number)
            assert found.job.scope.scope_id == "2"
        plain = the_step(number)
        assert found == plain
        for row, same in (
            (found, plain),
            (found.job, plain.job),
            (found.job.scope, plain.job.scope),
        ):
            fields = [field.attname for field in row._meta.concrete_fields]
            assert [getattr(row, name) for name in fields] == [
                getattr(same, name) for name in fields
            ]
            assert not row._state.adding and row._state.db == "default"
        assert found.logged is logged
    assert asked(step=STEP + 2) == []


def test_what_is_found_can_be_saved() -> None:
    access.create_app(code="reader", read=True, write=False)
    (app,) = CompiledQuery(lambda: App.objects.filter(pk=Param("key", BigIntegerField())))(
        key=App.objects.get().pk
    )
    app.name = "renamed"
    app.save(update_fields=["name"])
    assert App.objects.get().name == "renamed"


def test_tuples_come_as_the_queryset_gives_them() -> None:
    stored(STEP)
    load(*(result(HOST + more, end_time=1_700_000_000_000) for more in range(3)))
    columns = ("host_id", "ip", "end_time", "truncated", "tag")

    def several():
        named = InArray("host_id", ArrayParam("hosts", BigIntegerField()))
        return HostResult.objects.filter(named).order_by("host_id").values_list(*columns)

    asked = CompiledQuery(several)
    for hosts in ([HOST], [HOST, HOST + 2], [HOST + 1, 2**40], [-1]):
        plain = HostResult.objects.filter(host_id__in=hosts).order_by("host_id")
        assert asked(hosts=hosts) == list(plain.values_list(*columns))


def test_another_thread_asks_its_own_connection() -> None:
    asked, found = CompiledQuery(question), []
    asked(step=STEP)
    mine = connection.connection

    def ask() -> None:
        connections["default"].inc_thread_sharing()
        try:
            with CaptureQueriesContext(connections["default"]) as captured:
                asked(step=STEP)
            found.append((len(captured), connections["default"].connection is mine))
        finally:
            connections["default"].dec_thread_sharing()
            connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [(1, False)]


def test_threads_that_are_the_first_to_ask_at_once_ask_the_same() -> None:
    together = threading.Barrier(4, timeout=60)

    def ask(asked: CompiledQuery[StepInstance]) -> list[StepInstance]:
        try:
            connection.ensure_connection()
            together.wait()
            return asked(step=STEP)
        finally:
            connections.close_all()

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            for _ in range(20):
                asked = asking(question())
                assert list(threads.map(ask, [asked] * 4)) == [[]] * 4
    finally:
        sys.setswitchinterval(usual)


def test_a_percent_sign_is_one_on_both_databases() -> None:
    assert list(fetch("SELECT '100 %%', %s, '%%s'", ["50 %"])) == [("100 %", "50 %", "%s")]


def test_long_statements_of_many_lengths_are_not_kept() -> None:
    asked, marks = 300, 20_000
    list(fetch("SELECT %s", [1]))
    tracemalloc.start()
    try:
        for more in range(asked):
            list(fetch(f"SELECT 1{' ' * (marks + more)}WHERE 1 = %s", [1]))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # SQLite's module keeps the last 128 of a connection.
    assert kept < asked * marks


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL sends all rows at once")
def test_a_failure_between_two_rows_is_one_of_the_database() -> None:
    connection.ensure_connection()
    connection.connection.create_function("without_zero", 1, lambda number: 1 / number)
    with pytest.raises(OperationalError):
        list(fetch("SELECT without_zero(value) FROM json_each(%s)", ["[2, 1, 0]"]))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps no plans by name")
def test_postgresql_keeps_the_plan_but_none_of_partitions() -> None:
    stored(STEP)
    counting = f"SELECT COUNT(*) FROM {LogChunk._meta.db_table} WHERE day = %s"  # noqa: S608
    assert list(fetch(counting, [the_step().day])) == [(1,)]
    asked = CompiledQuery(question)
    asked(step=STEP)
    asked(step=STEP)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        kept = [statement for (statement,) in cursor.fetchall()]
    assert sum('AS "logged"' in statement for statement in kept) == 1
    assert not any(LogChunk._meta.db_table in statement for statement in kept)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps no plans by name")
def test_the_driver_remembers_no_other_statement() -> None:
    asked = CompiledQuery(question)
    asked(step=STEP)
    tracemalloc.start()
    try:
        for number in range(20):
            asked(step=STEP)
            with connection.cursor() as cursor:
                cursor.execute("SELECT %s", [f"{number}" * 200_000])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000


def names() -> list[tuple[str]]:
    with contextlib.closing(execute(connection, "SELECT name FROM named", (), prepare=True)) as c:
        return list(c)


def widen(size: int) -> None:
    with connection.cursor() as cursor:
        # As another session would: the driver is not told that a table was altered.
        cursor.execute(f"DO $$ BEGIN ALTER TABLE named ALTER name TYPE varchar({size}); END $$")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans anew by itself")
def test_a_migration_under_a_plan_costs_no_answer() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE named AS SELECT 'one'::varchar(4) AS name")
    assert names() == [("one",)]
    widen(8)
    assert names() == [("one",)]
    widen(16)
    with pytest.raises(NotSupportedError), transaction.atomic():
        names()
    assert names() == [("one",)]
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE named")
