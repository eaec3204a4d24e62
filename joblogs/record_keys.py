"""The keys of a line of JSON: how many there are, and those of a producer's own.

Nothing is built of what is skipped or too much: a line of 16 MB could become millions of objects.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterable

import msgspec

KEYS_MAX = 256
SOURCES_KEYS_MAX = 16_384
"""Keys that a record with sources of files may have besides: some for each of a thousand."""
SOURCES_TEXTS_MAX = 100_000
"""Keys and texts of a record with sources of files: a line has room for millions of paths."""
_SOURCES = b'"file_sources"'
TOO_MANY = (
    f"a record has at most {KEYS_MAX} keys, nested ones included; with `file_sources` "
    f"{SOURCES_KEYS_MAX} more, and {SOURCES_TEXTS_MAX} texts"
)
_CHECKED_BYTES = 64 * 1024
_SHORTEST = len(b'"":1,')
LISTS_MAX = 50_000
"""Lists within the list of a key: the masked ranges of a record."""
_SHORTEST_LIST = len(b"[],")

_STRING = rb'[^"]*+"(?:[^"\\]++|\\.)*+"'
_COLON = rb"[ \t\r\n]*+:"
# Strings that no colon follows, then one that is a key. Possessive, and only ever tried where the
# last one ended: each byte is looked at once or twice, and nothing is kept.
_UP_TO_KEY = re.compile(rb"(?:%b(?!%b))*+%b%b" % (_STRING, _COLON, _STRING, _COLON), re.DOTALL)


def may_have_too_many(longest: int) -> bool:
    """Whether lines of at most so many bytes have room for more than KEYS_MAX keys."""
    return longest > KEYS_MAX * _SHORTEST


def has_too_many(line: bytes, *, plain: bool = False) -> bool:
    """Whether a line has more than KEYS_MAX keys, nested and doubled ones counted; with
    `file_sources` SOURCES_KEYS_MAX more.

    `plain`: no key of it ends with a backslash, as those of a record. Then the quotes within its
    texts, all of them escaped, need not be looked at.
    """
    if not may_have_too_many(len(line)):
        return False
    quotes = line.count(b'"')
    if quotes > 2 * KEYS_MAX and plain:
        quotes -= line.count(b'\\"')
    if quotes <= 2 * KEYS_MAX:
        return False
    most, position = KEYS_MAX, 0
    if _SOURCES in line:
        if quotes > 2 * SOURCES_TEXTS_MAX:
            return True
        most += SOURCES_KEYS_MAX
    for _ in range(most + 1):
        found = _UP_TO_KEY.match(line, position)
        if found is None:
            return False
        position = found.end()
    return True


def may_have_too_many_lists(longest: int, lines: Iterable[bytes]) -> bool:
    """Whether one of lines of at most so many bytes may have more than LISTS_MAX lists.

    Else its texts hold brackets.
    """
    return longest > LISTS_MAX * _SHORTEST_LIST and any(
        line.count(b"[") > LISTS_MAX for line in lines
    )


_keys: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_value = msgspec.json.Decoder(msgspec.Raw)
_encoder = msgspec.json.Encoder()


def last_of_own(line: bytes | msgspec.Raw, *, nested: Collection[str]) -> bytes | None:
    """The object with each key once, the last one, and none that begins with `x_`.

    Producers may add their own; `nested` names the keys whose objects are treated likewise. None
    for what is no object. Raises msgspec.DecodeError for what is no JSON.
    """
    try:
        values = _keys.decode(line)
    except msgspec.ValidationError:
        return None
    own = {key: value for key, value in values.items() if not key.startswith("x_")}
    for key in nested:
        if key in own:
            own[key] = _nested_own(own[key], nested)
    return _encoder.encode(own)


def _nested_own(value: msgspec.Raw, nested: Collection[str]) -> msgspec.Raw:
    """An object within an object, or a list of them, each with its own keys; else as it is."""
    if (plain := last_of_own(value, nested=nested)) is not None:
        return msgspec.Raw(plain)
    if bytes(value).count(b",") > SOURCES_TEXTS_MAX:
        return value  # more than a record may have
    try:
        items = _items.decode(value)
    except msgspec.ValidationError:
        return value
    return msgspec.Raw(_encoder.encode([_nested_own(item, nested) for item in items]))


def with_few_lists(line: bytes, *, key: str, nested: Collection[str]) -> bytes:
    """A line whose value of a key has at most LISTS_MAX lists.

    The line itself, or where doubled keys may hide more of them `last_of_own` of it. Raises
    ValueError, UnicodeDecodeError, or msgspec.DecodeError for what is no JSON.
    """
    if not may_have_too_many_lists(len(line), [line]):
        return line
    check_utf8(line)
    plain = last_of_own(line, nested=nested)
    if plain is None:
        return line
    if bytes(_keys.decode(plain).get(key, b"")).count(b"[") - 1 > LISTS_MAX:
        raise ValueError(f"`{key}` has at most {LISTS_MAX} ranges")
    return plain


def ends_early(line: bytes) -> bool:
    """Whether a line is the beginning of some JSON, and not all of it."""
    try:
        _value.decode(line)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except RecursionError:
        pass
    return False


def check_utf8(line: bytes) -> None:
    """Raises UnicodeDecodeError. As one text a line could take four times its size."""
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(line)
    for start in range(0, len(line), _CHECKED_BYTES):
        decoder.decode(view[start : start + _CHECKED_BYTES])
    decoder.decode(b"", final=True)
