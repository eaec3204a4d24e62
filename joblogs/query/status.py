"""Results of a step by target."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Max

from joblogs.models import HostResult, StepInstance

from .hosts import EVERY_ATTEMPT, Attempts


class TargetResult(NamedTuple):
    """Result of a step on one target, with the addresses that it had at run time."""

    host_id: int
    bk_cloud_id: int
    ip: str | None
    ipv6: str | None
    status: int
    tag: str | None
    exit_code: int | None
    error_code: int | None
    start_time: int | None
    end_time: int | None
    total_time: int | None


@dataclass(frozen=True, slots=True)
class ResultGroup:
    """Group of targets with the same status and tag."""

    status: int
    tag: str
    results: list[TargetResult]


def target_results(
    step: StepInstance, attempts: Attempts = EVERY_ATTEMPT
) -> Iterator[TargetResult]:
    """Yield one result per target by ascending id: the one with the highest (execute_count, batch).

    Rows are fetched while iterating, in ascending order as in the index; the last row of a host is
    used.
    """
    results = HostResult.objects.for_step(step).targets().of_attempts(*attempts)
    last: TargetResult | None = None
    rows = results.order_by("host_id", "execute_count", "batch").values_list(*TargetResult._fields)
    for result in map(TargetResult._make, rows.iterator()):
        if last is not None and last.host_id != result.host_id:
            yield last
        last = result
    if last is not None:
        yield last


def latest_batch(step: StepInstance, *, execute_count: int | None = None) -> int:
    """Return the last rolling batch that a step's targets reached; 0 if the step does not roll."""
    results = HostResult.objects.for_step(step).targets().of_attempts(execute_count, None)
    highest: int | None = results.aggregate(highest=Max("batch"))["highest"]
    return highest or 0


def grouped(results: Iterable[TargetResult]) -> list[ResultGroup]:
    """Return results grouped by status, then tag (by code point); no tag counts as an empty
    one."""
    groups: dict[tuple[int, str], list[TargetResult]] = defaultdict(list)
    for result in results:
        groups[result.status, result.tag or ""].append(result)
    return [ResultGroup(*key, groups[key]) for key in sorted(groups)]
