"""Lines of a text with their skeletons and slots, to be compared line by line."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .cleaning import OWN_NAME, cleaned, origins
from .skeletons import skeletons


class Slot(NamedTuple):
    """Bytes [start, end) of a line, and what they are without codes; or the host's own name."""

    start: int
    end: int
    value: bytes

    @property
    def is_own(self) -> bool:
        return self.value == OWN_NAME


class MarkedLine(NamedTuple):
    """A line as it is, its skeleton, and the slots of what is compared of it."""

    data: bytes
    skeleton: bytes
    clean: bytes
    spans: list[tuple[int, int]]
    names: tuple[bytes, ...]

    def values(self) -> list[bytes]:
        """The values of its slots."""
        return [self.clean[start:end] for start, end in self.spans]

    def slots(self) -> list[Slot]:
        """Its slots where they are in the line."""
        if self.clean == self.data:
            return [Slot(start, end, self.data[start:end]) for start, end in self.spans]
        _, places = origins(self.data, self.names)
        return [
            Slot(places[start], places[end], self.clean[start:end]) for start, end in self.spans
        ]


def marked_lines(data: bytes, names: tuple[bytes, ...] = ()) -> list[MarkedLine]:
    """All lines of a text of a host that has these names."""
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
