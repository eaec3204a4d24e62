"""Steps whose logs changed, written down for maintenance: most of its runs look at no others."""

from __future__ import annotations

from collections.abc import Collection

from joblogs import database
from joblogs.models import ChangedStep


def add(steps: Collection[int]) -> None:
    """Have the logs of these steps looked at. Part of the transaction that changes them."""
    if steps:
        database.insert_numbers(ChangedStep, "step_id", sorted(steps))
