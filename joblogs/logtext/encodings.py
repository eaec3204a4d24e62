"""Which encodings a text of bytes may be in. Pure.

A script prints in whatever its machine is set to, and no record says in which. The encodings here
write ASCII as itself, but for UTF-16, and none of them but UTF-16 a line's end as part of a letter.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

UTF8 = "utf-8"
LEGACY = ("gb18030", "cp932", "cp949")
"""GB18030, Shift-JIS and EUC-KR, the latter two as Windows extends them."""
LATIN1 = "cp1252"
"""Latin-1 as Windows extends it: every text may be in it, so that it is never recognised."""
CHOICES = {
    "utf-8": UTF8,
    "gb18030": "gb18030",
    "shift-jis": "cp932",
    "euc-kr": "cp949",
    "utf-16": "utf-16",
    "latin-1": LATIN1,
}
"""What a reader may choose, by the name in an address."""
UTF16 = ("utf-16-le", "utf-16-be")
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
UTF16_HEAD_BYTES = 4096
"""As much of the beginning of a text tells whether it is in UTF-16."""
_NULS_MIN = 2
_ASCII_RUN = re.compile(rb"[\t\n\r -~]{8,}")


def encodings(data: bytes, *, start: bool = True) -> tuple[str, ...]:
    """The encodings that bytes may be in, the likelier ones first; never none.

    `start`: the text begins with them. Only there UTF-16 is recognised: by its mark, or
    by the zeros that it writes for line ends and spaces.
    """
    if start and (found := utf16_name(data)):
        return (found,)
    if data.isascii() or is_in(data, UTF8):
        return (UTF8,)
    # A text may be in several of them by its bytes alone, or broken in a place in each of them.
    likely = sorted(LEGACY, key=lambda name: not is_in(data, name))
    plain = recognised_legacy(data[:_JUDGED])
    return (UTF8, *likely) if plain else (UTF8, *likely, LATIN1)


def reading_encoding(data: bytes, *, head: bytes = b"", chosen: str = "", usual: str = "") -> str:
    """The encoding to read bytes in.

    `head` is how their text begins, `chosen`, one of CHOICES, what the reader says of this text;
    `usual` what they read in where a text is not plainly in another. What is in none is UTF-8.
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
    """The encoding to read a line in, of a text whose other lines are in `usual`."""
    if data.isascii():
        return UTF8
    if _is_mostly_utf8(data) and (usual == UTF8 or _has_long_letters(data)):
        return UTF8
    if usual != UTF8 and is_in(data, usual):
        return usual
    return recognised_legacy(data[:_JUDGED]) or usual


def _has_long_letters(data: bytes) -> bool:
    # Two bytes of UTF-8 are a letter of other encodings as well.
    return any("\u0800" <= one < "\ud800" for one in data.decode(UTF8, "surrogateescape"))


def recognised_legacy(data: bytes) -> str | None:
    """Which of LEGACY bytes are plainly in: the one in which they are letters that are in use."""
    scores = {name: _score(data, name) for name in LEGACY}
    name = max(scores, key=scores.__getitem__)
    if scores["cp949"] >= _KOREAN_MIN and scores["cp949"] >= scores[name] - 0.05:
        # Where Hangul in use stand Chinese has half of its own: a few letters prove nothing.
        name = "cp949" if _letters(data, "cp949") >= _LETTERS_MIN else "gb18030"
    return name if scores[name] >= _PLAIN_MIN else None


def _score(data: bytes, name: str) -> float:
    """How much of what is not ASCII is letters in use, from 0 to 1; 0 if any is none."""
    try:
        return in_language(codecs.getincrementaldecoder(name)().decode(data), name)
    except UnicodeDecodeError:
        return 0


def in_language(text: str, name: str) -> float:
    """How much of what is not ASCII is letters in use in the language of one of LEGACY: 0 to 1."""
    weight = _WEIGHTS[name]
    others = [weight(character) for character in text if not character.isascii()]
    return sum(others) / len(others) if others else 0


def letters_in_use(text: str) -> float:
    """The same of the language that it is most in."""
    return max(in_language(text, name) for name in LEGACY)


def language_of(text: str) -> str | None:
    """Which of LEGACY are those of the language that a text's letters are in use in, if any."""
    name = max(LEGACY, key=lambda name: in_language(text, name))
    return name if in_language(text, name) >= _PLAIN_MIN else None


def _letters(data: bytes, name: str) -> int:
    return len({one for one in data.decode(name, "ignore") if not one.isascii()})


_REMEMBERED = 16 * 1024
"""Letters whose weight is remembered, in each language."""


@lru_cache(_REMEMBERED)
def _chinese(character: str) -> float:
    # Of GB 2312, whose first level has the characters in use.
    code = character.encode("gb2312", "ignore")
    if not code:
        return 0
    return 1 if 0xB0 <= code[0] <= 0xD7 else 0.8 if code[0] in (0xA1, 0xA3) else 0.4


@lru_cache(_REMEMBERED)
def _japanese(character: str) -> float:
    if "\u3041" <= character <= "\u30ff":
        return 1
    code = character.encode("shift_jis", "ignore")
    return 0.9 if len(code) == 2 and code[0] <= 0x98 else 0


@lru_cache(_REMEMBERED)
def _korean(character: str) -> float:
    code = character.encode("euc_kr", "ignore")
    if not code:
        return 0
    return 1 if 0xB0 <= code[0] <= 0xC8 else 0.8 if code[0] in (0xA1, 0xA3) else 0


_WEIGHTS = {"gb18030": _chinese, "cp932": _japanese, "cp949": _korean}
_PLAIN_MIN, _KOREAN_MIN, _LETTERS_MIN = 0.7, 0.95, 5
_JUDGED = 16 * 1024


def _is_mostly_utf8(data: bytes) -> bool:
    """UTF-8, but perhaps for a few bytes that some program cut or wrote anew."""
    text = data.decode(UTF8, "surrogateescape")
    broken = sum("\udc80" <= one <= "\udcff" for one in text)
    letters = sum(one > "\x7f" for one in text) - broken
    return broken == 0 or letters > 4 * broken


def utf16_name(start: bytes) -> str | None:
    """Which UTF-16 a text is in by how it begins, if it is: by its mark or its zeros."""
    start = start[:UTF16_HEAD_BYTES]
    if found := _BOMS.get(start[:2]):
        return None if holds_other_text(start, found) else found
    low, high = start[1::2].count(0), start[::2].count(0)
    if max(low, high) < _NULS_MIN or min(low, high) * 10 > max(low, high):
        return None
    name = UTF16[high > low]
    # Binary data has zeros too, and much else that is no text.
    decoded = start[: len(start) // 2 * 2].decode(name, errors="replace")
    unprintable = sum(
        not (char.isprintable() or char.isspace() or char == "\x1b") for char in decoded
    )
    letters = foreign_letters(decoded)
    if unprintable * 10 > len(decoded) or (len(letters) > 1 and letters_in_use(letters) < 0.5):
        return None
    return None if holds_other_text(start, name) else name


def holds_other_text(data: bytes, name: str) -> bool:
    """Whether bytes of UTF-16 hold ASCII that is no letters of it: of another program."""
    for run in _ASCII_RUN.finditer(data):
        start = run.start() + run.start() % 2
        text = data[start : run.end()].decode(name, errors="replace")
        if letters_in_use(text) < 0.5:
            return True
    return False


def foreign_letters(text: str) -> str:
    """The letters of a text that tell languages apart."""
    if text.isascii():
        return ""
    return "".join(one for one in text if "\u3000" <= one != "\ufeff")


def is_in(data: bytes, name: str) -> bool:
    """Whether bytes are a text of an encoding, whose last letter may be cut."""
    try:
        codecs.getincrementaldecoder(name)().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def recoded(data: bytes, name: str) -> bytes:
    """Bytes of another encoding as UTF-8; line ends stay where they are."""
    return data.decode(name, errors="replace").encode(errors="replace")
