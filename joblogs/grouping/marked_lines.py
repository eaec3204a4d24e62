"""Lines of a text with their skeletons and slots, for comparing texts line by line."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .cleaning import OWN_NAME, cleaned, origins
from .skeletons import skeletons


class Slot(NamedTuple):
    """Slot: bytes [start, end) of a line, and their cleaned value, which may be OWN_NAME."""

    start: int
    end: int
    value: bytes

    @property
    def is_own(self) -> bool:
        return self.value == OWN_NAME


class MarkedLine(NamedTuple):
    """Line with its skeleton, and with the slots of its cleaned text."""

    data: bytes
    skeleton: bytes
    clean: bytes
    spans: list[tuple[int, int]]
    names: tuple[bytes, ...]

    def values(self) -> list[bytes]:
        """Return the values of its slots."""
        return [self.clean[start:end] for start, end in self.spans]

    def slots(self) -> list[Slot]:
        """Return its slots with their places in the line."""
        if self.clean == self.data:
            return [Slot(start, end, self.data[start:end]) for start, end in self.spans]
        _, places = origins(self.data, self.names)
        return [
            Slot(places[start], places[end], self.clean[start:end]) for start, end in self.spans
        ]


def marked_lines(data: bytes, names: tuple[bytes, ...] = ()) -> list[MarkedLine]:
    """Return all lines of a text of a host with these names."""
    if not data:
        return []
    raw, text = data.split(b"\n"), cleaned(data, names)
    clean, found = text.split(b"\n"), skeletons([text])
    if data.endswith(b"\n"):
        del raw[-1], clean[-1]
    ends = np.append(0, np.cumsum(found.slot_counts)).astype(int).tolist()
    starts, stops = found.slot_starts.tolist(), found.slot_ends.tolist()
    lines, begin = [], 0
    for row, (line, shown) in enumerate(zip(raw, clean, strict=True)):
        first, last = ends[row], ends[row + 1]
        spans = [(starts[k] - begin, stops[k] - begin) for k in range(first, last)]
        begin += len(shown) + 1
        lines.append(
            MarkedLine(
                line.removesuffix(b"\r"), found.rows[row], shown.removesuffix(b"\r"), spans, names
            )
        )
    return lines
