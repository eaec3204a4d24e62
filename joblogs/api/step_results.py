"""Steps of a job with their results on targets, as one stream: what the job statuses of both
versions and of the plugins have in common."""

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
    """How a version writes a step and its results."""

    step: Callable[[StepInstance], Struct]
    result: Callable[[TargetResult], Struct]
    field: str
    """Of the step, for the list of its results."""
    has_empty: bool = False
    """The list is there when nothing is in it."""


def step_entries(job: JobInstance, form: StepForm, *, with_results: bool) -> Iterable[bytes]:
    """The steps of a job as a JSON list, with each target's result if that is wanted."""
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
