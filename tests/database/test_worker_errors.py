"""Errors of a Citus worker are what they would be on one server; the tables can be distributed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import InternalError, connection, transaction
from django.test import Client

from joblogs import database, maintenance
from joblogs.errors import Unavailable
from joblogs.models import HostResult
from tests.builders import BATCH, asking, credentials, job, lines, load, result, script_log, step
from tests.pages.page_helpers import page, staff

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's errors"),
]
DUPLICATE = 'duplicate key value violates unique constraint "joblogs_logchunk_pkey_102008"'
LOST = (
    "connection to the remote node citus@127.0.0.1:9701 failed with the following error: "
    "Connection refused",
    "could not establish any connections to the node 127.0.0.1:9701 after 30000 ms",
    "could not connect to any active placements",
    "failed to COPY to shard 102008 on 127.0.0.1:9701",
)
KEYS = """
    SELECT c.conname, array_agg(a.attname ORDER BY a.attnum)
    FROM pg_constraint c JOIN pg_attribute a
        ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
    WHERE c.conrelid = %s::regclass AND c.contype IN ('p', 'u')
    GROUP BY c.conname
"""
FOREIGN = """
    SELECT conname FROM pg_constraint
    WHERE contype = 'f' AND (conrelid = %s::regclass OR confrelid = %s::regclass)
"""
DISTRIBUTED = {
    "joblogs_logchunk": "host_result_id",
    "joblogs_logfeatures": "host_result_id",
    "joblogs_logpack": "step_id",
    "joblogs_keptgroups": "step_id",
}
"""Tables that `create_distributed_table` may be called for, and by which column."""


def failing(message: str, times: int) -> Callable[[], str]:
    """A transaction that fails so often as a worker says it, then returns."""
    left = [times]

    def work() -> str:
        with transaction.atomic(), connection.cursor() as cursor:
            if left[0]:
                left[0] -= 1
                cursor.execute(
                    "DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = "
                    + connection.ops.compose_sql("%s", [message])  # type: ignore[attr-defined]
                    + ", ERRCODE = 'XX000'; END $$"
                )
        return "done"

    return work


def test_a_duplicate_key_of_a_worker_is_retried() -> None:
    assert database.retrying(failing(DUPLICATE, times=2)) == "done"
    with pytest.raises(Unavailable):
        database.retrying(failing(DUPLICATE, times=9))


@pytest.mark.parametrize("message", LOST)
def test_a_lost_worker_is_a_store_that_does_not_answer(message: str) -> None:
    with pytest.raises(Unavailable):
        database.retrying(failing(message, times=9))
    with pytest.raises(Unavailable), database.answering():
        failing(message, times=1)()


def test_any_other_internal_error_stays_what_it_is() -> None:
    with pytest.raises(InternalError, match="a bug"):
        database.retrying(failing("a bug", times=1))
    with pytest.raises(InternalError, match="a bug"), database.answering():
        failing("a bug", times=1)()


def partitioned_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT partrelid::regclass::text FROM pg_partitioned_table ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def test_each_table_of_a_days_text_can_be_distributed() -> None:
    tables = partitioned_tables()
    assert set(DISTRIBUTED) <= set(tables)
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(KEYS, [table])
            keys = [set(columns) for _, columns in cursor.fetchall()]
            assert keys, table
            # A column that all keys hold, beside the day.
            shared = set.intersection(*keys) - {"day"}
            assert DISTRIBUTED.get(table, next(iter(shared), None)) in shared, table
            cursor.execute(FOREIGN, [table, table])
            assert cursor.fetchall() == [], table


@pytest.fixture
def lost_worker() -> Iterator[None]:
    """A job whose text cannot be asked for: the table is one that fails as a lost worker does."""
    load(job(), step(), result(status=9), script_log("one\n"))
    raising = f"RAISE EXCEPTION USING MESSAGE = '{LOST[1]}', ERRCODE = 'XX000'"
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE joblogs_logchunk RENAME TO joblogs_elsewhere")
        for name, kind in (("lost", "boolean"), ("lost_too", "trigger")):
            cursor.execute(
                f"CREATE FUNCTION {name}() RETURNS {kind} LANGUAGE plpgsql "
                f"AS $$ BEGIN {raising}; END $$"
            )
        cursor.execute(
            "CREATE VIEW joblogs_logchunk AS "
            "SELECT * FROM joblogs_elsewhere WHERE (SELECT lost());"
            "CREATE TRIGGER lost INSTEAD OF INSERT ON joblogs_logchunk "
            "FOR EACH ROW EXECUTE FUNCTION lost_too()"
        )
        yield
        cursor.execute(
            "DROP VIEW joblogs_logchunk; DROP FUNCTION lost(); DROP FUNCTION lost_too();"
            "ALTER TABLE joblogs_elsewhere RENAME TO joblogs_logchunk"
        )


@pytest.mark.usefixtures("lost_worker")
def test_whoever_asks_for_text_of_a_lost_worker_is_told_to_come_again(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    zoe, headers = staff(), credentials(write=True)
    caplog.clear()
    asked = client.post(BATCH, json.dumps(asking()), "application/json", headers=headers)
    assert asked.json()["code"] == 1240002
    sent = client.post(
        "/api/v1/records",
        lines(script_log("two\n", offset=4)),
        "application/x-ndjson",
        headers=headers,
    )
    assert sent.json()["code"] == 1240002
    assert zoe.get(page("log")).status_code == 503
    assert "Traceback" not in caplog.text
    assert "File " not in caplog.text


@pytest.mark.usefixtures("lost_worker")
def test_readiness_asks_the_tables_of_text_where_it_is_told_to(
    client: Client, settings: Any
) -> None:
    assert client.get("/readyz").status_code == 200
    settings.READY_ASKS_TEXT = True
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (
        503,
        b"not ready: the tables of log text do not answer\n",
    )


def test_a_day_that_a_worker_keeps_is_left_to_the_next_run() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION lost() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION USING MESSAGE = '{LOST[0]}', ERRCODE = 'XX000'; END $$"
        )
        cursor.execute("CREATE EVENT TRIGGER lost ON ddl_command_start EXECUTE FUNCTION lost()")
        try:
            assert maintenance.maintain().partitions_made == 0
        finally:
            cursor.execute("DROP EVENT TRIGGER lost")
            cursor.execute("DROP FUNCTION lost()")
    assert HostResult.objects.count() == 0
