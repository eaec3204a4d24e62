"""Control codes and escape sequences of terminals. Pure.

A sequence never extends beyond the end of a line, so an unfinished one swallows no line; the text
of an unfinished title or link is kept. Everything matches in linear time.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

TOKEN = re.compile(
    "(?:\x1b\\[|\x9b)(?P<params>[0-?]*+)(?P<between>[ -/]*+)(?P<final>[@-~])"
    # A byte that is not a character here: on an 8-bit terminal it begins a colour.
    "|\udc9b(?P<stray>[0-9;:]++)m"
    "|(?:\x1b\\[|\x9b)(?P<cut>[0-?]*+)[ -/]*+"
    "|\x1b\\](?P<command>[^\x00-\x1f\x7f-\x9f]*+)(?P<end>\x07|\x1b\\\\|\x9c)?"
    "|\x1b[PX^_](?:[^\x00-\x1f\x7f-\x9f]*+(?:\x07|\x1b\\\\|\x9c))?"  # strings for the terminal
    "|\x1b(?P<charset>[()][0-~])"
    "|\x1b(?P<escape>[ -/]*+[0-~])"
    "|(?P<control>[\n\r\x08\t\x0b\x0c\x0e\x0f\x84\x85\x8d])"
    "|[\x00-\x07\x10-\x1f\x7f-\x83\x86-\x8c\x8e-\x9f\ufeff]"
)
"""The last line matches codes without a visible effect: BEL, NUL, a byte order mark."""
SGR_END = re.compile("[0-9;:]*+m")
"""End of a colour sequence that was split by the end of a line."""
PLAIN_TEXT = re.compile("[^\x00-\x08\x0b-\x1f\x7f-\x9f\udc9b\ufeff]*+")
"""Text without control codes other than newlines and tabs."""
_BETWEEN = (
    "(?:\x1b\\[|\x9b)[0-9;]*+[ABEFHJLMdefsu]|\x1b[78DEMc]"
    "|(?:\x1b\\[|\x9b)[0-?]*+\n|[\x0b\x0c\x84\x85\x8d]"
)
MOVES_BETWEEN_LINES = re.compile(_BETWEEN)
"""Codes by which a line may change another line."""
REDRAWS = re.compile(
    f"\r(?!\r*+(?:\n|\\Z))|\x08|(?:\x1b\\[|\x9b)[0-9;]*+[@CDGKPXab`]|\x1b[()]0|\x0e|{_BETWEEN}"
)
"""Codes after which characters may not follow the previous ones, or be different characters."""

DRAWING = str.maketrans("`afgjklmnopqrstuvwxyz{|}~", "◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")
"""Characters of the line-drawing character set."""
_JOINERS = "\u200c\u200d"


@lru_cache(4096)
def width(character: str) -> int:
    """Return the columns of a character: 0 for a combining one, 2 for ideographs and emoji."""
    if character in _JOINERS or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def parameter(params: str, place: int = 0, default: int = 1) -> int:
    """Return a parameter of a sequence; the default if it is 0, missing or not a number."""
    values = params.split(";", place + 1)
    value = values[place] if place < len(values) else ""
    return int(value) or default if value.isdecimal() and len(value) < 6 else default
