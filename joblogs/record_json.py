"""Decoding and encoding of records, one JSON object per line (`docs/records.md`).

Import files, the ingest API and export files use the same lines. No Python objects are created for
ignored keys, or before limits are checked: a line of 16 MB could become millions of objects.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Sequence

import msgspec
from msgspec import Struct

from joblogs import times
from joblogs.records import FileSource, Job, Record, ScriptLog, Stated

LINE_MAX_BYTES = 16 * 1024 * 1024
KEYS_MAX = 256
SOURCES_KEYS_MAX = 16_384
"""Additional keys of a record with file sources: some for each of a thousand sources."""
SOURCES_TEXTS_MAX = 100_000
"""Most keys and texts of a record with file sources: a line could hold millions of paths."""
_SOURCES = b'"file_sources"'
TOO_MANY = (
    f"a record has at most {KEYS_MAX} keys, nested ones included; with `file_sources` "
    f"{SOURCES_KEYS_MAX} more, and {SOURCES_TEXTS_MAX} texts"
)
_CHECKED_BYTES = 64 * 1024
LISTS_MAX = 50_000
"""Most lists in the value of a key: the masked ranges of a record."""
_KEYS_BYTES, _LISTS_BYTES = KEYS_MAX * len(b'"":1,'), LISTS_MAX * len(b"[],")
"""Length up to which a line cannot exceed KEYS_MAX, or LISTS_MAX."""

_STRING = rb'[^"]*+"(?:[^"\\]++|\\.)*+"'
_COLON = rb"[ \t\r\n]*+:"
# Strings without a colon after them, then one that is a key. Possessive, and only matched at the
# end of the last match: each byte is scanned once or twice, without backtracking.
_UP_TO_KEY = re.compile(rb"(?:%b(?!%b))*+%b%b" % (_STRING, _COLON, _STRING, _COLON), re.DOTALL)

_keys: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_value = msgspec.json.Decoder(msgspec.Raw)
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
_stated: msgspec.json.Decoder[Stated] = msgspec.json.Decoder(Stated)
_sources: msgspec.json.Decoder[list[FileSource]] = msgspec.json.Decoder(list[FileSource])
_encoder = msgspec.json.Encoder()
_NESTED = ("src", "dest", "expired", "file_sources", "hosts")


class _Named(Struct):
    type: msgspec.Raw = msgspec.Raw(b"")


_name = msgspec.json.Decoder(_Named)
_word = msgspec.json.Decoder(str)


class InvalidRecord(Exception):
    """Error: a line is not a valid record. `type` is its `type` field, None if unreadable."""

    def __init__(self, message: str, type_: str | None = None) -> None:
        self.type = type_
        super().__init__(message)


def decode(line: bytes) -> Record:
    """Decode one line. Raise InvalidRecord, whose message names the invalid key."""
    try:
        # Before any objects are created.
        if len(line) > _KEYS_BYTES:
            if has_too_many(line):
                raise ValueError(TOO_MANY)
            line = _with_few_lists(line, key="redacted", nested=_NESTED)
        try:
            record = _decoder.decode(line)
        except msgspec.ValidationError:
            _check_utf8(line)  # ignored keys are not checked otherwise
            plain = _last_of_own(line, nested=_NESTED)
            if plain is None:
                raise
            record = _decoder.decode(plain)
        if b"\\u0000" in line:
            _refuse_nul(record)
        if ahead := _ahead(record, times.latest()):
            raise ValueError(f"`{ahead}` is more than 7 days ahead: {times.bounds()}")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InvalidRecord(_reason(error), _type_of(line)) from None
    return record


def decode_all(lines: Sequence[bytes]) -> list[Stated] | None:
    """Decode lines at once; return None if one of them needs the checks of `decode`."""
    longest = max(map(len, lines), default=0)
    if longest > _LISTS_BYTES and any(line.count(b"[") > LISTS_MAX for line in lines):
        return None
    try:
        found = list(map(_stated.decode, lines))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if longest > _KEYS_BYTES and any(has_too_many(line, plain=True) for line in lines):
        return None
    latest = times.latest()
    for line, record in zip(lines, found, strict=True):
        # The only text of a piece of log, besides its content, is the scope.
        is_piece = type(record) is ScriptLog
        if (not is_piece or record.bk_scope_id is not None) and b"\\u0000" in line:
            return None
        if not is_piece and _ahead(record, latest):
            return None
    return found


def _ahead(record: Record, latest: int) -> str:
    """Return the time field of a record that is later than allowed, or "" if there is none."""
    if type(record) is Job and record.create_time > latest:
        return "create_time"
    return "update_time" if (getattr(record, "update_time", None) or 0) > latest else ""


def file_sources(text: str) -> list[FileSource]:
    """Decode stored file sources to the value in the record of a step."""
    return _sources.decode(text)


def type_name(record: Record) -> str:
    """Return the `type` of a record's line."""
    return str(record.__struct_config__.tag)


def encode(record: Record) -> bytes:
    """Encode a record as a line of an export, without its newline."""
    return _encoder.encode(record)


def _refuse_nul(record: Struct) -> None:
    for field in record.__struct_fields__:
        value = getattr(record, field)
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, Struct):
                _refuse_nul(item)
            elif field != "content" and isinstance(item, str) and "\0" in item:
                raise ValueError(f"`{field}` holds a NUL; only log content may")


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "the line is not UTF-8"
    if isinstance(error, RecursionError):
        return "the line is nested too deeply"
    return times.explained(str(error)[:500])


def _type_of(line: bytes) -> str | None:
    try:
        return _word.decode(_name.decode(line).type)[:64]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def has_too_many(line: bytes, *, plain: bool = False) -> bool:
    """Return whether a line has more than KEYS_MAX keys, including nested and duplicate ones, and
    SOURCES_KEYS_MAX more with `file_sources`.

    `plain`: none of its keys ends with a backslash, as is true of a record. Then quotes within its
    texts, which are all escaped, need not be counted.
    """
    if len(line) <= _KEYS_BYTES:
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


def _last_of_own(line: bytes | msgspec.Raw, *, nested: Collection[str]) -> bytes | None:
    """Return an object with the last of duplicate keys only, and without keys that begin with `x_`.

    These are producers' own keys. `nested` names keys whose objects are treated in the same way.
    Return None if it is not an object. Raise msgspec.DecodeError if it is not JSON.
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
    """Apply `_last_of_own` to a nested object or a list of them; return other values unchanged."""
    if (plain := _last_of_own(value, nested=nested)) is not None:
        return msgspec.Raw(plain)
    if bytes(value).count(b",") > SOURCES_TEXTS_MAX:
        return value  # more than a record may have
    try:
        items = _items.decode(value)
    except msgspec.ValidationError:
        return value
    return msgspec.Raw(_encoder.encode([_nested_own(item, nested) for item in items]))


def _with_few_lists(line: bytes, *, key: str, nested: Collection[str]) -> bytes:
    """Return a line whose value of `key` has at most LISTS_MAX lists.

    It is the line itself, or `_last_of_own` of it if duplicate keys may hide more lists. Raise
    ValueError, UnicodeDecodeError, or msgspec.DecodeError if it is not JSON.
    """
    if line.count(b"[") <= LISTS_MAX:
        return line
    _check_utf8(line)
    plain = _last_of_own(line, nested=nested)
    if plain is None:
        return line
    if bytes(_keys.decode(plain).get(key, b"")).count(b"[") - 1 > LISTS_MAX:
        raise ValueError(f"`{key}` has at most {LISTS_MAX} ranges")
    return plain


def ends_early(line: bytes) -> bool:
    """Return whether a line is truncated JSON."""
    try:
        _value.decode(line)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except RecursionError:
        pass
    return False


def _check_utf8(line: bytes) -> None:
    """Raise UnicodeDecodeError. Checked in parts: a str may take four times the size of a line."""
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(line)
    for start in range(0, len(line), _CHECKED_BYTES):
        decoder.decode(view[start : start + _CHECKED_BYTES])
    decoder.decode(b"", final=True)
