"""Compiled queries: QuerySets whose SQL is written once, for the queries before every answer.

Django writes the SQL of a query anew each time and works out anew how a row becomes an object: that
takes several times as long as the database's answer, and depends on nothing but the query's shape.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import BooleanField, Expression, F, Field, Func, QuerySet
from django.db.models.query import ValuesListIterable, get_related_populators

from .driver import execute, fetched

Result = TypeVar("Result")

ROWS_AT_ONCE = 5000


class Param(Expression):
    """Placeholder expression of a compiled query: its value is passed with each call."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]

    def adapted(self, value: Any, vendor: str) -> Any:
        return value


class CompiledQuery(Generic[Result]):
    """QuerySet with `Param` values in it. A call with them returns a list of model instances with
    their annotations and what `select_related` names. Tuples of `values_list` are as the driver
    returns them: on SQLite a condition is 0 or 1.
    """

    def __init__(self, queryset: Callable[[], QuerySet[Any, Result]]) -> None:
        self._make = queryset
        self._queryset: QuerySet[Any, Result] | None = None
        self._compiled: dict[str, _CompiledSql] = {}

    def __call__(self, **values: Any) -> list[Result]:
        if self._queryset is None:
            self._queryset = self._make()
        alias = self._queryset.db
        if alias not in self._compiled:
            # A copy: while a query becomes SQL it is changed, and other threads may be at it too.
            self._compiled[alias] = _CompiledSql(self._queryset.all(), alias)
        return self._compiled[alias].rows(values)


class _CompiledSql:
    """SQL and row factory of a QuerySet for one database."""

    def __init__(self, queryset: QuerySet[Any, Any], alias: str) -> None:
        self._alias = alias
        self._compiler: Any = queryset.query.get_compiler(alias)
        self._sql, self._parameters = self._compiler.as_sql()
        columns = [column for column, _, _ in self._compiler.select]
        self._converters = self._compiler.get_converters(columns)
        self._is_plain = queryset._iterable_class is ValuesListIterable
        self._make_row = None if self._is_plain else _models(self._compiler, alias)

    def rows(self, values: dict[str, Any]) -> list[Any]:
        connection = connections[self._alias]
        parameters = [
            each.adapted(values[each.name], connection.vendor) if isinstance(each, Param) else each
            for each in self._parameters
        ]
        cursor = execute(connection, self._sql, parameters, binary=self._is_plain, prepare=True)
        rows: Iterable[Any] = fetched(connection, cursor, ROWS_AT_ONCE)
        if self._make_row is None:
            return list(rows)
        if self._converters:
            rows = self._compiler.apply_converters(rows, self._converters)
        return [self._make_row(row) for row in rows]


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


class ArrayParam(Param):
    """Placeholder for many numbers in one parameter."""

    def adapted(self, value: Any, vendor: str) -> Any:
        return list(value) if vendor == "postgresql" else json.dumps(list(value))


class InArray(Func):
    """Condition for `filter()`: the column holds one of these numbers, as `column__in`.

    Django's own looks at each value several times and writes each into the statement.
    """

    conditional = True

    def __init__(self, column: str, numbers: Any) -> None:
        super().__init__(F(column), output_field=BooleanField())
        self.numbers = numbers if isinstance(numbers, Param) else tuple(numbers)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        column, parameters = compiler.compile(self.source_expressions[0])
        return f"{column} = ANY(%s)", [*parameters, self._parameter(connection)]

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        column, parameters = compiler.compile(self.source_expressions[0])
        within = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608 - our column
        return within, (*parameters, self._parameter(connection))

    def _parameter(self, connection: Any) -> Any:
        if isinstance(self.numbers, Param):
            return self.numbers
        return list(self.numbers) if connection.vendor == "postgresql" else json.dumps(self.numbers)
