"""Series of runs: steps of one name in jobs of one name, in one scope."""

from __future__ import annotations

import hashlib

from joblogs.models import StepInstance

KEY_BYTES = 16


def series_of(step: StepInstance) -> bytes:
    """Key of the series of a step that was read with its job."""
    names = f"{step.job.name}\0{step.name}"
    return hashlib.sha256(names.encode(errors="surrogatepass")).digest()[:KEY_BYTES]


def time_of(step: StepInstance) -> int:
    """When a step ran, in milliseconds since the epoch."""
    return step.create_time if step.start_time is None else step.start_time
