"""Questions that are asked with every request: turned into SQL once.

Django writes the SQL of a query anew each time, from the models down to the quotes, which takes it
several times as long as asking the database. What it writes depends on the values only where they
are values; so the few queries that stand before every answer keep it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import BooleanField, Expression, F, Field, Func, QuerySet

from .bulk import fetch

Found = TypeVar("Found")


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
    """A queryset with `Given` values in it. Calling it with them asks, and gives what is found.

    What it is made into belongs to Django's compiler: it is the same object that a queryset would
    use, with the text that it made before.
    """

    def __init__(self, question: Callable[[], QuerySet[Any, Found]]) -> None:
        self._make = question
        self._question: QuerySet[Any, Found] | None = None
        self._compiled: dict[str, tuple[Any, str, tuple[Any, ...]]] = {}

    def __call__(self, **values: Any) -> list[Found]:
        question, compiler, sql, given = self._asking(values)
        alias = question.db
        connection = connections[alias]
        asking = copy.copy(compiler)
        asking.connection, asking.using = connection, alias
        asking.as_sql = lambda *_, **__: (sql, given)
        # It never leaves this function: a queryset made from it would ask the same again.
        rows = question.using(alias)
        rows.query.get_compiler = lambda *_, **__: asking  # type: ignore[method-assign]
        return list(rows)

    def plain(self, **values: Any) -> Iterator[tuple[Any, ...]]:
        """What a `values_list()` finds, as the database gives it: of thousands of rows Django would
        look at each value. On SQLite a condition is then 0 or 1."""
        _, _, sql, given = self._asking(values)
        return fetch(sql, given, chunk=5000)

    def _asking(self, values: dict[str, Any]) -> tuple[QuerySet[Any, Found], Any, str, list[Any]]:
        if self._question is None:
            self._question = self._make()
        question = self._question
        vendor = connections[question.db].vendor
        if vendor not in self._compiled:
            compiler = question.query.get_compiler(question.db)
            self._compiled[vendor] = (compiler, *compiler.as_sql())
        compiler, sql, parameters = self._compiled[vendor]
        given = [
            each.adapted(values[each.name], vendor) if isinstance(each, Given) else each
            for each in parameters
        ]
        return question, compiler, sql, given


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
