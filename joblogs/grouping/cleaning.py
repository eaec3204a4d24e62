"""Text as a reader would see it, line by line: no colours, only the last state of a line that was
redrawn, and the host's own names as one byte.

No step adds or takes away a newline, so that lines keep their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

OWN_NAME = b"\x02"
"""Stands for a name or an address of the host itself."""


class Edit(NamedTuple):
    """`text[start:end]` is replaced by `put`."""

    start: int
    end: int
    put: bytes


class _Step(NamedTuple):
    """A replacement; `kept` in its pattern is what stays of what it finds. `signs`: a text without
    any of these is spared it."""

    pattern: re.Pattern[bytes]
    put: bytes
    signs: tuple[bytes, ...] = ()

    def edits(self, text: bytes) -> Iterator[Edit]:
        kept = "kept" in self.pattern.groupindex
        for found in self.pattern.finditer(text):
            yield Edit(found.end("kept") if kept else found.start(), found.end(), self.put)


_CONTROL = re.compile(rb"[\x00-\x04\x08\r\x0e\x0f\x1b]")
_CONTROLS = (
    _Step(
        re.compile(
            rb"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b\n]*+(?:\x07|\x1b\\)|[ -/]++[0-~]"
            rb"|[0-Z\\`-~])|[\x00-\x04\x0e\x0f]"
        ),
        b"",
    ),
    # What a carriage return within a line leaves of it. Anchored at the line's start and greedy:
    # looked for from each carriage return it would be quadratic.
    _Step(re.compile(rb"(?m)^[^\n]*\r(?=[^\r\n])"), b""),
    _Step(re.compile(rb"[^\n\x08]\x08+"), b""),
)
"""What a text without any _CONTROL is spared."""
_WORDS = (
    _Step(
        re.compile(rb"(?:Less than a second|About an? (?:minute|hour))(?![A-Za-z])"),
        b"0s",
        (b"About a", b"Less than a"),
    ),
    # Random names without a digit are noise where it is plain that they are random. What stands
    # before is looked at last: a search for a letter is much faster than one for a border.
    _Step(
        re.compile(
            rb"(?P<kept>tmp(?<![A-Za-z]tmp)[./_-]|SHA256:(?<![A-Za-z]SHA256:))[A-Za-z0-9+/]{5,}+"
            rb"(?:\.[A-Za-z0-9]{6}(?![\w.-]))?"
        ),
        b"0",
        (b"tmp", b"SHA256:"),
    ),
    # What mktemp makes of XXXXXX: letters of both cases, mixed.
    _Step(
        re.compile(
            rb"(?P<kept>/tmp/(?:[\w-]*[._-])?)(?=[A-Za-z]*[a-z][A-Z]|[A-Z]{2,}[a-z])"
            rb"[A-Za-z]{6,12}+(?![\w.-])"
        ),
        b"0",
        (b"/tmp/",),
    ),
    _Step(re.compile(rb"(?P<kept>/var/folders/)\w+"), b"0", (b"/var/folders/",)),
)
_BEYOND_ASCII = (
    # Days of the week, and halves of the day before a clock.
    _Step(re.compile("(?:星期|周)(?:一|二|三|四|五|六|日|天)".encode()), b"0"),
    _Step(re.compile("(?:上午|下午|凌晨|早上|中午|晚上) ?(?=[0-9])".encode()), b""),
    _Step(re.compile(r"(?P<kept>\()(?:日|月|火|水|木|金|土)(?=\))".encode()), b"0"),
    # Spinners of braille dots, and bars of blocks with what is left of them.
    _Step(re.compile(rb"(?:\xe2[\xa0-\xa3][\x80-\xbf])++"), b""),
    _Step(re.compile(rb"(?:\xe2\x96[\x80-\x9f])++ *+"), b""),
)


@lru_cache(4096)
def own_names(names: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Forms of a host's names, the longest first: as given, in upper and lower case, and before
    the first dot. Left out are those that are words rather than names of one machine."""
    forms = set()
    for name in names:
        short = name.partition(b".")[0]
        for form in (name, short) if any(map(_is_letter, short)) else (name,):
            if len(form) > 2 and not form.isdigit() and b"\n" not in form:
                forms |= {form, form.lower(), form.upper()}
    forms -= {b"localhost", b"LOCALHOST"}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _is_letter(byte: int) -> bool:
    return 65 <= byte <= 90 or 97 <= byte <= 122


def _names(forms: Sequence[bytes]) -> Callable[[bytes], Iterator[Edit]]:
    def edits(text: bytes) -> Iterator[Edit]:
        # Not by an expression: to make one for each host takes longer than to look.
        spans = [span for form in forms if form in text for span in _spans(text, form)]
        end = 0
        # Of two that begin alike, the longer one.
        for start, size in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start >= end:
                end = start + size
                yield Edit(start, end, OWN_NAME)

    return edits


def _spans(text: bytes, form: bytes) -> Iterator[tuple[int, int]]:
    """Where a form stands as a word, and its size."""
    size, at = len(form), text.find(form)
    while at >= 0:
        if not (text[at - 1 : at].isalnum() or text[at + size : at + size + 1].isalnum()):
            yield at, size
        at = text.find(form, at + 1)


def _passes(text: bytes, names: tuple[bytes, ...]) -> Iterator[Callable[[bytes], Iterator[Edit]]]:
    if _CONTROL.search(text):
        yield from (step.edits for step in _CONTROLS)
    for step in _WORDS:
        if any(sign in text for sign in step.signs):
            yield step.edits
    if not text.isascii():
        yield from (step.edits for step in _BEYOND_ASCII)
    yield _names(own_names(names))


def cleaned(text: bytes, names: tuple[bytes, ...] = ()) -> bytes:
    """The text of a host that has these names and addresses, as it is compared."""
    for edits in _passes(text, names):
        parts: list[bytes] = []
        at = 0
        for start, end, put in edits(text):
            parts += (text[at:start], put)
            at = end
        if parts:
            text = b"".join((*parts, text[at:]))
    return text


def origins(line: bytes, names: tuple[bytes, ...] = ()) -> tuple[bytes, list[int]]:
    """The same of a line, with where each byte of it was in the line; and the line's size."""
    places = list(range(len(line) + 1))
    for edits in _passes(line, names):
        parts: list[bytes] = []
        kept: list[int] = []
        at = 0
        for start, end, put in edits(line):
            parts += (line[at:start], put)
            kept += (*places[at:start], *[places[start]] * len(put))
            at = end
        if parts:
            line = b"".join((*parts, line[at:]))
            places = kept + places[at:]
    return line, places
