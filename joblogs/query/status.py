"""How a step went on each of its targets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Max

from joblogs.models import HostResult, StepInstance

from .hosts import EVERY_ATTEMPT, Attempts
from .results import STATUS_VALUES, Result, read


@dataclass(frozen=True, slots=True)
class ResultGroup:
    """The targets that ended alike."""

    status: int
    tag: str
    results: list[Result]


def target_results(step: StepInstance, attempts: Attempts = EVERY_ATTEMPT) -> Iterator[Result]:
    """One result per target by ascending id: that of its highest (execute_count, batch).

    Read as it is asked for. Ascending is the order of the index, so the last of a host counts.
    """
    results = HostResult.objects.for_step(step).targets().of_attempts(*attempts)
    last: Result | None = None
    for result in read(results.order_by("host_id", "execute_count", "batch"), STATUS_VALUES):
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


def grouped(results: Iterable[Result]) -> list[ResultGroup]:
    """Results by status, then tag (by code point); no tag is the empty one."""
    groups: dict[tuple[int, str], list[Result]] = defaultdict(list)
    for result in results:
        groups[result.status, result.tag or ""].append(result)
    return [ResultGroup(*key, groups[key]) for key in sorted(groups)]
