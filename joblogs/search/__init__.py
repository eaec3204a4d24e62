"""Search in logs for a text or a regular expression, independent of chunk borders and codes."""

from .blocks import LONG_LINE_BYTES
from .finder import FoundLine, Hits
from .history import HistorySearch, SearchedStep, StepHits
from .history_question import SPAN_DAYS_MAX, Cursor, Question, TooWide, first_day
from .hit_groups import HitGroup, HostWithHits, SearchResults, gather, label_of
from .in_text import TextHits, find_in_text
from .patterns import PATTERN_MAX, InvalidPattern, Pattern
from .readings import spans
from .steps import Budget, Search, logs_of, occurs
from .trouble import (
    FirstError,
    first_error,
    first_error_line,
    first_error_lines,
    tells_of_error,
    tells_of_warning,
)

__all__ = [
    "LONG_LINE_BYTES",
    "PATTERN_MAX",
    "Budget",
    "FirstError",
    "Hits",
    "Cursor",
    "HistorySearch",
    "HitGroup",
    "Question",
    "SPAN_DAYS_MAX",
    "SearchedStep",
    "StepHits",
    "TooWide",
    "HostWithHits",
    "InvalidPattern",
    "FoundLine",
    "Pattern",
    "Search",
    "SearchResults",
    "TextHits",
    "find_in_text",
    "first_day",
    "first_error",
    "first_error_line",
    "first_error_lines",
    "gather",
    "label_of",
    "logs_of",
    "occurs",
    "spans",
    "tells_of_error",
    "tells_of_warning",
]
