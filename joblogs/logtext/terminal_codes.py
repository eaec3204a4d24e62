"""What a terminal reads in a text besides letters: control codes and escape sequences. Pure.

A sequence never goes on past the end of a line, so that one that was never finished takes no line
with it; of a title or link that has no end the text is kept. Everything matches in linear time.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

TOKEN = re.compile(
    "(?:\x1b\\[|\x9b)(?P<params>[0-?]*+)(?P<between>[ -/]*+)(?P<final>[@-~])"
    # A byte that is no character here: of an 8-bit terminal it begins a colour.
    "|\udc9b(?P<stray>[0-9;:]++)m"
    "|(?:\x1b\\[|\x9b)(?P<cut>[0-?]*+)[ -/]*+"
    "|\x1b\\](?P<command>[^\x00-\x1f\x7f-\x9f]*+)(?P<end>\x07|\x1b\\\\|\x9c)?"
    "|\x1b[PX^_](?:[^\x00-\x1f\x7f-\x9f]*+(?:\x07|\x1b\\\\|\x9c))?"  # strings for the terminal
    "|\x1b(?P<charset>[()][0-~])"
    "|\x1b(?P<escape>[ -/]*+[0-~])"
    "|(?P<control>[\n\r\x08\t\x0b\x0c\x0e\x0f\x84\x85\x8d])"
    "|[\x00-\x07\x10-\x1f\x7f-\x83\x86-\x8c\x8e-\x9f\ufeff]"
)
"""The last line matches what has no effect that could be seen: BEL, NUL, a byte order mark."""
SGR_END = re.compile("[0-9;:]*+m")
"""The end of a colour that a line's end cut in two."""
PLAIN_TEXT = re.compile("[^\x00-\x08\x0b-\x1f\x7f-\x9f\udc9b\ufeff]*+")
"""Lines and tabs only."""
_BETWEEN = (
    "(?:\x1b\\[|\x9b)[0-9;]*+[ABEFHJLMdefsu]|\x1b[78DEMc]"
    "|(?:\x1b\\[|\x9b)[0-?]*+\n|[\x0b\x0c\x84\x85\x8d]"
)
MOVES_BETWEEN_LINES = re.compile(_BETWEEN)
"""Codes by which a line may change another one."""
REDRAWS = re.compile(
    f"\r(?!\r*+(?:\n|\\Z))|\x08|(?:\x1b\\[|\x9b)[0-9;]*+[@CDGKPXab`]|\x1b[()]0|\x0e|{_BETWEEN}"
)
"""Codes after which letters may stand elsewhere than after those before them, or be others."""

DRAWING = str.maketrans("`afgjklmnopqrstuvwxyz{|}~", "◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")
"""Letters of the character set for lines and corners."""
_JOINERS = "\u200c\u200d"


@lru_cache(4096)
def width(character: str) -> int:
    """Columns of a character: 0 for what joins the one before it, 2 for ideographs and emoji."""
    if character in _JOINERS or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def parameter(params: str, place: int = 0, default: int = 1) -> int:
    """A parameter of a sequence; 0 and what is no number are the default."""
    values = params.split(";", place + 1)
    value = values[place] if place < len(values) else ""
    return int(value) or default if value.isdecimal() and len(value) < 6 else default
