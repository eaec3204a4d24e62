"""What a record changes in a row (RECORDS, Merging). Rows are looked at, never saved.

A record changes a held row only where (execute_count, update_time or 0, rank of status) is greater;
where they are equal only what is still empty is filled. So replays change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from joblogs import times

Rank = Callable[[int], int]

# Where "" is what nobody said. Elsewhere it was said, and an equal record does not replace it.
_EMPTY_BY_DEFAULT = frozenset({"operator", "source"})


def changes(
    row: Any, said: Mapping[str, Any], *, rank: Rank, counts_runs: bool = False
) -> dict[str, Any]:
    """The columns of `row` that a record with these statements changes, and their new values.

    `said` maps column to value, None for no statement. `counts_runs`: execute_count is part of the
    order (jobs and steps), not of the row's key.
    """
    held_time = credible(row.update_time)
    held_order = _order(row.execute_count, held_time, row.status, rank, counts_runs)
    said_order = _order(
        _first(said.get("execute_count"), row.execute_count),
        _first(said.get("update_time"), held_time),
        _first(said.get("status"), row.status),
        rank,
        counts_runs,
    )
    if said_order < held_order:
        return {}
    newer = said_order > held_order
    return {
        column: value
        for column, value in said.items()
        if value is not None
        and (held := getattr(row, column)) != value
        and (newer or held is None or (held == "" and column in _EMPTY_BY_DEFAULT))
    }


def contradiction(row: Any, said: Mapping[str, Any]) -> str | None:
    """The first column that the record states otherwise though it never changes, if any."""
    for column, value in said.items():
        held = getattr(row, column)
        if value is not None and held is not None and held != value:
            return column
    return None


def credible(held: int | None) -> int | None:
    """A held time, in milliseconds, that decides between records; None if no record may state it.

    It came in before times were held against the clock, and nothing would ever be later.
    """
    return None if held is None or held > times.latest() else held


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
