"""How a step went on each of its targets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Max

from joblogs.models import HostResult, StepInstance

from .hosts import EVERY_ATTEMPT, Attempts


class TargetResult(NamedTuple):
    """How a step went on one target, and the addresses that it had then."""

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
    """The targets that ended alike."""

    status: int
    tag: str
    results: list[TargetResult]


def target_results(
    step: StepInstance, attempts: Attempts = EVERY_ATTEMPT
) -> Iterator[TargetResult]:
    """One result per target by ascending id: that of its highest (execute_count, batch).

    Fetched while iterating. Ascending is the order of the index, so the last of a host counts.
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
    """The batch that a step's targets came to, 0 if it does not roll."""
    results = HostResult.objects.for_step(step).targets().of_attempts(execute_count, None)
    highest: int | None = results.aggregate(highest=Max("batch"))["highest"]
    return highest or 0


def grouped(results: Iterable[TargetResult]) -> list[ResultGroup]:
    """Results by status, then tag (by code point); no tag is the empty one."""
    groups: dict[tuple[int, str], list[TargetResult]] = defaultdict(list)
    for result in results:
        groups[result.status, result.tag or ""].append(result)
    return [ResultGroup(*key, groups[key]) for key in sorted(groups)]
