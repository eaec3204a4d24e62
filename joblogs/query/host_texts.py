"""Everything that the hosts of a step logged, in all attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from joblogs.choices import StepType
from joblogs.models import HostResult, StepInstance

from .hosts import StepHost, by_host, file_weights, host_with, owners_of_files
from .results import read_brief


class HostTexts(NamedTuple):
    """Target of a step and its logs. `host` has the log that readers see. `others` has one entry
    per result, each as if it were the only one, and is empty for a single result. `size` is the
    bytes of all results."""

    host: StepHost
    others: list[StepHost]
    size: int


def every_text_of(step: StepInstance) -> list[HostTexts]:
    """Return the targets of a step by ascending id, with all of their logs."""
    results = list(read_brief(HostResult.objects.for_step(step).targets().order_by()))
    with_files = owners_of_files(step, results)
    sizes: Mapping[int, int] = {result.pk: result.held_size for result in results}
    if step.step_type == StepType.FILE:
        sizes = file_weights(sizes)
    texts = []
    for own in by_host(results):
        others = [StepHost(result, [result]) for result in own] if len(own) > 1 else []
        size = sum(sizes.get(result.pk, 0) for result in own)
        texts.append(HostTexts(host_with(own, with_files), others, size))
    return texts
