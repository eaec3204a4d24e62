"""Skeletons and slots of a few lines of many hosts, for comparing them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from .cleaning import cleaned
from .features import LogSample
from .skeletons import skeletons
from .slots import slots_of


class Look(NamedTuple):
    """Skeletons of the lines, joined by newlines, and the slots of all of them in order."""

    skeleton: bytes
    slots: tuple[int, ...]


def looks(logs: Iterable[LogSample]) -> list[Look]:
    """Return the looks of each host's lines, computed together: starting costs more than a line."""
    texts = [cleaned(log.data, log.names) for log in logs]
    if not texts:
        return []
    found = skeletons(texts)
    slots = slots_of(found.text, found.slot_starts, found.slot_ends).tolist()
    ends = np.append(0, np.cumsum(found.slot_counts)).astype(int).tolist()
    bounds = zip(found.first_rows, found.first_rows[1:], strict=False)
    return [
        Look(b"\n".join(found.rows[first:stop]), tuple(slots[ends[first] : ends[stop]]))
        for first, stop in bounds
    ]
