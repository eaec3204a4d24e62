"""Statements executed by the driver itself, and QuerySets whose SQL is written once for it.

Django's cursors wrap the driver's three times over, and on PostgreSQL write values into the text of
a statement. It writes the SQL of a query anew each time, and works out anew how a row becomes an
object: that takes several times as long as the database's answer, and depends on nothing but the
query's shape. Where a few statements stand before every answer that is what they cost.
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
    """Which of the two it is; used in this package only."""
    return connection.vendor == "postgresql"


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
            cursor = wrapper.connection.execute(_as_sqlite(sql), parameters)
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


# Not of all statements: texts of hundreds of spans are as many as there are numbers of them.
@functools.lru_cache(maxsize=64)
def _as_sqlite(sql: str) -> str:
    return "%".join(part.replace("%s", "?") for part in sql.split("%%"))


@contextlib.contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """Let each statement within take no longer than this: on SQLite to get the write lock.

    PostgreSQL itself may hang, so it is this side that gives up, and gives up the connection too.
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
                wrapper.close()  # what comes next opens another


class Param(Expression):
    """Placeholder expression of a compiled query: its value is passed with each call."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


class ArrayParam(Param):
    """Placeholder for many numbers in one parameter."""


class InArray(Func):
    """Condition for `filter()`: the column holds one of these numbers, as `column__in`.

    Django's own looks at each value several times and writes each into the statement.
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
    """The right side of `column … ` for one of many numbers, and its parameters."""
    return _ANY_OF[connection.vendor], [array_of(numbers, connection.vendor)]


def array_of(numbers: Iterable[int], vendor: str) -> Any:
    """Many numbers as one parameter: an array, or on SQLite the JSON of one."""
    return list(numbers) if vendor == "postgresql" else json.dumps(list(numbers))


class _Compiled(NamedTuple):
    """A QuerySet's SQL for one database, with its parameters, and how its rows become objects."""

    sql: str
    parameters: Sequence[Any]
    compiler: Any
    converters: dict[int, Any]
    make_row: Callable[[Sequence[Any]], Any] | None
    """None: they stay as the driver returns them."""


class CompiledQuery(Generic[Result]):
    """QuerySet with `Param` values in it. A call with them returns a list of model instances with
    their annotations and what `select_related` names. Tuples of `values_list` are as the driver
    returns them: on SQLite a condition is 0 or 1.
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
            # A copy: while a query becomes SQL it is changed, and other threads may be at it too.
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
    """Factory of model instances from rows, as Django's own iterable makes them."""
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
