"""Cleaning of text for comparisons: without colours, with only the last state of redrawn lines, and
with the host's own names as one byte.

No step adds or removes a newline, so lines keep their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

OWN_NAME = b"\x02"
"""Stands for a name or an address of the host itself."""


class Edit(NamedTuple):
    """Replacement of `text[start:end]` by `put`."""

    start: int
    end: int
    put: bytes


class _Step(NamedTuple):
    """Replacement by a pattern, whose group `kept` is not replaced. `signs`: it is skipped for a
    text without any of these."""

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
    # Text before a carriage return within a line. Anchored at the start of the line and greedy: a
    # search from each carriage return would be quadratic.
    _Step(re.compile(rb"(?m)^[^\n]*\r(?=[^\r\n])"), b""),
    _Step(re.compile(rb"[^\n\x08]\x08+"), b""),
)
"""Steps that are skipped for a text without any _CONTROL."""
_WORDS = (
    _Step(
        re.compile(rb"(?:Less than a second|About an? (?:minute|hour))(?![A-Za-z])"),
        b"0s",
        (b"About a", b"Less than a"),
    ),
    # Random names without a digit are noise where they are clearly random. The text before them is
    # checked last: a search for a letter is much faster than one for a border.
    _Step(
        re.compile(
            rb"(?P<kept>tmp(?<![A-Za-z]tmp)[./_-]|SHA256:(?<![A-Za-z]SHA256:))[A-Za-z0-9+/]{5,}+"
            rb"(?:\.[A-Za-z0-9]{6}(?![\w.-]))?"
        ),
        b"0",
        (b"tmp", b"SHA256:"),
    ),
    # Names from mktemp: mixed upper and lower case letters for XXXXXX.
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
    # Days of the week, and parts of the day before a time.
    _Step(re.compile("(?:星期|周)(?:一|二|三|四|五|六|日|天)".encode()), b"0"),
    _Step(re.compile("(?:上午|下午|凌晨|早上|中午|晚上) ?(?=[0-9])".encode()), b""),
    _Step(re.compile(r"(?P<kept>\()(?:日|月|火|水|木|金|土)(?=\))".encode()), b"0"),
    # Spinners of braille dots, and progress bars of blocks.
    _Step(re.compile(rb"(?:\xe2[\xa0-\xa3][\x80-\xbf])++"), b""),
    _Step(re.compile(rb"(?:\xe2\x96[\x80-\x9f])++ *+"), b""),
)


@lru_cache(4096)
def own_names(names: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the forms of a host's names, longest first: as given, in upper and lower case, and up
    to the first dot. Forms that do not identify one machine are left out."""
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
        # Not by an expression: compiling one for each host takes longer than this search.
        spans = [span for form in forms if form in text for span in _spans(text, form)]
        end = 0
        # Of two at the same place, the longer one.
        for start, size in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start >= end:
                end = start + size
                yield Edit(start, end, OWN_NAME)

    return edits


def _spans(text: bytes, form: bytes) -> Iterator[tuple[int, int]]:
    """Yield the places at which a form is a whole word, and its size."""
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
    """Return the cleaned text of a host with these names and addresses."""
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
    """Return a cleaned line, and for each of its bytes the place in the original line, followed by
    the size of the original line."""
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
