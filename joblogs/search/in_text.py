"""Search in one text, which counts all matching lines and returns some of them."""

from __future__ import annotations

import time
from typing import NamedTuple

from joblogs import query
from joblogs.logtext.utf16_streams import recoded_parts
from joblogs.query import StepHost

from .blocks import LONG_LINE_BYTES, blocks
from .finder import Finder, Hits, Line, Shown
from .patterns import Pattern


class TextHits(NamedTuple):
    """Hits in a text."""

    total: int
    lines: list[Line]
    """Requested hits."""
    searched: int
    """Number of bytes searched."""
    stopped: bool
    """Whether the search was stopped early because it took too long."""


def find_in_text(
    host: StepHost, text: query.Text, pattern: Pattern, *, first: int, most: int, seconds: float
) -> TextHits:
    """Count the matching lines, and return at most `most` of them from the `first` on (from 1)."""
    until = time.monotonic() + seconds
    hits = Hits(host, "")
    is_utf16, parts = recoded_parts(
        text.read(at, min(text.size, at + LONG_LINE_BYTES))
        for at in range(0, text.size, LONG_LINE_BYTES)
    )
    shown = Shown(hits=most, skipped=first - 1)
    finder = Finder(hits, pattern, shown, is_recoded=is_utf16)
    searched = 0
    for block in blocks(parts):
        finder.search(block)
        searched += len(block.data) - block.overlap
        if time.monotonic() > until:
            return TextHits(hits.count, hits.lines, searched, stopped=searched < text.size)
    return TextHits(hits.count, hits.lines, searched, stopped=False)
