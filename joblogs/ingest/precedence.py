"""Precedence rule of records (docs/records.md). Rows are never saved here.

A record changes a stored row only if its (execute_count, update_time or 0, rank of status) is
greater; if they are equal, it only fills empty columns. So replays change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.db.models import Model
from msgspec import Struct

from joblogs import times

Rank = Callable[[int], int]

# Columns where "" means not stated. Elsewhere it is a value, which an equal record keeps.
_EMPTY_BY_DEFAULT = frozenset({"operator", "source"})


def shared_columns(
    record: type[Struct], model: type[Model], *, apart_from: Collection[str]
) -> tuple[str, ...]:
    """Return the fields of a record that are columns of its row, except `apart_from`."""
    columns = {column.attname for column in model._meta.concrete_fields}
    fields = (name for name in record.__struct_fields__ if name not in apart_from)
    return tuple(name for name in fields if name in columns)


def changes(
    row: Any, values: Mapping[str, Any], *, rank: Rank, counts_runs: bool = False
) -> dict[str, Any]:
    """Return the columns of `row` that a record with these values changes, with the new values.

    `values` maps columns to values, None if not stated. `counts_runs`: execute_count is part of the
    order (jobs and steps), not of the row's key.
    """
    row_time = credible(row.update_time)
    row_order = _order(row.execute_count, row_time, row.status, rank, counts_runs)
    record_order = _order(
        _first(values.get("execute_count"), row.execute_count),
        _first(values.get("update_time"), row_time),
        _first(values.get("status"), row.status),
        rank,
        counts_runs,
    )
    if record_order < row_order:
        return {}
    newer = record_order > row_order
    return {
        column: value
        for column, value in values.items()
        if value is not None
        and (current := getattr(row, column)) != value
        and (newer or current is None or (current == "" and column in _EMPTY_BY_DEFAULT))
    }


def stated(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a record states, without None."""
    return {column: value for column, value in values.items() if value is not None}


def contradiction(row: Any, values: Mapping[str, Any]) -> str | None:
    """Return the first of these unchangeable columns that the record contradicts, or None."""
    for column, value in values.items():
        current = getattr(row, column)
        if value is not None and current is not None and current != value:
            return column
    return None


def credible(current: int | None) -> int | None:
    """Return a stored time in milliseconds, or None if it is too far in the future.

    It was stored before times were validated, and no record could ever be newer.
    """
    return None if current is None or current > times.latest() else current


def apply(row: Any, changed: Mapping[str, Any]) -> bool:
    """Set the columns on the row; return whether there were any."""
    for column, value in changed.items():
        setattr(row, column, value)
    return bool(changed)


def _first(value: int | None, otherwise: int | None) -> int | None:
    return otherwise if value is None else value


def _order(
    execute_count: int | None,
    update_time: int | None,
    status: int | None,
    rank: Rank,
    counts_runs: bool,
) -> tuple[int, int, int]:
    return (
        (execute_count or 0) if counts_runs else 0,
        update_time or 0,
        rank(0 if status is None else status),
    )
