"""Questions that are asked with every request: turned into SQL once.

Django writes the SQL of a query anew each time, from the models down to the quotes, and finds out
anew how a row becomes an object: that takes it several times as long as asking the database. It
depends on the values only where they are values; so the few queries that stand before every answer
keep it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import BooleanField, Expression, F, Field, Func, QuerySet
from django.db.models.query import ValuesListIterable, get_related_populators

from .driver import execute, fetched

Found = TypeVar("Found")

ROWS_AT_ONCE = 5000


class Given(Expression):
    """A value that is known only when the question is asked."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]

    def adapted(self, value: Any, vendor: str) -> Any:
        return value


class Prepared(Generic[Found]):
    """A queryset with `Given` values in it. Calling it with them asks, and gives what is found:
    models with their annotations and what `select_related` names, or tuples of `values_list`.
    """

    def __init__(self, question: Callable[[], QuerySet[Any, Found]]) -> None:
        self._make = question
        self._question: QuerySet[Any, Found] | None = None
        self._compiled: dict[str, _Compiled] = {}

    def __call__(self, **values: Any) -> list[Found]:
        return self._asked().ask(values)

    def plain(self, **values: Any) -> Iterator[tuple[Any, ...]]:
        """What a `values_list()` finds, as the database gives it: of thousands of rows Django would
        look at each value. On SQLite a condition is then 0 or 1."""
        return self._asked().plain(values)

    def _asked(self) -> _Compiled:
        if self._question is None:
            self._question = self._make()
        alias = self._question.db
        if alias not in self._compiled:
            # A copy: while a query becomes SQL it is changed, and other threads may be at it too.
            self._compiled[alias] = _Compiled(self._question.all(), alias)
        return self._compiled[alias]


class _Compiled:
    """A queryset as one database is asked for it."""

    def __init__(self, question: QuerySet[Any, Any], alias: str) -> None:
        self._alias = alias
        self._compiler: Any = question.query.get_compiler(alias)
        self._sql, self._parameters = self._compiler.as_sql()
        columns = [column for column, _, _ in self._compiler.select]
        self._converters = self._compiler.get_converters(columns)
        tuples = question._iterable_class is ValuesListIterable
        self._made_of = tuple if tuples else _models(self._compiler, alias)

    def ask(self, values: dict[str, Any]) -> list[Any]:
        rows: Iterable[Any] = self._rows(values)
        if self._converters:
            rows = self._compiler.apply_converters(rows, self._converters)
        return [self._made_of(row) for row in rows]

    def plain(self, values: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        return self._rows(values, binary=True)

    def _rows(self, values: dict[str, Any], *, binary: bool = False) -> Iterator[tuple[Any, ...]]:
        connection = connections[self._alias]
        given = [
            each.adapted(values[each.name], connection.vendor) if isinstance(each, Given) else each
            for each in self._parameters
        ]
        cursor = execute(connection, self._sql, given, binary=binary, prepare=True)
        return fetched(connection, cursor, ROWS_AT_ONCE)


def _models(compiler: Any, alias: str) -> Callable[[Sequence[Any]], Any]:
    """What makes a row of a query for models into one, as Django's own iterable does."""
    klass, select = compiler.klass_info, compiler.select
    start, stop = klass["select_fields"][0], klass["select_fields"][-1] + 1
    names = [column.target.attname for column, _, _ in select[start:stop]]
    related = get_related_populators(klass, select, alias)  # type: ignore[call-arg] # as of 5.2
    annotations = list((compiler.annotation_col_map or {}).items())

    def made(row: Sequence[Any]) -> Any:
        found = klass["model"].from_db(alias, names, row[start:stop])
        for populator in related:
            populator.populate(row, found)
        for name, position in annotations:
            setattr(found, name, row[position])
        return found

    return made


class GivenMany(Given):
    """Many numbers in one parameter."""

    def adapted(self, value: Any, vendor: str) -> Any:
        return list(value) if vendor == "postgresql" else json.dumps(list(value))


class Among(Func):
    """Rows whose column holds one of these numbers; for `filter()`, as `column__in` is.

    Django's own looks at each value several times and writes each into the statement.
    """

    conditional = True

    def __init__(self, column: str, numbers: Any) -> None:
        super().__init__(F(column), output_field=BooleanField())
        self.numbers = numbers if isinstance(numbers, Given) else tuple(numbers)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        column, parameters = compiler.compile(self.source_expressions[0])
        return f"{column} = ANY(%s)", [*parameters, self._parameter(connection)]

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        column, parameters = compiler.compile(self.source_expressions[0])
        within = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608 - our column
        return within, (*parameters, self._parameter(connection))

    def _parameter(self, connection: Any) -> Any:
        if isinstance(self.numbers, Given):
            return self.numbers
        return list(self.numbers) if connection.vendor == "postgresql" else json.dumps(self.numbers)
