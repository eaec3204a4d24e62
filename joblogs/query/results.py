"""Host results as tuples: of thousands of them models would take three times as long."""

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
    """Host result: columns as of the model, and whether it is redacted. Where only the first were
    read, the others have their defaults."""

    __slots__ = ()


# Of no type, so that nothing is converted, value by value: on SQLite they are 0 or 1.
_RAW = {
    "truncated": ExpressionWrapper(F("truncated"), output_field=Field()),
    # Whether, not where: a log may have a million masked ranges, and an answer 500 logs.
    "redacted": ExpressionWrapper(Q(redacted__isnull=False), output_field=Field()),
}
VALUES: tuple[Any, ...] = tuple(_RAW.get(name, name) for name in Result._fields)
"""Expressions of a Result, for `values_list`."""
BRIEF_VALUES = Result._fields[: -len(Result._field_defaults)]
"""The first of them: what names the host, its status, and where its text is."""


def read(results: QuerySet[HostResult]) -> Iterator[Result]:
    """Each of these host results, as it is fetched."""
    return map(Result._make, results.values_list(*VALUES).iterator(ROWS_AT_ONCE))


def read_brief(results: QuerySet[HostResult]) -> Iterator[Result]:
    """The same, only the first columns of each."""
    return itertools.starmap(Result, results.values_list(*BRIEF_VALUES).iterator(ROWS_AT_ONCE))
