"""Fields that several endpoints of version 1 share."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from joblogs import times
from joblogs.api.fields import TEXT, Parameter, Params
from joblogs.api.parameters import optional_integer, optional_text
from joblogs.errors import BadRequest
from joblogs.export import Outcome
from joblogs.logtext.encodings import reading_encoding
from joblogs.logtext.lines import without_line_end
from joblogs.logtext.utf16_parts import parts_as_utf8
from joblogs.search import FoundLine

CONTEXT_MAX = 5


def at_most(most: int, default: int, params: Params, field: str, *, least: int = 1) -> int:
    """Return an integer from `least` to `most`, the default if absent. Raise BadRequest."""
    number = optional_integer(params, field, least=least)
    if number is not None and number > most:
        raise BadRequest(BadRequest.FIELD, field)
    return default if number is None else number


def _context(params: Params, field: str) -> int:
    return at_most(CONTEXT_MAX, 1, params, field, least=0)


def _outcome(params: Params, field: str) -> Outcome | None:
    value = optional_text(params, field)
    if value is not None and value not in list(Outcome):
        raise BadRequest(BadRequest.FIELD, field)
    return None if value is None else Outcome(value)


def searched_text(params: Params, field: str) -> str:
    """Return a text to search for, which may be blank but not empty. Raise BadRequest."""
    text = params.get(field)
    if not isinstance(text, str) or not text:
        raise BadRequest(BadRequest.FIELD, field)
    return text


def _day(params: Params, field: str) -> date | None:
    text = optional_text(params, field)
    try:
        return None if text is None else times.day(text)
    except ValueError:
        raise BadRequest(BadRequest.FIELD, field) from None


day_param = partial(Parameter, _day, TEXT | {"format": "date"})
context_param = Parameter(
    _context,
    {"type": "integer", "minimum": 0, "maximum": CONTEXT_MAX, "default": 1},
    "Lines to show around each line.",
)
outcome_param = Parameter(_outcome, TEXT | {"enum": list(Outcome)}, "Only hosts with this result.")


class LogLine(Struct):
    """Line of a log; only a part of a very long line."""

    number: Annotated[int, Meta(description="From 1.")]
    text: str
    matches: Annotated[bool, Meta(description="False of a line that is shown around another.")]

    @classmethod
    def of(cls, line: FoundLine) -> LogLine:
        """Decode a line by the encoding of its bytes."""
        data = parts_as_utf8(without_line_end(line.data))
        text = data.decode(reading_encoding(data), errors="replace")
        return cls(line.number, text, line.matches)
