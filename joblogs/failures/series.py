"""Series of runs: steps with the same name in jobs with the same name, in one scope."""

from __future__ import annotations

import hashlib

from joblogs.models import StepInstance
from joblogs.models.failures import KEY_BYTES


def series_of(step: StepInstance) -> bytes:
    """Return the key of the series of a step, which was loaded with its job."""
    names = f"{step.job.name}\0{step.name}"
    return hashlib.sha256(names.encode(errors="surrogatepass")).digest()[:KEY_BYTES]


def time_of(step: StepInstance) -> int:
    """Return the start time of a step, else its create time, in milliseconds since the epoch."""
    return step.create_time if step.start_time is None else step.start_time
