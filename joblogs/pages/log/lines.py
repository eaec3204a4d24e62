"""Lines of a window as a page shows them: as they were last seen, or as their bytes are. Their HTML
is called safe here and nowhere else: what `logtext` returns is escaped and holds no tag but its
own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from joblogs import search
from joblogs.logtext.ansi import PLAIN, Mark, Painter, shown
from joblogs.logtext.line_times import line_time, seconds_between
from joblogs.pages.formats import duration, number, size
from joblogs.pages.rendering import partial
from joblogs.query import ShownLine

JUDGED_BYTES = 4096
"""As much of a line is looked at for words that tell of trouble."""
MARKS_MAX = 50
"""Matches of a line that are marked."""
PAUSE_SECONDS, PAUSE_SHARE, PAUSE_SECONDS_MIN = 5.0, 0.05, 1.0
"""A pause is marked that is longer than the first, or than this share of the run, but never one
that is not longer than the last: most clocks in logs tick once a second."""


class EarlierState(NamedTuple):
    """What a line was before it was redrawn, and by which line of the log it was that."""

    number: int
    html: SafeString


class LineOnPage(NamedTuple):
    """What the template of a line needs."""

    number: int
    offset: int
    html: SafeString
    continued: bool
    hidden: int
    """Bytes of the line that come after what is shown."""
    goes_on_at: int
    is_target: bool
    """It is the line that the address names."""
    level: str
    """`error` or `warning`, if it tells of any."""
    named: bool = True
    """It is the first with its number."""
    target_number: int | None = None
    """Number of the line that the address names, where that one only redrew this one."""
    states: int = 0
    """How often it was redrawn."""
    earlier: Sequence[EarlierState] = ()
    """What it was before, the last ones."""
    states_missed: bool = False
    """It was redrawn more often than was read."""
    cut: bool = False
    """It is longer than what is shown."""
    pause: str = ""
    """How long nothing was printed before it, if that was long."""

    @property
    def level_label(self) -> str:
        """Its level in words."""
        return gettext("error line") if self.level == "error" else gettext("warning line")

    @property
    def hidden_label(self) -> str:
        """How much of it is not shown."""
        return gettext("%(size)s more on this line …") % {"size": size(self.hidden)}

    @property
    def states_label(self) -> str:
        """How often it was redrawn, in words."""
        count = self.states
        text = ngettext("%(n)s earlier state", "%(n)s earlier states", count)
        if self.states_missed:
            text = ngettext(
                "more than %(n)s earlier state", "more than %(n)s earlier states", count
            )
        return text % {"n": number(count)}


class _Paints(Protocol):
    def line(self, data: bytes, marks: Sequence[Mark] = ()) -> str: ...


def painted(painter: _Paints, data: bytes, marks: Sequence[Mark] = ()) -> SafeString:
    """The HTML of a line's bytes."""
    return mark_safe(painter.line(data, marks))  # noqa: S308 - escaped by logtext


def safe(html: str) -> SafeString:
    """HTML that `logtext` made."""
    return mark_safe(html)  # noqa: S308 - escaped by logtext


def state_html(text: str) -> SafeString:
    """The HTML of what a line was."""
    return safe(shown(text, PLAIN))


def level_of(text: bytes) -> str:
    """`error` or `warning` for a line that tells of any, else nothing."""
    judged = text[:JUDGED_BYTES]
    if search.tells_of_error(judged) is not None:
        return "error"
    return "warning" if search.tells_of_warning(judged) else ""


def lines_html(lines: Sequence[LineOnPage], kept: str) -> SafeString:
    """Lines as a page holds them; `kept` is how the address of each link begins."""
    return partial("log_lines.html", lines=lines, kept=kept)


def hit_marks(data: bytes, pattern: search.Pattern | None) -> list[Mark]:
    """Marks where a line matches."""
    if pattern is None:
        return []
    return [Mark(start, end, "hit") for start, end in search.spans(pattern, data, MARKS_MAX)]


def with_pauses(
    lines: Sequence[LineOnPage], texts: Iterable[str], run_seconds: float
) -> list[LineOnPage]:
    """Lines that say when they were printed, with the pauses between them that were long for a run
    of so many seconds."""
    least = max(PAUSE_SECONDS_MIN, min(PAUSE_SECONDS, run_seconds * PAUSE_SHARE or PAUSE_SECONDS))
    marked, last = [], None
    for line, text in zip(lines, texts, strict=True):
        time = line_time(text)
        passed = seconds_between(last, time)
        label = duration(round(passed * 1000)) if passed > least else ""
        marked.append(line._replace(pause=label) if label else line)
        last = time or last
    return marked


def lines_as_bytes(
    lines: Iterable[ShownLine],
    encoding: str,
    *,
    target: int | None = None,
    pattern: search.Pattern | None = None,
) -> list[LineOnPage]:
    """A window's lines with every code shown, colours carried from one to the next."""
    # Zeros of UTF-16 are among what is to be seen.
    painter = Painter("utf-8" if encoding.startswith("utf-16") else encoding)
    return [
        LineOnPage(
            number=line.number,
            offset=line.offset,
            html=painted(painter, line.text, hit_marks(line.text, pattern)),
            continued=line.continued,
            hidden=line.hidden,
            goes_on_at=line.stop,
            is_target=line.number == target,
            level=level_of(line.text),
        )
        for line in lines
    ]
