"""One of many numbers, in one parameter: a list of five hundred costs a query as much as itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import BooleanField, F, Func


class Among(Func):
    """Rows whose column holds one of these numbers; for `filter()`, as `column__in` is.

    Django's own `__in` looks at each value several times and writes each into the statement.
    """

    conditional = True

    def __init__(self, column: str, numbers: Iterable[int]) -> None:
        super().__init__(F(column), output_field=BooleanField())
        self.numbers = tuple(numbers)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        column, parameters = compiler.compile(self.source_expressions[0])
        return f"{column} = ANY(%s)", [*parameters, list(self.numbers)]

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        column, parameters = compiler.compile(self.source_expressions[0])
        within = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608 - our column
        return within, [*parameters, json.dumps(self.numbers)]
