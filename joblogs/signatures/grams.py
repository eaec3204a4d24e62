"""Grams: short substrings of a text, as places in a bitmap.

At each byte of a text there is a gram of three bytes, and a longer one: of four, or of six bytes
within a number, an address or an id, where four say little. ASCII is in lower case; a gram never
contains a control code or line end.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

TOP_BITS = 22
"""The bitmap in which a text is marked has 2**22 places."""
SHORT, MIDDLE, LONG = 3, 4, 6
AT_ONCE = 128 * 1024
"""Bytes that are marked together, so that the arrays fit in the processor's cache."""
PLACES_MAX = 48
"""Maximum grams of a literal that are looked up; for a longer one, only some are."""

Bits = npt.NDArray[np.bool_]
Places = npt.NDArray[np.uint32]

_A, _B, _C = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_SHIFT = np.uint32(32 - TOP_BITS)
_TAB, _DELETE = 9, 127


def _folded(byte: int) -> int:
    if (byte < ord(" ") and byte != _TAB) or byte == _DELETE:
        return 0
    return ord(chr(byte).lower()) if byte < _DELETE else byte


_FOLD = bytes(map(_folded, range(256)))
_IN_RUN = bytes(byte in b"0123456789abcdef.:-" for byte in range(256))
_KEPT = LONG - 1
"""Bytes that consecutive parts of a text share, so that no gram is lost between them."""
_PADDING = bytes(16)


def places_of(text: bytes) -> Iterator[Places]:
    """Yield the places of the grams of a text, in arrays; 0 where there is no gram."""
    for start in range(0, max(1, len(text) - _KEPT), AT_ONCE - _KEPT):
        yield from _places(text[start : start + AT_ONCE])


def _places(text: bytes) -> Iterator[Places]:
    folded = text.translate(_FOLD)
    padded = folded + _PADDING
    short, middle, is_run = _kinds_of_grams(padded)
    for lane in range(4):
        # Every fourth gram at once, read as numbers in place.
        count = (len(folded) - lane + 3) // 4
        if count <= 0:
            break
        end = lane + 4 * count
        four = np.frombuffer(padded, "<u4", count, lane)
        places = (four & np.uint32(0xFFFFFF)) * _A
        places >>= _SHIFT
        np.putmask(places, short[lane:end:4], 0)
        yield places
        two = np.frombuffer(padded, "<u4", count, lane + 4) & np.uint32(0xFFFF)
        two = (two + np.uint32(1)) * _C
        two *= is_run[lane:end:4]
        places = four * _B
        places ^= two
        places ^= places >> np.uint32(15)
        places *= _A
        places >>= _SHIFT
        np.putmask(places, middle[lane:end:4], 0)
        yield places


def _kinds_of_grams(padded: bytes) -> tuple[Bits, Bits, Bits]:
    """Return for each byte whether there is no gram of three bytes, none of four, and whether six
    bytes belong to a number, address or id."""
    is_end = np.frombuffer(padded, np.uint8) == 0
    short = is_end[:-2] | is_end[1:-1] | is_end[2:]
    middle = short[:-1] | is_end[3:]
    run = np.frombuffer(padded.translate(_IN_RUN), np.bool_)
    pairs = run[:-1] & run[1:]
    return short, middle, pairs[:-4] & pairs[2:-2] & pairs[4:]


def query_places(literal: str, *, ignore_case: bool, is_ascii: bool) -> list[int]:
    """Return at most PLACES_MAX places that are marked in every text that contains a literal.

    `ignore_case`: the literal may be in any case. `is_ascii`: the whole pattern is ASCII, so only
    the case of ASCII letters is ignored.
    """
    data, is_known = _known_bytes(literal, everything=is_ascii or not ignore_case)
    folded = data.translate(_FOLD)
    in_run = folded.translate(_IN_RUN)
    short: list[int] = []
    longer: list[int] = []
    lanes = list(_places(data))
    for at in range(len(data)):
        by_three, by_more = lanes[at % 4 * 2][at // 4], lanes[at % 4 * 2 + 1][at // 4]
        if _is_gram(folded, is_known, at, SHORT):
            short.append(int(by_three))
        if (size := _size(in_run, at)) and _is_gram(folded, is_known, at, size):
            longer.append(int(by_more))
    chosen = _some(longer, PLACES_MAX)
    return [*chosen, *_some(short, PLACES_MAX - len(chosen))]


def _some(places: list[int], most: int) -> list[int]:
    """Return at most `most` of these places, evenly distributed, with the first and last one."""
    places = [place for place in dict.fromkeys(places) if place]
    if len(places) <= most:
        return places
    return (
        [places[number * (len(places) - 1) // (most - 1)] for number in range(most)]
        if most > 1
        else []
    )


def _known_bytes(literal: str, *, everything: bool) -> tuple[bytes, bytes]:
    """Return the bytes of a literal, and for each whether it is the same in any case."""
    encoded = [character.encode() for character in literal]
    known = (
        bytes([everything or _matches_only_itself(character)]) * len(data)
        for character, data in zip(literal, encoded, strict=True)
    )
    return b"".join(encoded), b"".join(known)


def _matches_only_itself(character: str) -> bool:
    """Return whether a letter, if case is ignored, only matches itself, or its other case in ASCII.

    RE2 also matches the long s with s, and the kelvin sign with k. Ideographs, kana and Hangul have
    no case.
    """
    if character.isascii():
        return character not in "kKsS"
    return "\u2e80" <= character <= "\ua4cf" or "\uac00" <= character <= "\ud7a3"


def _is_gram(folded: bytes, is_known: bytes, at: int, size: int) -> bool:
    return (
        at + size <= len(folded) and all(folded[at : at + size]) and all(is_known[at : at + size])
    )


def _size(in_run: bytes, at: int) -> int:
    """Return the size of the longer gram at a byte; 0 if it depends on the text after the
    literal."""
    following = in_run[at : at + LONG]
    if not all(following):
        return MIDDLE
    return LONG if len(following) == LONG else 0
