"""Errors of a Citus worker are what they would be on one server; the tables can be distributed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import InternalError, connection, transaction

from joblogs import database
from joblogs.errors import Unavailable

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
DISTRIBUTED = {"joblogs_logchunk": "host_result_id", "joblogs_logfeatures": "host_result_id"}
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


@pytest.mark.parametrize("table", DISTRIBUTED)
def test_a_table_of_text_can_be_distributed(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(KEYS, [table])
        keys = dict(cursor.fetchall())
        assert keys
        for name, columns in keys.items():
            assert DISTRIBUTED[table] in columns, name
        cursor.execute(FOREIGN, [table, table])
        assert cursor.fetchall() == []
