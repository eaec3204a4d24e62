"""Base of the models that every request loads, and queries that models share."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator
from typing import Any, Self

from django.db import models
from django.db.models.base import ModelState


class FastLoadModel(models.Model):
    """Abstract model that sets all fields of an instance at once when it is loaded.

    Django sets one field after the other, which takes longer than fetching the row. A deferred
    field is still fetched when it is used.
    """

    class Meta:
        abstract = True

    @classmethod
    def from_db(  # type: ignore[override]  # the stubs are of a newer Django
        cls, db: str | None, field_names: Collection[str], values: Collection[Any]
    ) -> Self:
        row = cls.__new__(cls)
        row.__dict__.update(zip(field_names, values, strict=True))
        row._state = ModelState()
        row._state.adding, row._state.db = False, db
        return row


def distinct_values(rows: models.QuerySet[Any], field: str) -> Iterator[Any]:
    """Yield the distinct values of an indexed column, ascending, with one index lookup each."""
    values = rows.order_by(field).values_list(field, flat=True)
    value = values.first()
    while value is not None:
        yield value
        value = values.filter(**{f"{field}__gt": value}).first()


def distinct_days(
    rows: models.QuerySet[Any],
    since: datetime.date | None = None,
    until: datetime.date | None = None,
) -> Iterator[datetime.date]:
    """Yield the distinct days of rows, ascending, from `since` to `until`, both inclusive."""
    if since is not None:
        rows = rows.filter(day__gte=since)
    if until is not None:
        rows = rows.filter(day__lte=until)
    return distinct_values(rows, "day")
