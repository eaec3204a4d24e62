"""Precedence rule of records (docs/records.md). Rows are read, never saved.

A record changes a held row only where (execute_count, update_time or 0, rank of status) is greater;
where they are equal only what is still empty is filled. So replays change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.db.models import Model
from msgspec import Struct

from joblogs import times

Rank = Callable[[int], int]

# Where "" means not stated. Elsewhere it was stated, and an equal record does not replace it.
_EMPTY_BY_DEFAULT = frozenset({"operator", "source"})


def shared_columns(
    record: type[Struct], model: type[Model], *, apart_from: Collection[str]
) -> tuple[str, ...]:
    """The fields of a record that are columns of its row, but for some."""
    columns = {column.attname for column in model._meta.concrete_fields}
    fields = (name for name in record.__struct_fields__ if name not in apart_from)
    return tuple(name for name in fields if name in columns)


def changes(
    row: Any, values: Mapping[str, Any], *, rank: Rank, counts_runs: bool = False
) -> dict[str, Any]:
    """The columns of `row` that a record with these values changes, and their new values.

    `values` maps column to value, None if not stated. `counts_runs`: execute_count is part of the
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
    """Those of the values that a record states."""
    return {column: value for column, value in values.items() if value is not None}


def contradiction(row: Any, values: Mapping[str, Any]) -> str | None:
    """The first column that the record states otherwise though it never changes, if any."""
    for column, value in values.items():
        current = getattr(row, column)
        if value is not None and current is not None and current != value:
            return column
    return None


def credible(current: int | None) -> int | None:
    """A held time, in milliseconds, that decides between records; None if no record may state it.

    It came in before times were held against the clock, and nothing would ever be later.
    """
    return None if current is None or current > times.latest() else current


def apply(row: Any, changed: Mapping[str, Any]) -> bool:
    """Set the columns on the row; whether there were any."""
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
