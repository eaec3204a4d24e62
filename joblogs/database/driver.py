"""Statements executed directly by the database driver, and QuerySets compiled once for it.

Django's cursors wrap the driver's three times, and on PostgreSQL interpolate values into the
statement. Django compiles the SQL of a QuerySet each time, and the conversion of rows to objects
too: that takes several times as long as the query itself, and depends only on the shape of the
query. It is most of the cost of the few statements that every request executes.
"""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F, Field, Func, QuerySet
from django.db.models.query import ValuesListIterable, get_related_populators

Result = TypeVar("Result")

ROWS_AT_ONCE = 5000
_ANY_OF = {"postgresql": "= ANY(%s)", "sqlite": "IN (SELECT value FROM json_each(%s))"}


def is_postgresql() -> bool:
    """Return whether the database is PostgreSQL, not SQLite; used in this package only."""
    return connection.vendor == "postgresql"


def execute(
    wrapper: BaseDatabaseWrapper,
    sql: str,
    parameters: Sequence[Any],
    *,
    binary: bool = False,
    prepare: bool = False,
) -> Any:
    """Execute a statement and return the driver's cursor, which the caller closes.

    `binary`: PostgreSQL returns rows in its binary protocol. `prepare`: it keeps the plan with the
    connection; not for partitioned tables, whose plans depend on the day in the parameters.
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
            cursor = wrapper.connection.execute(_as_sqlite(sql), parameters)
    # Recorded like the statements of Django's cursors, so that tests can count them.
    if wrapper.queries_logged:
        wrapper.queries_log.append({"sql": sql, "time": f"{time.monotonic() - started:.3f}"})
    return cursor


def fetched(wrapper: BaseDatabaseWrapper, cursor: Any, many: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of `execute`'s cursor, fetched `many` at a time, then close the cursor."""
    with contextlib.closing(cursor):
        while True:
            # SQLite executes the statement while rows are fetched, and may fail only then.
            with wrapper.wrap_database_errors:
                rows = cursor.fetchmany(many)
            if not rows:
                return
            yield from rows


def _execute_prepared(cursor: Any, sql: str, parameters: Sequence[Any], *, binary: bool) -> None:
    connection = cursor.connection
    # Django disables prepared statements, because of poolers that mix sessions. The store needs
    # session locks (docs/deployment.md), so it never runs behind one of those. Enabled for this
    # statement only: to count uses, the driver would keep the last hundred statements, with
    # values that may be megabytes each.
    connection.prepare_threshold = 0
    try:
        cursor.execute(sql, parameters, binary=binary, prepare=True)
    except psycopg.errors.FeatureNotSupported:
        # A migration changed the type of a column in a plan. Within a transaction this cannot be
        # repaired; the rollback discards the plans.
        if not connection.autocommit:
            raise
        connection.execute("DEALLOCATE ALL")
        cursor.execute(sql, parameters, binary=binary, prepare=True)
    finally:
        connection.prepare_threshold = None


# Bounded: statements for hundreds of spans differ by the number of spans.
@functools.lru_cache(maxsize=64)
def _as_sqlite(sql: str) -> str:
    return "%".join(part.replace("%s", "?") for part in sql.split("%%"))


@contextlib.contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """Limit the time of each statement in the block; on SQLite, the wait for the write lock.

    PostgreSQL itself may hang, so the client enforces the limit, and closes the connection.
    """
    if is_postgresql():
        with _answering_within(connections[DEFAULT_DB_ALIAS], seconds):
            yield
        return
    usual = int(connections.settings[DEFAULT_DB_ALIAS]["OPTIONS"].get("timeout", 5) * 1000)
    wrapper = connections[DEFAULT_DB_ALIAS]
    execute(wrapper, f"PRAGMA busy_timeout = {int(seconds * 1000)}", ()).close()
    try:
        yield
    finally:
        execute(wrapper, f"PRAGMA busy_timeout = {usual}", ()).close()


@contextlib.contextmanager
def _answering_within(wrapper: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    wrapper.ensure_connection()
    wrapper.connection.answer_seconds = seconds
    try:
        yield
    finally:
        if wrapper.connection is not None:
            wrapper.connection.answer_seconds = None
            if wrapper.connection.closed and not wrapper.in_atomic_block:
                wrapper.close()  # the next statement opens another


class Param(Expression):
    """Placeholder expression of a compiled query: its value is passed with each call."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


class ArrayParam(Param):
    """Placeholder of a compiled query for many numbers in one parameter."""


class InArray(Func):
    """Condition for `filter()`: the column holds one of these numbers, like `column__in`.

    Django's lookup prepares each value several times and adds a placeholder for each.
    """

    conditional = True

    def __init__(self, column: str, numbers: Any) -> None:
        super().__init__(F(column), output_field=BooleanField())
        self.numbers = numbers if isinstance(numbers, Param) else tuple(numbers)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:  # type: ignore[override]
        column, parameters = compiler.compile(self.source_expressions[0])
        numbers, vendor = self.numbers, connection.vendor
        parameter = numbers if isinstance(numbers, Param) else array_of(numbers, vendor)
        return f"{column} {_ANY_OF[vendor]}", (*parameters, parameter)


def any_of(numbers: Iterable[int]) -> tuple[str, list[Any]]:
    """Return SQL to follow a column, for "is one of many numbers", and its parameters."""
    return _ANY_OF[connection.vendor], [array_of(numbers, connection.vendor)]


def array_of(numbers: Iterable[int], vendor: str) -> Any:
    """Return many numbers as one parameter: a list for PostgreSQL, JSON for SQLite."""
    return list(numbers) if vendor == "postgresql" else json.dumps(list(numbers))


class _Compiled(NamedTuple):
    """NamedTuple of a QuerySet's SQL and parameters for one database, and its row converters."""

    sql: str
    parameters: Sequence[Any]
    compiler: Any
    converters: dict[int, Any]
    make_row: Callable[[Sequence[Any]], Any] | None
    """None: rows stay as the driver returns them."""


class CompiledQuery(Generic[Result]):
    """QuerySet with `Param` placeholders, compiled once and called with their values.

    A call returns a list of model instances with annotations and `select_related` objects, or of
    `values_list` tuples as the driver returns them: on SQLite a condition is 0 or 1.
    """

    def __init__(self, queryset: Callable[[], QuerySet[Any, Result]]) -> None:
        self._make = queryset
        self._queryset: QuerySet[Any, Result] | None = None
        self._compiled: dict[str, _Compiled] = {}

    def __call__(self, **values: Any) -> list[Result]:
        if self._queryset is None:
            self._queryset = self._make()
        alias = self._queryset.db
        if alias not in self._compiled:
            # A copy: compiling changes a query, and other threads may compile it too.
            self._compiled[alias] = _compile(self._queryset.all(), alias)
        sql, parameters, compiler, converters, make_row = self._compiled[alias]
        connection = connections[alias]
        arguments = []
        for each in parameters:
            value = values[each.name] if isinstance(each, Param) else each
            is_array = isinstance(each, ArrayParam)
            arguments.append(array_of(value, connection.vendor) if is_array else value)
        cursor = execute(connection, sql, arguments, binary=make_row is None, prepare=True)
        rows: Iterable[Any] = fetched(connection, cursor, ROWS_AT_ONCE)
        if converters:
            rows = compiler.apply_converters(rows, converters)
        return list(rows) if make_row is None else [make_row(row) for row in rows]


def _compile(queryset: QuerySet[Any, Any], alias: str) -> _Compiled:
    compiler: Any = queryset.query.get_compiler(alias)
    sql, parameters = compiler.as_sql()
    if queryset._iterable_class is ValuesListIterable:
        return _Compiled(sql, parameters, compiler, {}, None)
    converters = compiler.get_converters([column for column, _, _ in compiler.select])
    return _Compiled(sql, parameters, compiler, converters, _models(compiler, alias))


def _models(compiler: Any, alias: str) -> Callable[[Sequence[Any]], Any]:
    """Return a factory of model instances from rows, equivalent to Django's ModelIterable."""
    klass, select = compiler.klass_info, compiler.select
    start, stop = klass["select_fields"][0], klass["select_fields"][-1] + 1
    names = [column.target.attname for column, _, _ in select[start:stop]]
    related = get_related_populators(klass, select, alias)  # type: ignore[call-arg] # as of 5.2
    annotations = list((compiler.annotation_col_map or {}).items())

    def make(row: Sequence[Any]) -> Any:
        row_object = klass["model"].from_db(alias, names, row[start:stop])
        for populator in related:
            populator.populate(row, row_object)
        for name, position in annotations:
            setattr(row_object, name, row[position])
        return row_object

    return make
