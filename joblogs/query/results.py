"""Host results as tuples: of thousands of them models would take three times as long."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

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
    bk_cloud_id: int
    ip: str | None
    ipv6: str | None
    host_name: str | None = None
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
    shape: bytes | None = None
    shape_version: int | None = None
    value_hashes: bytes | None = None
    masked: int = 0
    redacted: bool = False


class Result(_Columns, ResultProperties):
    """Host result: columns as of the model, and whether it is redacted.

    What was not read, of BRIEF_VALUES and STATUS_VALUES, has its default.
    """

    __slots__ = ()


VALUES: tuple[Any, ...] = (
    *Result._fields[:-1],
    # Whether, not where: a log may have a million masked ranges, and an answer 500 logs.
    ExpressionWrapper(Q(redacted__isnull=False), output_field=BooleanField()),
)
"""Expressions of a Result, for `values_list`."""
BRIEF_VALUES = Result._fields[: Result._fields.index("host_name")]
"""Those of them that say where a text is; the others describe the text."""
STATUS_VALUES = Result._fields[: Result._fields.index("received_size")]
"""Those of them that say what became of the host."""


def read(results: QuerySet[HostResult], values: Sequence[Any] = VALUES) -> Iterator[Result]:
    """Each of these host results, as it is fetched."""
    return itertools.starmap(Result, results.values_list(*values).iterator(ROWS_AT_ONCE))
