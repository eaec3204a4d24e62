"""Parameters of a log page, and the place in the text that they ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from joblogs import search
from joblogs.choices import HOST_SUCCEEDED
from joblogs.logtext.encodings import CHOICES
from joblogs.query import END, Attempts, Place, Text
from joblogs.query.window import LINES
from joblogs.search import PATTERN_MAX, InvalidPattern, Pattern

CONTEXT_LINES = 10
"""Lines shown before the requested one."""
ERROR_SECONDS = 5.0
_PIN = re.compile(r"\A[0-9]{1,18}(\.[0-9]{1,18}){2,}\Z", re.ASCII)
_HIGHEST = 2**62  # beyond any offset; a database takes no larger number


def _number(lowest: int = 0, label: Any = None) -> forms.IntegerField:
    return forms.IntegerField(
        required=False, min_value=lowest, max_value=_HIGHEST, localize=False, label=label
    )


def _pairs(*values: str) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


@dataclass(frozen=True, slots=True)
class TextPin:
    """Pin of the text that a page shows, so that it does not change with a new attempt or batch.

    Results are given by primary key, since the same attempt and batch may be sent again after a
    removal.
    """

    result: int
    """Result that the page's head is about."""
    start: int
    """Offset at which the text of the last row starts, which is the one that grows."""
    rows: tuple[int, ...]
    """Results whose logs are shown, in order."""

    @classmethod
    def read(cls, value: str) -> TextPin | None:
        """Return the pin for its string; None for an empty one."""
        if not value:
            return None
        result, start, *rows = map(int, value.split("."))
        return cls(result, start, tuple(rows))

    def __str__(self) -> str:
        return ".".join(map(str, (self.result, self.start, *self.rows)))


class LogForm(forms.Form):
    """Form for the parameters of a log page; invalid ones are reported and ignored."""

    line = _number(1, label=_("line"))
    byte = _number(label=_("byte"))
    before = _number(label=_("before byte"))
    error = _number(label=_("error after byte"))
    at = forms.ChoiceField(required=False, choices=_pairs("start", "end"))
    attempt = forms.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, label=_("attempt")
    )
    batch = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, label=_("batch"))
    file = _number(1)
    masked = _number()
    shown = forms.RegexField(_PIN, required=False, max_length=2000)
    encoding = forms.ChoiceField(required=False, choices=_pairs(*CHOICES))
    read_as = forms.ChoiceField(required=False, choices=_pairs(*CHOICES))
    wrap = forms.ChoiceField(required=False, choices=_pairs("0", "1"))
    view = forms.ChoiceField(required=False, choices=_pairs("bytes"))
    find = forms.CharField(required=False, max_length=PATTERN_MAX, strip=False, label=_("Find"))
    regex = forms.BooleanField(required=False)
    case = forms.BooleanField(required=False)
    only = forms.BooleanField(required=False)
    hit = _number(1)


@dataclass(frozen=True, slots=True)
class LogRequest:
    """Parsed parameters of a log page."""

    values: dict[str, Any]
    faults: list[str]
    """Error messages for invalid parameters."""
    parameters: dict[str, str]
    """Parameters that select which text is shown, and how."""
    finding: dict[str, str]
    """Parameters of the search within the text."""
    pattern: Pattern | None = None
    """Pattern to search for within the text."""

    @classmethod
    def read(cls, parameters: QueryDict) -> LogRequest:
        form = LogForm(parameters)
        form.is_valid()
        faults = [
            f"{form.fields[name].label or name}: {message}"
            for name, messages in form.errors.items()
            for message in messages
        ]
        values = form.cleaned_data
        kept = {
            name: str(values[name])
            for name in ("attempt", "batch", "file", "encoding", "wrap", "view")
            if values.get(name) not in (None, "")
        }
        pattern = None
        if values.get("find"):
            try:
                pattern = Pattern.of(
                    values["find"],
                    regex=values["regex"],
                    ignore_case=not values["case"],
                    in_utf16=values.get("encoding") == "utf-16",
                )
            except InvalidPattern as error:
                faults.append(gettext("Invalid search: %s") % error)
        finding = {"find": values["find"]} if pattern is not None else {}
        finding |= {name: "1" for name in ("regex", "case", "only") if finding and values.get(name)}
        return cls(values, faults, kept, finding, pattern)

    @property
    def in_page(self) -> dict[str, str]:
        """Parameters that every link within the page keeps."""
        return self.parameters | self.finding

    @property
    def kept(self) -> str:
        """Beginning of a query string, to be followed by a link's own parameters."""
        return f"{urlencode(self.in_page)}&" if self.in_page else ""

    @property
    def finds(self) -> bool:
        """Whether the text is searched for the pattern: if a hit or no other place is requested."""
        places = ("line", "byte", "before", "error", "at")
        named = any(self.values.get(name) not in (None, "") for name in places)
        return self.pattern is not None and (bool(self.values.get("hit")) or not named)

    @property
    def only(self) -> bool:
        """Whether to show only the matching lines."""
        return bool(self.values.get("only"))

    @property
    def hit(self) -> int:
        """Rank of the requested hit, from 1."""
        return self.values.get("hit") or 1

    @property
    def attempts(self) -> Attempts:
        return Attempts(self.values.get("attempt"), self.values.get("batch"))

    @property
    def file(self) -> int | None:
        file: int | None = self.values.get("file")
        return file

    @property
    def pin(self) -> TextPin | None:
        """Pin of the text that a page follows; None if it does not."""
        return TextPin.read(self.values.get("shown") or "")

    @property
    def searches(self) -> bool:
        """Whether the text is searched, which may take seconds."""
        error = self.values.get("error") is not None and not self.values.get("line")
        return self.finds or error

    @property
    def encoding(self) -> str:
        """Encoding that the reader chose, or that a following page has detected; empty if
        neither."""
        return self.values.get("encoding") or self.values.get("read_as") or ""

    @property
    def is_mixed(self) -> bool:
        """Whether to decode text that is clearly in another encoding in that one: only if the
        reader chose none."""
        return not self.values.get("encoding")

    @property
    def as_bytes(self) -> bool:
        """Whether to show all control codes of the text."""
        return self.values.get("view") == "bytes"

    @property
    def wrap(self) -> bool:
        return self.values.get("wrap") != "0"


class FoundPlace(NamedTuple):
    """Place in a text, the requested line, and a note about it."""

    place: Place
    line: int | None = None
    no_error: bool = False
    gave_up_at: int | None = None
    """Offset at which the search for an error was stopped because it took too long."""


def find_place(values: dict[str, Any], text: Text, *, status: int) -> FoundPlace:
    """Return the place at which to open a text.

    If none is requested, it is the start for a host that succeeded, and the end for any other.
    """
    if values.get("line"):
        return around(values["line"], text)
    if values.get("error") is not None:
        first = search.first_error(text, start=values["error"], seconds=ERROR_SECONDS)
        if first.offset is not None:
            return around(text.newlines_before(first.offset) + 1, text)
        at = Place("byte", first.stopped_at) if first.stopped_at is not None else END
        return FoundPlace(at, no_error=first.stopped_at is None, gave_up_at=first.stopped_at)
    for kind in ("byte", "before"):
        if values.get(kind) is not None:
            return FoundPlace(Place(kind, values[kind]))
    if values.get("at") == "end" or (values.get("at") != "start" and status not in HOST_SUCCEEDED):
        return FoundPlace(END)
    return FoundPlace(Place("line", 1))


def around(line: int, text: Text) -> FoundPlace:
    """Return the place that shows a line with CONTEXT_LINES before it, or all of a short text."""
    if text.newlines < LINES:
        return FoundPlace(Place("line", 1), line)
    return FoundPlace(Place("line", max(1, line - CONTEXT_LINES)), line)
