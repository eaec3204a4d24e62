"""Base of the models whose rows stand before every answer, or come by the thousand."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Self

from django.db import models
from django.db.models.base import ModelState


class FastLoadModel(models.Model):
    """Abstract model whose instances take all columns of a row at once.

    Django's own way sets one column after the other, which takes longer than fetching all of them.
    A column that was not read is fetched
    when it is asked for.
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
