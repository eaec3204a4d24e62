"""Bulk writes and reads: many rows in few statements."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db import models as django_models

from .driver import array_of, execute, fetched, is_postgresql
from .replica import reading_alias

_PLAIN = frozenset((int, bool, bytes, type(None)))
_PLAIN_TEXT = _PLAIN | {str}
"""Types whose values `get_db_prep_save` returns unchanged, so that its cost, the largest here, can
be saved; str for CharField only. A member of an enumeration has another type."""


def _columns(
    model: type[django_models.Model], fields: Sequence[str]
) -> list[django_models.Field[Any, Any]]:
    return [model._meta.get_field(name) for name in fields]  # type: ignore[misc]


def _quoted(column: django_models.Field[Any, Any]) -> str:
    return connection.ops.quote_name(column.column or "")


def _all_prepared(column: django_models.Field[Any, Any], values: Sequence[Any]) -> list[Any]:
    plain = _PLAIN_TEXT if isinstance(column, django_models.CharField) else _PLAIN
    if set(map(type, values)) <= plain:
        return list(values)
    return [value if type(value) in plain else _prepared(column, value) for value in values]


def _prepared(column: django_models.Field[Any, Any], value: Any) -> Any:
    if isinstance(value, int):
        # A member of an enumeration. psycopg accepts only one type of numbers in an array.
        return int(value)
    return column.get_db_prep_save(value, connection)


def insert_rows(
    model: type[django_models.Model], fields: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Insert many rows: binary COPY on PostgreSQL, one prepared statement on SQLite.

    `rows` hold database values in the order of `fields`. Raise IntegrityError for an existing key.
    """
    statement, types = _copying(model, tuple(fields), connection.vendor)
    with connection.cursor() as cursor:
        if not is_postgresql():
            cursor.executemany(statement, list(rows))
            return
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


@functools.cache
def _copying(
    model: type[django_models.Model], fields: tuple[str, ...], vendor: str
) -> tuple[str, list[str]]:
    columns = _columns(model, fields)
    names = ", ".join(_quoted(column) for column in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    if vendor == "postgresql":
        copying = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"
        return copying, [_pg_type(column) for column in columns]
    marks = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({marks})", []  # noqa: S608 - the model's names


def create_rows(rows: Sequence[Any]) -> None:
    """Insert new rows of one model whose related rows are stored; they get their keys.

    On PostgreSQL one statement with a parameter for each column. That of Django's bulk_create has
    one for each value, if a column is of bytes, which takes several times as long.
    """
    if not rows:
        return
    model: type[django_models.Model] = type(rows[0])
    if not is_postgresql():
        django_models.QuerySet(model).bulk_create(rows)
        return
    columns, statement = _creation(model)
    values = [
        _all_prepared(column, [getattr(row, column.attname) for row in rows]) for column in columns
    ]
    keys = fetched(connection, execute(connection, statement, values), len(rows))
    for row, (key,) in zip(rows, list(keys), strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, connection.alias


@functools.cache
def _creation(
    model: type[django_models.Model],
) -> tuple[list[django_models.Field[Any, Any]], str]:
    columns = [column for column in model._meta.local_concrete_fields if not column.primary_key]
    key = model._meta.pk
    assert key is not None  # noqa: S101 - every model has one
    table, names = connection.ops.quote_name(model._meta.db_table), ", ".join(map(_quoted, columns))
    arrays = ", ".join(f"%b::{_pg_type(column)}[]" for column in columns)
    return columns, (
        f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) "  # noqa: S608 - our names
        f"RETURNING {_quoted(key)}"
    )


def insert_numbers(model: type[django_models.Model], field: str, numbers: Sequence[int]) -> None:
    """Insert a row for each number, in one statement; the other columns have defaults."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    statement = _insertion_of_numbers(model, field, wrapper.vendor)
    execute(wrapper, statement, [array_of(numbers, wrapper.vendor)], prepare=True).close()


@functools.cache
def _insertion_of_numbers(model: type[django_models.Model], field: str, vendor: str) -> str:
    (column,) = _columns(model, [field])
    table = connection.ops.quote_name(model._meta.db_table)
    source = "SELECT unnest(%s::bigint[])"
    if vendor != "postgresql":
        source = "SELECT value FROM json_each(%s)"
    return f"INSERT INTO {table} ({_quoted(column)}) {source}"


def insert_row_if_unchanged(
    model: type[django_models.Model],
    values: Mapping[str, Any],
    rows: django_models.QuerySet[Any],
    sums: Mapping[str, int],
) -> None:
    """Insert a row with these values if the columns of `rows` named by `sums` have these sums.

    Rows that another transaction has locked do not count. One statement; raise IntegrityError for
    an existing key.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    quote = wrapper.ops.quote_name
    columns = _columns(model, list(values))
    prepared = [_all_prepared(column, [values[column.name]])[0] for column in columns]
    names = ", ".join(map(_quoted, columns))
    marks = [f"%s::{_pg_type(column)}" if is_postgresql() else "%s" for column in columns]
    counted, parameters = rows.order_by().values(*sums).query.sql_with_params()
    lock = " FOR NO KEY UPDATE SKIP LOCKED" if is_postgresql() else ""
    where = " AND ".join(f"COALESCE(SUM({quote(name)}), 0) = %s" for name in sums)
    statement = (
        f"INSERT INTO {quote(model._meta.db_table)} ({names}) "  # noqa: S608 - our names
        f"SELECT {', '.join(marks)} WHERE (SELECT {where} FROM ({counted}{lock}) AS counted)"
    )
    execute(wrapper, statement, [*prepared, *sums.values(), *parameters]).close()


def update_rows(
    model: type[django_models.Model],
    fields: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    where: Sequence[str] = (),
) -> None:
    """Update `fields` of many rows: one statement on PostgreSQL, one prepared one on SQLite.

    Each row is (primary key, *values of fields, *values of where). A row is updated only if its
    columns of `where` still hold these values.
    """
    if not rows:
        return
    columns, statement = _update(model, tuple(fields), tuple(where), connection.vendor)
    values = [
        _all_prepared(column, stored)
        for column, stored in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    if is_postgresql():
        execute(connection, statement, values).close()
        return
    key, *sets = values[: 1 + len(fields)]
    with connection.cursor() as cursor:
        ordered = zip(*sets, key, *values[1 + len(fields) :], strict=True)
        cursor.executemany(statement, list(ordered))


@functools.cache
def _update(
    model: type[django_models.Model], fields: tuple[str, ...], where: tuple[str, ...], vendor: str
) -> tuple[list[django_models.Field[Any, Any]], str]:
    """Return the columns of a row of `update_rows`, and its statement."""
    key = model._meta.pk
    assert key is not None  # noqa: S101 - every model has one
    columns, conditions = _columns(model, fields), _columns(model, where)
    every = [key, *columns, *conditions]
    table = connection.ops.quote_name(model._meta.db_table)
    if vendor != "postgresql":
        sets = ", ".join(f"{_quoted(column)} = %s" for column in columns)
        tests = "".join(f" AND {_quoted(column)} = %s" for column in conditions)
        return every, f"UPDATE {table} SET {sets} WHERE {_quoted(key)} = %s{tests}"  # noqa: S608
    sets = ", ".join(f"{_quoted(c)} = v.f{i}" for i, c in enumerate(columns, 1))
    tests = "".join(
        f" AND t.{_quoted(c)} = v.f{i}" for i, c in enumerate(conditions, 1 + len(columns))
    )
    # Binary: an array as text takes several times as long.
    arrays = ", ".join(f"%b::{_pg_type(column)}[]" for column in every)
    names = ", ".join(f"f{i}" for i in range(len(every)))
    return every, (
        f"UPDATE {table} AS t SET {sets} FROM unnest({arrays}) AS v({names}) "  # noqa: S608 - as above
        f"WHERE t.{_quoted(key)} = v.f0{tests}"
    )


def _pg_type(column: django_models.Field[Any, Any]) -> str:
    # "varchar(64)" and "bigint GENERATED …" are "varchar" and "bigint" in an array or a COPY.
    kind = column.db_type(connection) or ""
    return kind.split("(")[0].split()[0]


def insert_without_sync(row: django_models.Model) -> int:
    """Insert one row without waiting for the disk, and return its key.

    On PostgreSQL the row may be lost if the machine fails at this moment. One statement in
    autocommit.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    columns, statement = _insertion(type(row), wrapper.vendor)
    values = [getattr(row, column.attname) for column in columns]
    prepared = [
        value if type(value) in (int, str) else column.get_db_prep_save(value, wrapper)
        for column, value in zip(columns, values, strict=True)
    ]
    ((key,),) = fetched(wrapper, execute(wrapper, statement, prepared, prepare=True), 2)
    return int(key)


def add_to_row(
    model: type[django_models.Model], changes: Mapping[str, int], *, where: str, value: object
) -> int | None:
    """Add numbers to columns of the row with this value in a unique column.

    Return the row's key, or None if there is no such row. One statement.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    (column,) = _columns(model, [where])
    table, primary = connection.ops.quote_name(model._meta.db_table), model._meta.pk
    assert primary is not None  # noqa: S101 - every model has one
    sets = ", ".join(f"{_quoted(c)} = {_quoted(c)} + %s" for c in _columns(model, list(changes)))
    statement = (
        f"UPDATE {table} SET {sets} WHERE {_quoted(column)} = %s "  # noqa: S608 - as above
        f"RETURNING {_quoted(primary)}"
    )
    values = [*changes.values(), column.get_db_prep_value(value, wrapper)]
    rows = list(fetched(wrapper, execute(wrapper, statement, values), 2))
    return int(rows[0][0]) if rows else None


@functools.cache
def _insertion(
    model: type[django_models.Model], vendor: str
) -> tuple[list[django_models.Field[Any, Any]], str]:
    columns = [column for column in model._meta.local_concrete_fields if not column.primary_key]
    table, primary = connection.ops.quote_name(model._meta.db_table), model._meta.pk
    assert primary is not None  # noqa: S101 - every model has one
    names = ", ".join(_quoted(column) for column in columns)
    marks, source = ["%s" for _ in columns], ""
    if vendor == "postgresql":
        # A value in a SELECT needs a type, since it does not take that of the column.
        marks = [f"%s::{column.cast_db_type(connection)}" for column in columns]
        source = " FROM set_config('synchronous_commit', 'off', true)"
    statement = (
        f"INSERT INTO {table} ({names}) SELECT {', '.join(marks)}{source} "
        f"RETURNING {_quoted(primary)}"
    )
    return columns, statement


def fetch(sql: str, parameters: Sequence[Any], *, chunk: int = 256) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one statement, on PostgreSQL in the binary protocol, `chunk` at a time."""
    wrapper = connections[reading_alias()]
    yield from fetched(wrapper, execute(wrapper, sql, parameters, binary=True), chunk)


def save_columns(
    model: type[django_models.Model], fields: Sequence[str], rows: Iterable[Any]
) -> None:
    """Save these columns of existing rows, in the order of their keys."""
    key = model._meta.pk
    assert key is not None  # noqa: S101 - every model has one
    ordered = sorted(rows, key=operator.attrgetter(key.attname))
    update_rows(model, fields, list(map(operator.attrgetter(key.attname, *fields), ordered)))
