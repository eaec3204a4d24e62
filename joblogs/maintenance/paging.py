"""All rows of a table, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
ROWS_AT_ONCE = 1000


def by_key(rows: QuerySet[Row]) -> Iterator[Row]:
    """All rows, a list at a time: on SQLite nobody can write over an open cursor's snapshot."""
    after = 0
    while page := list(rows.filter(id__gt=after).order_by("pk")[:ROWS_AT_ONCE]):
        yield from page
        after = page[-1].pk
