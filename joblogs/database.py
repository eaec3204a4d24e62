"""What differs between SQLite and PostgreSQL: bulk writes, partitions, retries. Nowhere else does.

SQL here is built from the models' own column names, never from input.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, IntegrityError, OperationalError, connection, connections
from django.db import models as django_models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ProjectState

from joblogs.errors import Unavailable

T = TypeVar("T")
RETRIES = 3


class CreatePartitionedModel(CreateModel):
    """CreateModel that on PostgreSQL partitions the table by `day`, with a default partition.

    The state is a plain model's, so `makemigrations` sees the same thing on both databases.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = plain + ' PARTITION BY RANGE ("day")'
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain
        quote = schema_editor.quote_name
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(
            f"CREATE TABLE {quote(table + '_default')} PARTITION OF {quote(table)} DEFAULT"
        )
        # The data is compressed already: keep it out of line and leave it alone.
        for name in (table, table + "_default"):
            schema_editor.execute(
                f"ALTER TABLE {quote(name)} ALTER COLUMN data SET STORAGE EXTERNAL"
            )


def set_fillfactor(table: str, percent: int) -> Callable[[Any, BaseDatabaseSchemaEditor], None]:
    """A RunPython step that leaves room in the pages of a table whose rows are updated in place."""

    def forwards(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"ALTER TABLE {schema_editor.quote_name(table)} SET (fillfactor = {int(percent)})"
            )

    return forwards


def _is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def _columns(
    model: type[django_models.Model], fields: Sequence[str]
) -> list[django_models.Field[Any, Any]]:
    return [model._meta.get_field(name) for name in fields]  # type: ignore[misc]


def _quoted(column: django_models.Field[Any, Any]) -> str:
    return connection.ops.quote_name(column.column or "")


def insert_rows(
    model: type[django_models.Model], fields: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Write many rows: COPY in binary on PostgreSQL, one prepared statement on SQLite.

    `rows` hold database values in the order of `fields`. A key that is there already is an error.
    """
    columns = _columns(model, fields)
    names = ", ".join(_quoted(column) for column in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if not _is_postgresql():
            marks = ", ".join(["%s"] * len(columns))
            statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names from the model
            cursor.executemany(statement, list(rows))
            return
        statement = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            copy.set_types([_pg_type(column) for column in columns])
            for row in rows:
                copy.write_row(row)


def update_rows(
    model: type[django_models.Model],
    fields: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    where: Sequence[str] = (),
) -> None:
    """Set `fields` of many rows in one statement on PostgreSQL, one prepared one on SQLite.

    Each row is (primary key, *values of fields, *values of where): it is written only where the
    columns of `where` still hold these values.
    """
    if not rows:
        return
    key = model._meta.pk
    assert key is not None  # noqa: S101 - every model has one
    columns, conditions = _columns(model, fields), _columns(model, where)
    every = [key, *columns, *conditions]
    table = connection.ops.quote_name(model._meta.db_table)
    prepared = [
        [
            column.get_db_prep_save(value, connection)
            for column, value in zip(every, row, strict=True)
        ]
        for row in rows
    ]
    with connection.cursor() as cursor:
        if not _is_postgresql():
            sets = ", ".join(f"{_quoted(column)} = %s" for column in columns)
            tests = "".join(f" AND {_quoted(column)} = %s" for column in conditions)
            cursor.executemany(
                f"UPDATE {table} SET {sets} WHERE {_quoted(key)} = %s{tests}",  # noqa: S608 - as above
                [
                    [*row[1 : 1 + len(columns)], row[0], *row[1 + len(columns) :]]
                    for row in prepared
                ],
            )
            return
        sets = ", ".join(f"{_quoted(c)} = v.f{i}" for i, c in enumerate(columns, 1))
        tests = "".join(
            f" AND t.{_quoted(c)} = v.f{i}" for i, c in enumerate(conditions, 1 + len(columns))
        )
        arrays = ", ".join(f"%s::{_pg_type(column)}[]" for column in every)
        names = ", ".join(f"f{i}" for i in range(len(every)))
        cursor.execute(
            f"UPDATE {table} AS t SET {sets} FROM unnest({arrays}) AS v({names}) "  # noqa: S608 - as above
            f"WHERE t.{_quoted(key)} = v.f0{tests}",
            [list(column) for column in zip(*prepared, strict=True)],
        )


def _pg_type(column: django_models.Field[Any, Any]) -> str:
    # "varchar(64)" and "bigint GENERATED …" are "varchar" and "bigint" in an array or a COPY.
    kind = column.db_type(connection) or ""
    return kind.split("(")[0].split()[0]


def insert_unhurried(row: django_models.Model) -> None:
    """Insert one row that may be lost if the machine fails at this moment.

    One statement in autocommit: on PostgreSQL it does not wait for the disk.
    """
    columns = [column for column in row._meta.local_concrete_fields if not column.primary_key]
    table = connection.ops.quote_name(row._meta.db_table)
    names = ", ".join(_quoted(column) for column in columns)
    values = [
        column.get_db_prep_save(getattr(row, column.attname), connection) for column in columns
    ]
    marks = ", ".join(["%s"] * len(columns))
    source = ""
    if _is_postgresql():
        source = " FROM set_config('synchronous_commit', 'off', true)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {marks}{source}",
            values,
        )


def fetch(sql: str, parameters: Sequence[Any], *, chunk: int = 256) -> Iterator[tuple[Any, ...]]:
    """Rows of one statement; on PostgreSQL in the binary protocol, which leaves bytea as it is."""
    connection.ensure_connection()
    if _is_postgresql():
        with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
            started = time.monotonic()
            cursor.execute(sql, parameters, binary=True)
            _note(sql, started)
            while rows := cursor.fetchmany(chunk):
                yield from rows
        return
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(chunk):
            yield from rows


def _note(sql: str, started: float) -> None:
    # Django's own cursors record their statements so that tests can count them; so does this one.
    if connection.queries_logged:
        connection.queries_log.append({"sql": sql, "time": f"{time.monotonic() - started:.3f}"})


def any_of(values: Sequence[int]) -> tuple[str, list[Any]]:
    """The right side of `column … ` for one of many numbers, and its parameters."""
    if _is_postgresql():
        return "= ANY(%s)", [list(values)]
    return f"IN ({', '.join(['%s'] * len(values))})", list(values)


def retrying(work: Callable[[], T]) -> T:
    """Run a transaction again when the database says that it met another one.

    Deadlocks, serialization failures and a key that another writer made first are retried up to
    three times; then, or for any other database failure, Unavailable. Inside an outer transaction
    (a dry run) nothing is retried that the outer one could not survive.
    """
    for attempt in range(RETRIES + 1):
        try:
            return work()
        except (OperationalError, IntegrityError) as error:
            if attempt == RETRIES or not _is_passing(error):
                raise Unavailable from error
    raise AssertionError("unreachable")


def _is_passing(error: Exception) -> bool:
    if isinstance(error, IntegrityError):
        return True
    state = getattr(error.__cause__, "sqlstate", None)
    return state in {"40001", "40P01"} or "database is locked" in str(error)


@contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """SQLite only: let the statements within wait for the write lock no longer than this."""
    if connection.vendor != "sqlite":
        yield
        return
    usual = int(connections.settings[DEFAULT_DB_ALIAS]["OPTIONS"].get("timeout", 5) * 1000)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")
