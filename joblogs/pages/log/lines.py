"""Lines of a window as a page shows them. Their HTML is called safe here and nowhere else: what
`content.ansi` returns is escaped and holds no tag but its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from joblogs import search
from joblogs.logtext.ansi import Encoding, Mark, Painter
from joblogs.query import ShownLine

JUDGED_BYTES = 4096
"""As much of a line is looked at for words that tell of trouble."""


class LineOnPage(NamedTuple):
    """What the template of a line needs."""

    number: int
    offset: int
    html: SafeString
    continued: bool
    hidden: int
    """Bytes of the line that come after what is shown."""
    goes_on_at: int
    asked: bool
    """It is the line that the address names."""
    trouble: bool
    open: bool
    """It has no newline yet: more of it may arrive."""


def painted(painter: Painter, data: bytes, marks: Sequence[Mark] = ()) -> SafeString:
    """The HTML of a line's bytes."""
    return mark_safe(painter.line(data, marks))  # noqa: S308 - escaped by content.ansi


def lines_on_page(
    lines: Iterable[ShownLine], encoding: Encoding, *, asked: int | None = None
) -> list[LineOnPage]:
    """A window's lines, colours carried from one to the next."""
    painter = Painter(encoding)
    return [
        LineOnPage(
            number=line.number,
            offset=line.offset,
            html=painted(painter, line.text),
            continued=line.continued,
            hidden=line.hidden,
            goes_on_at=line.stop,
            asked=line.number == asked,
            trouble=search.tells_of_error(line.text[:JUDGED_BYTES]) is not None,
            open=not line.hidden and not line.data.endswith(b"\n"),
        )
        for line in lines
    ]
