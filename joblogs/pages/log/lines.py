"""Lines of a log as a page shows them, and their HTML, which is marked as safe: what `logtext`
returns is escaped and has no tags but its own."""

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
"""Bytes of a line that are searched for words of errors and warnings."""
MARKS_MAX = 50
"""Maximum marked matches in a line."""
PAUSE_SECONDS, PAUSE_SHARE, PAUSE_SECONDS_MIN = 5.0, 0.05, 1.0
"""A pause is marked if it is longer than PAUSE_SECONDS or than this share of the run, but only if
it is also longer than PAUSE_SECONDS_MIN: most times in logs are whole seconds."""


class EarlierState(NamedTuple):
    """Earlier state of a redrawn line, and the number of the log line that printed it."""

    number: int
    html: SafeString


class LineOnPage(NamedTuple):
    """Line as its template needs it."""

    number: int
    offset: int
    html: SafeString
    continued: bool
    hidden: int
    """Number of bytes of the line after the shown part."""
    goes_on_at: int
    """Offset at which the shown part ends."""
    is_target: bool
    """Whether it is the requested line."""
    level: str
    """`error`, `warning` or empty."""
    named: bool = True
    """Whether it is the first row with its number."""
    target_number: int | None = None
    """Number of the requested line if that one only redrew this line."""
    states: int = 0
    """Number of earlier states."""
    earlier: Sequence[EarlierState] = ()
    """The latest of the earlier states."""
    states_missed: bool = False
    """Whether some earlier states were not read."""
    cut: bool = False
    """Whether the end of the line is not shown."""
    pause: str = ""
    """Duration of the pause before the line, if it was long."""

    @property
    def level_label(self) -> str:
        """Level of the line in words."""
        return gettext("error line") if self.level == "error" else gettext("warning line")

    @property
    def hidden_label(self) -> str:
        """Number of hidden bytes in words."""
        return gettext("%(size)s more on this line …") % {"size": size(self.hidden)}

    @property
    def states_label(self) -> str:
        """Number of earlier states in words."""
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
    """Return a line's bytes as HTML."""
    return mark_safe(painter.line(data, marks))  # noqa: S308 - escaped by logtext


def safe(html: str) -> SafeString:
    """Mark HTML from `logtext` as safe."""
    return mark_safe(html)  # noqa: S308 - escaped by logtext


def state_html(text: str) -> SafeString:
    """Return an earlier state of a line as HTML."""
    return safe(shown(text, PLAIN))


def level_of(text: bytes) -> str:
    """Return `error` or `warning` if a line reports one, otherwise an empty string."""
    judged = text[:JUDGED_BYTES]
    if search.tells_of_error(judged) is not None:
        return "error"
    return "warning" if search.tells_of_warning(judged) else ""


def lines_html(lines: Sequence[LineOnPage], kept: str) -> SafeString:
    """Return lines as the HTML of a page; the query string of each link starts with `kept`."""
    return partial("log_lines.html", lines=lines, kept=kept)


def hit_marks(data: bytes, pattern: search.Pattern | None) -> list[Mark]:
    """Return marks at a line's matches, at most MARKS_MAX."""
    if pattern is None:
        return []
    return [Mark(start, end, "hit") for start, end in search.spans(pattern, data, MARKS_MAX)]


def with_pauses(
    lines: Sequence[LineOnPage], texts: Iterable[str], run_seconds: float
) -> list[LineOnPage]:
    """Return lines with the long pauses before them, according to the times in their texts.

    Which pause is long depends on the run's duration (PAUSE_SECONDS); 0 if that is not known.
    """
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
    """Return a window's lines with all control codes visible; colours continue between lines."""
    # The zero bytes of UTF-16 are to be visible, too.
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
