"""Detection of the encoding of a log. Pure.

A script prints in the encoding of its machine, and no record says which that is. Except for UTF-16,
all encodings here extend ASCII, and none has the newline byte within a character.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from functools import lru_cache

UTF8 = "utf-8"
LEGACY = ("gb18030", "cp932", "cp949")
"""GB18030, Shift-JIS and EUC-KR, the latter two as Windows extends them."""
LATIN1 = "cp1252"
"""Latin-1 as Windows extends it; never detected, since every text could be in it."""
CHOICES = {
    "utf-8": UTF8,
    "gb18030": "gb18030",
    "shift-jis": "cp932",
    "euc-kr": "cp949",
    "utf-16": "utf-16",
    "latin-1": LATIN1,
}
"""Codecs that a reader may choose, by the name in an address."""
UTF16 = ("utf-16-le", "utf-16-be")
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
UTF16_HEAD_BYTES = 4096
"""Bytes at the beginning of a text by which UTF-16 is detected."""
_NULS_MIN = 2
_ASCII_RUN = re.compile(rb"[\t\n\r -~]{8,}")


def encodings(data: bytes, *, start: bool = True) -> tuple[str, ...]:
    """Return the encodings that bytes may be in, most likely first; at least one.

    `start`: the bytes are the beginning of the text. UTF-16 is detected only there: by its byte
    order mark, or by the zero bytes of line ends and spaces.
    """
    if start and (found := utf16_name(data)):
        return (found,)
    if data.isascii() or is_in(data, UTF8):
        return (UTF8,)
    # The bytes may be valid in several of these, or have an invalid place in each.
    likely = sorted(LEGACY, key=lambda name: not is_in(data, name))
    plain = recognised_legacy(data[:_JUDGED])
    return (UTF8, *likely) if plain else (UTF8, *likely, LATIN1)


def reading_encoding(data: bytes, *, head: bytes = b"", chosen: str = "", usual: str = "") -> str:
    """Return the encoding in which to decode bytes; UTF-8 if none is detected.

    `head` is the beginning of the text, `chosen` the reader's choice for this text (of CHOICES),
    and `usual` the reader's choice for texts that are not clearly in another encoding.
    """
    if chosen:
        name = CHOICES[chosen]
        return name if name != "utf-16" else (utf16_name(head) or "utf-16-le")
    if found := utf16_name(head):
        return found
    if data.isascii() or _is_mostly_utf8(data):
        return UTF8
    name = CHOICES.get(usual, UTF8)
    if name not in (UTF8, "utf-16") and is_in(data, name):
        return name
    return recognised_legacy(data[:_JUDGED]) or UTF8


def line_encoding(data: bytes, usual: str) -> str:
    """Return the encoding in which to decode a line of a text that is otherwise in `usual`."""
    if data.isascii():
        return UTF8
    if _is_mostly_utf8(data) and (usual == UTF8 or _has_long_letters(data)):
        return UTF8
    if usual != UTF8 and is_in(data, usual):
        return usual
    return recognised_legacy(data[:_JUDGED]) or usual


def _has_long_letters(data: bytes) -> bool:
    # A two-byte character of UTF-8 may also be a character of another encoding.
    return any("\u0800" <= one < "\ud800" for one in data.decode(UTF8, "surrogateescape"))


def recognised_legacy(data: bytes) -> str | None:
    """Return the encoding of LEGACY that bytes are clearly in, since they are common characters in
    it; None if there is none."""
    scores = {name: _score(data, name) for name in LEGACY}
    name = max(scores, key=scores.__getitem__)
    if scores["cp949"] >= _KOREAN_MIN and scores["cp949"] >= scores[name] - 0.05:
        # Half of the common Chinese characters share bytes with common Hangul: a few characters
        # prove nothing.
        name = "cp949" if _letters(data, "cp949") >= _LETTERS_MIN else "gb18030"
    return name if scores[name] >= _PLAIN_MIN else None


def _score(data: bytes, name: str) -> float:
    """Return the share of common characters, from 0 to 1, among those that are not ASCII; 0 if the
    bytes are invalid in the encoding."""
    try:
        return in_language(codecs.getincrementaldecoder(name)().decode(data), name)
    except UnicodeDecodeError:
        return 0


def in_language(text: str, name: str) -> float:
    """Return the share of characters that are common in the language of an encoding of LEGACY, from
    0 to 1, among those that are not ASCII."""
    others = len(text) - len(text.encode("ascii", "ignore"))
    return sum(map(_WEIGHTS[name].__getitem__, text)) / others if others else 0


def letters_in_use(text: str) -> float:
    """Return the highest share of common characters, from 0 to 1, over the languages of LEGACY."""
    return max(_shares(text))


def is_in_use(character: str) -> bool:
    """Return whether a character is common in one of the languages of LEGACY."""
    return not character.isascii() and any(weigh(character) for weigh in _WEIGHS)


def language_of(text: str) -> str | None:
    """Return the encoding of LEGACY for the language in which a text's characters are common; None
    if there is none."""
    shares = _shares(text)
    share = max(shares)
    return LEGACY[shares.index(share)] if share >= _PLAIN_MIN else None


@lru_cache(16)
def _shares(text: str) -> tuple[float, ...]:
    # Cached: how a text is judged depends on it in several places.
    return tuple(in_language(text, name) for name in LEGACY)


def _letters(data: bytes, name: str) -> int:
    return len({one for one in data.decode(name, "ignore") if not one.isascii()})


class _Weights(dict[str, float]):
    """Weights of characters in a language, each computed once; 0 for ASCII."""

    def __init__(self, weigh: Callable[[str], float]) -> None:
        super().__init__()
        self._weigh = weigh

    def __missing__(self, character: str) -> float:
        # Beyond these no encoding of LEGACY has common characters.
        known = "\x7f" < character <= "\uffff"
        if not known:
            return 0
        weight = self[character] = self._weigh(character)
        return weight


def _chinese(character: str) -> float:
    # By GB 2312, whose first level has the common characters.
    code = character.encode("gb2312", "ignore")
    if not code:
        return 0
    return 1 if 0xB0 <= code[0] <= 0xD7 else 0.8 if code[0] in (0xA1, 0xA3) else 0.4


def _japanese(character: str) -> float:
    if "\u3041" <= character <= "\u30ff":
        return 1
    code = character.encode("shift_jis", "ignore")
    return 0.9 if len(code) == 2 and code[0] <= 0x98 else 0


def _korean(character: str) -> float:
    code = character.encode("euc_kr", "ignore")
    if not code:
        return 0
    return 1 if 0xB0 <= code[0] <= 0xC8 else 0.8 if code[0] in (0xA1, 0xA3) else 0


_WEIGHS = (_chinese, _japanese, _korean)
_WEIGHTS = dict(zip(LEGACY, map(_Weights, _WEIGHS), strict=True))
_PLAIN_MIN, _KOREAN_MIN, _LETTERS_MIN = 0.7, 0.95, 5
_JUDGED = 16 * 1024


def _is_mostly_utf8(data: bytes) -> bool:
    """Return whether bytes are UTF-8, except for a few that some program cut or overwrote."""
    text = data.decode(UTF8, "surrogateescape")
    broken = sum("\udc80" <= one <= "\udcff" for one in text)
    letters = sum(one > "\x7f" for one in text) - broken
    return broken == 0 or letters > 4 * broken


def utf16_name(start: bytes) -> str | None:
    """Return the UTF-16 codec of a text, by the byte order mark or the zero bytes at its beginning;
    None if it is not in UTF-16."""
    start = start[:UTF16_HEAD_BYTES]
    if found := _BOMS.get(start[:2]):
        return None if holds_other_text(start, found) else found
    if start.count(0) < _NULS_MIN:
        return None
    low, high = start[1::2].count(0), start[::2].count(0)
    if max(low, high) < _NULS_MIN or min(low, high) * 10 > max(low, high):
        return None
    name = UTF16[high > low]
    # Binary data has zero bytes too, but also many unprintable characters.
    decoded = start[: len(start) // 2 * 2].decode(name, errors="replace")
    unprintable = sum(
        not (char.isprintable() or char.isspace() or char == "\x1b") for char in decoded
    )
    letters = foreign_letters(decoded)
    if unprintable * 10 > len(decoded) or (len(letters) > 1 and letters_in_use(letters) < 0.5):
        return None
    return None if holds_other_text(start, name) else name


def holds_other_text(data: bytes, name: str) -> bool:
    """Return whether UTF-16 text contains ASCII printed by another program: runs of ASCII that are
    not common characters in UTF-16."""
    for run in _ASCII_RUN.finditer(data):
        start = run.start() + run.start() % 2
        text = data[start : run.end()].decode(name, errors="replace")
        if letters_in_use(text) < 0.5:
            return True
    return False


def foreign_letters(text: str) -> str:
    """Return the characters of a text that distinguish languages (from U+3000 on)."""
    if text.isascii():
        return ""
    return "".join(one for one in text if "\u3000" <= one != "\ufeff")


def is_in(data: bytes, name: str) -> bool:
    """Return whether bytes are valid in an encoding; the last character may be incomplete."""
    try:
        codecs.getincrementaldecoder(name)().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def recoded(data: bytes, name: str) -> bytes:
    """Return bytes of another encoding as UTF-8, with the same line ends."""
    return data.decode(name, errors="replace").encode(errors="replace")
