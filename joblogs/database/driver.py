"""Statements executed by the driver itself.

Django's cursors wrap the driver's three times over, and on PostgreSQL write values into the text of
a statement. Where a few statements stand before every answer that is what they cost.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper


def execute(
    wrapper: BaseDatabaseWrapper,
    sql: str,
    parameters: Sequence[Any],
    *,
    binary: bool = False,
    prepare: bool = False,
) -> Any:
    """The driver's cursor over what a statement gives; the caller closes it.

    `binary`: PostgreSQL answers in its binary protocol. `prepare`: it keeps the statement's plan
    with the connection; not for partitions, of which a plan must not know before the day.
    """
    wrapper.ensure_connection()
    started = time.monotonic()
    with wrapper.wrap_database_errors:
        if wrapper.vendor == "postgresql":
            cursor: Any = psycopg.Cursor(wrapper.connection)
            if prepare:
                _execute_prepared(cursor, sql, parameters, binary=binary)
            else:
                cursor.execute(sql, parameters, binary=binary)
        else:
            marked = _cached_as_sqlite(sql) if prepare else _as_sqlite(sql)
            cursor = wrapper.connection.execute(marked, parameters)
    # Django's own cursors record their statements so that tests can count them; so does this one.
    if wrapper.queries_logged:
        wrapper.queries_log.append({"sql": sql, "time": f"{time.monotonic() - started:.3f}"})
    return cursor


def fetched(wrapper: BaseDatabaseWrapper, cursor: Any, many: int) -> Iterator[tuple[Any, ...]]:
    """The rows of `execute`'s cursor, fetched so many at a time; it is closed behind them."""
    with contextlib.closing(cursor):
        while True:
            # SQLite looks for a row when it is fetched: it may fail only then.
            with wrapper.wrap_database_errors:
                rows = cursor.fetchmany(many)
            if not rows:
                return
            yield from rows


def _execute_prepared(cursor: Any, sql: str, parameters: Sequence[Any], *, binary: bool) -> None:
    connection = cursor.connection
    # Django forbids this, because of poolers that mix sessions. We need one session's locks
    # (docs/deployment.md), so none of those can be in between. For this statement only: to count
    # others the driver would keep the last hundred, with values that may be megabytes each.
    connection.prepare_threshold = 0
    try:
        cursor.execute(sql, parameters, binary=binary, prepare=True)
    except psycopg.errors.FeatureNotSupported:
        # A migration changed the type of a column under a plan. Within a transaction that is lost,
        # and its end takes the plans along.
        if not connection.autocommit:
            raise
        connection.execute("DEALLOCATE ALL")
        cursor.execute(sql, parameters, binary=binary, prepare=True)
    finally:
        connection.prepare_threshold = None


def _as_sqlite(sql: str) -> str:
    return "%".join(part.replace("%s", "?") for part in sql.split("%%"))


# Not of every statement: texts of hundreds of spans are as many as there are numbers of them.
_cached_as_sqlite = functools.cache(_as_sqlite)
