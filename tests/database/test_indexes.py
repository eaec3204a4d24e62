"""Indexes that migrations build while their tables are read and written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections, migrations, models
from django.db.migrations.state import ProjectState

from joblogs.database import AddIndexOnline, Partitions, RemoveIndexOnline
from joblogs.models import LogChunk
from tests.builders import job, load, result, script_log, step

DAY = date(2026, 11, 23)
CHUNKS = AddIndexOnline("logchunk", models.Index(fields=["codec"], name="logchunk_example"))
READS = AddIndexOnline("logread", models.Index(fields=["size"], name="logread_example"))
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own")
pytestmark = pytest.mark.django_db(transaction=True)


def state() -> ProjectState:
    return ProjectState.from_apps(LogChunk._meta.apps)


def apply(operation: migrations.AddIndex) -> None:
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("joblogs", editor, state(), state())


def take_back(operation: migrations.AddIndex) -> None:
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("joblogs", editor, state(), state())


@pytest.fixture(autouse=True)
def without_examples() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS joblogs_logchunk_{DAY:%Y%m%d}")
    for operation in (CHUNKS, READS):
        if operation.index.name in indexes(f"joblogs_{operation.model_name_lower}"):
            take_back(operation)


def indexes(table: str) -> set[str]:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
    return set(constraints)


def rows(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def is_valid(index: str) -> bool:
    statement = f"SELECT indisvalid FROM pg_index WHERE indexrelid = '{index}'::regclass"  # noqa: S608 - our names
    return bool(rows(statement)[0][0])


@pytest.mark.parametrize("operation", [CHUNKS, READS], ids=["partitioned", "plain"])
def test_a_table_gets_its_index_and_loses_it_again(operation: AddIndexOnline) -> None:
    table = f"joblogs_{operation.model_name_lower}"
    apply(operation)
    assert operation.index.name in indexes(table)
    take_back(operation)
    assert operation.index.name not in indexes(table)


@on_postgresql
def test_every_partition_has_its_part_of_the_index() -> None:
    load(job(), step(), result(101), script_log(host=101))
    Partitions(LogChunk).make(DAY)
    apply(CHUNKS)
    assert is_valid("logchunk_example")
    assert is_valid("logchunk_example_20261123")
    assert is_valid("logchunk_example_default")


@on_postgresql
def test_a_partition_that_is_made_meanwhile_brings_it_along() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX logchunk_example ON ONLY joblogs_logchunk (codec)")
    Partitions(LogChunk).make(DAY)
    apply(CHUNKS)
    assert is_valid("logchunk_example")


@on_postgresql
def test_a_build_that_broke_off_is_done_again() -> None:
    load(job(), step(), result(101), result(102))
    Partitions(LogChunk).make(DAY)
    with connection.cursor() as cursor:
        # As a build leaves them that was cancelled: there, and of no use.
        cursor.execute("CREATE INDEX logread_example ON joblogs_logread (at)")
        cursor.execute("CREATE INDEX logchunk_example_20261123 ON joblogs_logchunk_20261123 (size)")
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN "
            "('logread_example'::regclass, 'logchunk_example_20261123'::regclass)"
        )
    apply(READS)
    apply(CHUNKS)
    for index in ("logread_example", "logchunk_example", "logchunk_example_20261123"):
        assert is_valid(index)
    ((definition,),) = rows("SELECT pg_get_indexdef('logread_example'::regclass)")
    assert "(size)" in definition


@on_postgresql
def test_the_next_run_goes_on_where_a_build_was_ended() -> None:
    Partitions(LogChunk).make(DAY)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX logchunk_example ON ONLY joblogs_logchunk (codec)")
        cursor.execute("CREATE INDEX logchunk_example_default ON joblogs_logchunk_default (codec)")
    apply(CHUNKS)
    apply(CHUNKS)
    assert is_valid("logchunk_example")


def apply_the_removal_backwards(operation: AddIndexOnline) -> None:
    """Build the index as the way back of a migration does that removes it."""
    before = state()
    before.add_index("joblogs", operation.model_name_lower, operation.index)
    removal = RemoveIndexOnline(operation.model_name, operation.index.name)
    with connection.schema_editor(atomic=False) as editor:
        removal.database_backwards("joblogs", editor, state(), before)


def test_a_removed_index_is_there_again_on_the_way_back() -> None:
    before = state()
    before.add_index("joblogs", "logread", READS.index)
    removal = RemoveIndexOnline("logread", READS.index.name)
    apply_the_removal_backwards(READS)
    assert READS.index.name in indexes("joblogs_logread")
    with connection.schema_editor(atomic=False) as editor:
        removal.database_forwards("joblogs", editor, before, state())
    assert READS.index.name not in indexes("joblogs_logread")


@on_postgresql
@pytest.mark.parametrize("work", [apply, apply_the_removal_backwards])
@pytest.mark.parametrize("operation", [CHUNKS, READS], ids=["partitioned", "plain"])
def test_others_read_and_write_while_it_waits_for_a_transaction(
    operation: AddIndexOnline, work: Callable[[AddIndexOnline], None]
) -> None:
    table = f"joblogs_{operation.model_name_lower}"
    older = connections["default"].copy()
    older.set_autocommit(False)
    with older.cursor() as cursor:
        # As a dump: one moment of the store for as long as it takes.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - our names

    def build() -> None:
        work(operation)
        connection.close()

    building = threading.Thread(target=build)
    building.start()
    waiting = (
        "SELECT 1 FROM pg_stat_activity "
        "WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'"
    )
    try:
        while building.is_alive() and not rows(waiting):
            pass
        assert building.is_alive()
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '20s'")
        load(job(), step(), result(101), script_log(host=101))
        assert LogChunk.objects.count() == 1
        rows(f"DELETE FROM {table} RETURNING 1")  # noqa: S608 - our names
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
        older.rollback()
        older.close()
        building.join()
    assert is_valid(operation.index.name)


@on_postgresql
def test_it_is_not_built_within_a_transaction() -> None:
    with (
        pytest.raises(ImproperlyConfigured, match="atomic = False"),
        connection.schema_editor(atomic=True) as editor,
    ):
        READS.database_forwards("joblogs", editor, state(), state())
