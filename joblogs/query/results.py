"""Host results as tuples: loading thousands of model instances takes three times as long."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db.models import ExpressionWrapper, F, Field, Q, QuerySet

from joblogs.models import HostResult
from joblogs.models.result_properties import ResultProperties

ROWS_AT_ONCE = 5000


class _Columns(NamedTuple):
    pk: int
    host_id: int
    role: int
    batch: int
    execute_count: int
    actual_execute_count: int | None
    status: int
    held_size: int
    step_id: int
    pack: int | None
    pack_start: int | None
    bk_cloud_id: int
    ip: str | None
    ipv6: str | None
    host_name: str | None
    tag: str | None = None
    exit_code: int | None = None
    error_code: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    total_time: int | None = None
    received_size: int = 0
    declared_size: int | None = None
    declared_sha256: bytes | None = None
    truncated: bool = False
    fingerprint_size: int | None = None
    digest: bytes | None = None
    masked: int = 0
    redacted: bool = False


class Result(_Columns, ResultProperties):
    """Row of a host result: columns of the model, and whether it is redacted. If only
    BRIEF_VALUES were read, the other columns have their defaults."""

    __slots__ = ()


# Without a type, so that values are not converted one by one: on SQLite they are 0 or 1.
_RAW = {
    "truncated": ExpressionWrapper(F("truncated"), output_field=Field()),
    # Only whether there are any: a log may have a million masked ranges, and an answer 500 logs.
    "redacted": ExpressionWrapper(Q(redacted__isnull=False), output_field=Field()),
}
VALUES: tuple[Any, ...] = tuple(_RAW.get(name, name) for name in Result._fields)
"""Columns of a Result, for `values_list`."""
BRIEF_VALUES = Result._fields[: -len(Result._field_defaults)]
"""The first columns: what identifies the host, its status, and the place of its text."""


def read(results: QuerySet[HostResult]) -> Iterator[Result]:
    """Yield each of these host results as it is fetched."""
    return map(Result._make, results.values_list(*VALUES).iterator(ROWS_AT_ONCE))


def read_brief(results: QuerySet[HostResult]) -> Iterator[Result]:
    """Yield each of these host results as it is fetched, with BRIEF_VALUES only."""
    return itertools.starmap(Result, results.values_list(*BRIEF_VALUES).iterator(ROWS_AT_ONCE))
