"""Lines of records: one JSON object each (`docs/records.md`).

The import file, the ingest API and the export file are these same lines. Nothing is built of what
is skipped or too much in a line: one of 16 MB could become millions of objects.
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
"""Keys that a record with sources of files may have besides: some for each of a thousand."""
SOURCES_TEXTS_MAX = 100_000
"""Keys and texts of a record with sources of files: a line has room for millions of paths."""
_SOURCES = b'"file_sources"'
TOO_MANY = (
    f"a record has at most {KEYS_MAX} keys, nested ones included; with `file_sources` "
    f"{SOURCES_KEYS_MAX} more, and {SOURCES_TEXTS_MAX} texts"
)
_CHECKED_BYTES = 64 * 1024
LISTS_MAX = 50_000
"""Lists within the list of a key: the masked ranges of a record."""
_KEYS_BYTES, _LISTS_BYTES = KEYS_MAX * len(b'"":1,'), LISTS_MAX * len(b"[],")
"""Lines that are no longer have room for no more keys, or lists."""

_STRING = rb'[^"]*+"(?:[^"\\]++|\\.)*+"'
_COLON = rb"[ \t\r\n]*+:"
# Strings that no colon follows, then one that is a key. Possessive, and only ever tried where the
# last one ended: each byte is looked at once or twice, and nothing is kept.
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
    """A line that is no record. `type` is what it calls itself, None if that is unreadable."""

    def __init__(self, message: str, type_: str | None = None) -> None:
        self.type = type_
        super().__init__(message)


def decode(line: bytes) -> Record:
    """One line as a record. Raises InvalidRecord, which names the key that is wrong."""
    try:
        # Before anything is built of it.
        if len(line) > _KEYS_BYTES:
            if has_too_many(line):
                raise ValueError(TOO_MANY)
            line = _with_few_lists(line, key="redacted", nested=_NESTED)
        try:
            record = _decoder.decode(line)
        except msgspec.ValidationError:
            _check_utf8(line)  # what is skipped is not looked at otherwise
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
    """Lines as the records that they are, None if `decode` must look at one of them by itself."""
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
        # All that a piece of log says in words besides its content is whose scope it is.
        is_piece = type(record) is ScriptLog
        if (not is_piece or record.bk_scope_id is not None) and b"\\u0000" in line:
            return None
        if not is_piece and _ahead(record, latest):
            return None
    return found


def _ahead(record: Record, latest: int) -> str:
    """The time of a record that is later than `latest` and may not be, "" if none is."""
    if type(record) is Job and record.create_time > latest:
        return "create_time"
    return "update_time" if (getattr(record, "update_time", None) or 0) > latest else ""


def file_sources(text: str) -> list[FileSource]:
    """Sources of files that are kept as JSON, as the value that a step's record has."""
    return _sources.decode(text)


def type_name(record: Record) -> str:
    """What the record's line calls itself."""
    return str(record.__struct_config__.tag)


def encode(record: Record) -> bytes:
    """A record as the line that an export writes, without its newline."""
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
    """Whether a line has more than KEYS_MAX keys, nested and doubled ones counted; with
    `file_sources` SOURCES_KEYS_MAX more.

    `plain`: no key of it ends with a backslash, as those of a record. Then the quotes within its
    texts, all of them escaped, need not be looked at.
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
    """A line whose value of a key has at most LISTS_MAX lists.

    The line itself, or where doubled keys may hide more of them `_last_of_own` of it. Raises
    ValueError, UnicodeDecodeError, or msgspec.DecodeError for what is no JSON.
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
    """Whether a line is the beginning of some JSON, and not all of it."""
    try:
        _value.decode(line)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except RecursionError:
        pass
    return False


def _check_utf8(line: bytes) -> None:
    """Raises UnicodeDecodeError. As one text a line could take four times its size."""
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(line)
    for start in range(0, len(line), _CHECKED_BYTES):
        decoder.decode(view[start : start + _CHECKED_BYTES])
    decoder.decode(b"", final=True)
