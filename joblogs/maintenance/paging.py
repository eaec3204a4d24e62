"""Iteration over all rows of a table, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
ROWS_AT_ONCE = 1000


def by_key(rows: QuerySet[Row]) -> Iterator[Row]:
    """Yield all rows by key, fetched in pages: on SQLite, writing may fail at an open cursor."""
    after = 0
    while page := list(rows.filter(id__gt=after).order_by("pk")[:ROWS_AT_ONCE]):
        yield from page
        after = page[-1].pk
