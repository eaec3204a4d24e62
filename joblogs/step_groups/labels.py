"""Labels of the values in slots: a readable piece of the line, as UTF-8."""

from __future__ import annotations

import re
from collections.abc import Sequence

from joblogs.grouping.cleaning import cleaned

LABEL_CHARACTERS = 40
SLOT = "…"
"""Stands for the value in a label that does not precede it."""

_CLAUSE_END = re.compile(r"[,;](?=\s|$)|[，；。、]")
_REST_OF_VALUE = re.compile(r"[./\-_+@~%][!-~]*")
"""Text that directly follows a value belongs to it: `.tar.gz`, `/s`."""
_JOINS_ONLY = re.compile(r"(?:^|\s)(?:and|or|和|或)$")
_MARKS = " \t:=,;.|'\"()[]{}<>*#~!?/\\-_+：，；。、（）【】《》「」“”！？—…"
_BEFORE_TEXT, _BEHIND_TEXT = " :=,;.|*#~>-—)]}）】：，；。、", " :=,;|*#~>-—：，；、"
"""Marks that are stripped from a line's text; quotes, paths and brackets are part of it."""
_MESSAGE = re.compile(
    r'(?:"(?:msg|message)": ?|\bmsg=)(?:"(?P<quoted>(?:[^"\\]|\\.)+)|(?P<bare>[^\s"{\[].*))'
)
"""The message in a line of JSON or logfmt. A quoted one ends before its quote, or with the line."""
_ESCAPED_QUOTE = re.compile(r'\\(["\\/])')
_BRACKETS = re.compile(r"[()\[\]{}（）【】]")


def label(line: bytes, spans: Sequence[tuple[int, int]], at: int) -> bytes:
    """Return the label of the value at `at`; `spans` are the ranges of all values in the line.

    It is the words before the value, or those after it, or the line with an ellipsis for the value;
    empty if the line has nothing else.
    """
    end = next((stop for start, stop in spans if start == at), at)
    end = at + len(line[at:end].rstrip())
    before_it = max((stop for _, stop in spans if stop <= at), default=0)
    behind_it = min((start for start, _ in spans if start >= end), default=len(line))
    before, behind = _text(line[before_it:at]), _text(line[end:behind_it])
    if before_it:
        before = _without_rest(before)
    before = _CLAUSE_END.split(before)[-1]
    if (words := _trimmed(before)) and not _JOINS_ONLY.search(words):
        return _last(words, LABEL_CHARACTERS).encode(errors="surrogateescape")
    behind = _CLAUSE_END.split(_without_rest(behind))[0]
    if words := _trimmed(behind):
        shown = f"{SLOT} {_first(words, LABEL_CHARACTERS)}"
    else:
        shown = _around(_text(line[:at]), _text(line[end:]))
    return shown.encode(errors="surrogateescape")


def first_words(line: bytes, most: int) -> str:
    """Return the beginning of a line, or of the message in a line of JSON or logfmt, at most `most`
    characters, and an ellipsis if it is longer; empty for a line without letters."""
    shown = _text(line)
    if message := _MESSAGE.search(shown):
        quoted, bare = message.group("quoted", "bare")
        shown = bare if quoted is None else _ESCAPED_QUOTE.sub(r"\1", quoted)
    text = shown.lstrip(_BEFORE_TEXT).rstrip(_BEHIND_TEXT)
    if not any(map(str.isalpha, text)):
        return ""
    first = _first(text, most)
    return (first + SLOT * (first != text)).encode(errors="replace").decode()


def cut_at_character(data: bytes, size: int) -> bytes:
    """Return at most `size` bytes, without an incomplete character at the end."""
    while 0 < size < len(data) and data[size] & 0xC0 == 0x80:
        size -= 1
    return data[:size]


def character_at(data: bytes, at: int) -> int:
    """Return the place at which the character of a byte begins."""
    while 0 < at < len(data) and data[at] & 0xC0 == 0x80:
        at -= 1
    return at


def _text(piece: bytes) -> str:
    """Return a piece of a line as readers see it, with single blanks."""
    seen = cleaned(piece, ()).decode(errors="surrogateescape")
    return re.sub(r"\s+", " ", seen)


def _without_rest(piece: str) -> str:
    found = _REST_OF_VALUE.match(piece)
    return piece[found.end() :] if found else piece


def _trimmed(piece: str) -> str:
    """Return a text without punctuation at its ends and unpaired brackets; empty if it has no
    letter."""
    words = piece.strip(_MARKS)
    if len(_BRACKETS.findall(words)) % 2:
        words = " ".join(_BRACKETS.sub(" ", words).split())
    return words if any(character.isalpha() for character in words) else ""


def _around(before: str, behind: str) -> str:
    """Return the line with an ellipsis for the value; of a long line, the text next to it."""
    before, behind = before.lstrip(), behind.rstrip()
    if not any(character.isalnum() for character in before + behind):
        return ""
    left = LABEL_CHARACTERS - min(len(behind), LABEL_CHARACTERS // 2)
    before = _last(before, left)
    return before + SLOT + _first(behind, LABEL_CHARACTERS - len(before))


def _last(text: str, most: int) -> str:
    """Return the end of a text, from the beginning of a word if one is near."""
    if len(text) <= most:
        return text
    kept = text[-most:]
    border = re.search(r"[\s：，；。、]", kept[: most // 2])
    if text[-most - 1].isspace():
        return kept
    return kept[border.end() :] if border else kept


def _first(text: str, most: int) -> str:
    """Return the beginning of a text, up to the end of a word if one is near."""
    if len(text) <= most:
        return text
    kept = text[:most]
    found = list(re.finditer(r"[\s：，；。、]", kept[most // 2 :]))
    if not found or text[most].isspace():
        return kept
    return kept[: most // 2 + found[-1].start()]
