"""Search in one text, which counts all matching lines and returns some of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from joblogs import query
from joblogs.logtext.utf16_streams import recoded_parts
from joblogs.query import StepHost

from .blocks import LONG_LINE_BYTES, blocks
from .finder import Finder, FoundLine, Hits, Shown
from .patterns import Pattern


class TextHits(NamedTuple):
    """Hits in a text."""

    total: int
    lines: list[FoundLine]
    """Requested hits."""
    searched: int
    """Number of stored bytes that were read for it."""
    stopped: bool
    """Whether the search was stopped early because it took too long."""


def find_in_text(
    host: StepHost, text: query.Text, pattern: Pattern, *, first: int, most: int, seconds: float
) -> TextHits:
    """Count the matching lines, and return at most `most` of them from the `first` on (from 1)."""
    until = time.monotonic() + seconds
    hits = Hits(host, "")
    read = _Parts(text)
    is_utf16, parts = recoded_parts(read)
    shown = Shown(hits=most, skipped=first - 1)
    finder = Finder(hits, pattern, shown, is_recoded=is_utf16)
    stopped = False
    rest = blocks(parts)
    for block in rest:
        finder.search(block)
        if time.monotonic() > until:
            stopped = next(rest, None) is not None
            break
    return TextHits(hits.count, hits.lines, read.size, stopped)


class _Parts:
    """Iterable of the parts of a text; `size` is the number of bytes read so far."""

    def __init__(self, text: query.Text) -> None:
        self._text, self.size = text, 0

    def __iter__(self) -> Iterator[bytes]:
        while self.size < self._text.size:
            stop = min(self._text.size, self.size + LONG_LINE_BYTES)
            part = self._text.read(self.size, stop)
            self.size += len(part)
            yield part
