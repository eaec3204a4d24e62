"""Recording of steps whose logs changed: most maintenance runs process only these."""

from __future__ import annotations

from collections.abc import Collection

from joblogs import database
from joblogs.models import ChangedStep


def add(steps: Collection[int]) -> None:
    """Mark these steps for maintenance, in the transaction that changes their logs."""
    if steps:
        database.insert_numbers(ChangedStep, "step_id", sorted(steps))
