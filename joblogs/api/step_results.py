"""Stream of the steps of a job with their results on targets, shared by the job statuses of both
versions and of the plugins."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct

from joblogs import query
from joblogs.models import JobInstance, StepInstance
from joblogs.query import TargetResult

from .exchange import json_bytes
from .streaming import STREAMED, listed, spliced


class StepForm(NamedTuple):
    """NamedTuple of how a version encodes a step and its results."""

    step: Callable[[StepInstance], Struct]
    result: Callable[[TargetResult], Struct]
    field: str
    """Field of the step with the list of its results."""
    has_empty: bool = False
    """The field is present even if the list is empty."""


def step_entries(job: JobInstance, form: StepForm, *, with_results: bool) -> Iterable[bytes]:
    """Yield the steps of a job as a JSON list, optionally with the result on each target."""
    return listed(_entry(step, form, with_results) for step in query.steps_of(job))


def _entry(step: StepInstance, form: StepForm, with_results: bool) -> Iterator[bytes]:
    entry = form.step(step)
    results = query.target_results(step) if with_results else iter(())
    first = list(itertools.islice(results, 1))
    if not first and not (with_results and form.has_empty):
        return spliced(entry)
    setattr(entry, form.field, STREAMED)
    every = itertools.chain(first, results)
    return spliced(entry, listed([json_bytes(form.result(result))] for result in every))
