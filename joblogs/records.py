"""The record language: one JSON object a line (`docs/records.md`).

The import file, the ingest API and the export file are these same lines. Everything that a column
could refuse is checked here, so that a record that decodes can be stored by either database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from joblogs import record_keys, times
from joblogs.record_values import (
    MAX_ID as MAX_ID,
)
from joblogs.record_values import (
    Amount,
    Count,
    FileSources,
    Id,
    Int32,
    Name,
    Path,
    Plain,
    ScopeId,
    Time,
    Word,
    address,
)
from joblogs.record_values import (
    Expired as Expired,
)
from joblogs.record_values import (
    FileSource as FileSource,
)
from joblogs.record_values import (
    HostRef as HostRef,
)
from joblogs.record_values import (
    RoleName as RoleName,
)
from joblogs.record_values import (
    ScopeTypeName as ScopeTypeName,
)

FORMAT = "joblogs"
VERSIONS = (1,)
LINE_MAX_BYTES = 16 * 1024 * 1024
TASK_KEY_MAX = 8192


class InvalidRecord(Exception):
    """A line that is no record. `type` is what it calls itself, None if that is unreadable."""

    def __init__(self, message: str, type_: str | None = None) -> None:
        self.type = type_
        super().__init__(message)


class _Record(Plain, tag_field="type"):
    pass


class Archive(_Record, tag="archive", kw_only=True):
    """First line of a file: what the rest is."""

    format: str
    version: int
    created: Time | None = None
    generator: Word | None = None


class Job(_Record, tag="job", kw_only=True):
    """One run of a job."""

    job_instance_id: Id
    bk_scope_type: ScopeTypeName
    bk_scope_id: ScopeId
    name: Name
    operator: Word | None = None
    source: Word | None = None
    launch_mode: Int32 | None = None
    task_type: Int32 | None = None
    status: Int32 | None = None
    create_time: Time
    start_time: Time | None = None
    end_time: Time | None = None
    total_time: Amount | None = None
    execute_count: Count | None = None
    scope_name: Name | None = None
    update_time: Time | None = None
    expired: Expired | None = None


class _Child(_Record, kw_only=True):
    job_instance_id: Id
    step_instance_id: Id
    bk_scope_type: ScopeTypeName | None = None
    bk_scope_id: ScopeId | None = None

    def __post_init__(self) -> None:
        if (self.bk_scope_type is None) != (self.bk_scope_id is None):
            raise ValueError("`bk_scope_type` and `bk_scope_id` go together")


class Step(_Child, tag="step", kw_only=True):
    """One step of a job."""

    name: Name
    step_type: Literal[1, 2, 3, 4]
    position: Int32 | None = None
    status: Int32 | None = None
    execute_count: Count | None = None
    create_time: Time | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    total_time: Amount | None = None
    update_time: Time | None = None
    script_language: Annotated[int, Meta(ge=1, le=6)] | None = None
    account: Word | None = None
    timeout: Count | None = None
    script_param: Path | None = None
    script_param_sensitive: bool | None = None
    file_sources: FileSources | None = None
    file_target_path: Path | None = None


class HostResult(_Child, tag="host_result", kw_only=True):
    """One attempt of a step on one host."""

    execute_count: Count | None = None
    batch: Count | None = None
    bk_host_id: Id
    bk_cloud_id: Amount | None = None
    ip: str | None = None
    ipv6: str | None = None
    host_name: Word | None = None
    status: Int32 | None = None
    tag: Word | None = None
    exit_code: Int32 | None = None
    error_code: Int32 | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    total_time: Amount | None = None
    log_size: Amount | None = None
    log_sha256: Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{64}\Z")] | None = None
    role: RoleName | None = None
    actual_execute_count: Count | None = None
    update_time: Time | None = None
    received_size: Amount | None = None
    truncated: bool | None = None
    redacted: list[tuple[Amount, Amount]] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ip is not None:
            self.ip = address("ip", self.ip)
        if self.ipv6 is not None:
            self.ipv6 = address("ipv6", self.ipv6)
        _check_ranges(self.redacted)

    @property
    def names_host(self) -> bool:
        """Whether it says anything about which machine it is, besides the id."""
        return self.ip is not None or self.ipv6 is not None or self.host_name is not None


def _check_ranges(ranges: list[tuple[int, int]] | None) -> None:
    if ranges and any(start >= end for start, end in ranges):
        raise ValueError("`redacted` holds [start, end) ranges with start < end")


class ScriptLog(_Child, tag="script_log", kw_only=True):
    """A piece of what a script printed on one host."""

    execute_count: Count | None = None
    batch: Count | None = None
    bk_host_id: Id
    offset: Amount
    content: str | None = None
    content_base64: bytes | None = None

    def __post_init__(self) -> None:
        if (self.content is None) == (self.content_base64 is None):
            raise ValueError("give one of `content` and `content_base64`")
        # Written out, not inherited: this is the record that comes by the million.
        if (self.bk_scope_type is None) != (self.bk_scope_id is None):
            raise ValueError("`bk_scope_type` and `bk_scope_id` go together")

    def data(self) -> bytes:
        """The piece's bytes."""
        return self.content.encode() if self.content is not None else self.content_base64 or b""


class FileLog(_Child, tag="file_log", kw_only=True):
    """One file moved to or from one host, or news of it."""

    execute_count: Count | None = None
    batch: Count | None = None
    bk_host_id: Id
    mode: Literal[0, 1]
    task_key: Path | None = None
    src: HostRef | None = None
    src_path: Path
    dest: HostRef | None = None
    dest_path: Path | None = None
    status: Literal[0, 1, 2, 3, 4, 5] | None = None
    size: Word | None = None
    speed: Word | None = None
    process: Word | None = None
    offset: Amount | None = None
    content: str | None = None
    content_base64: bytes | None = None
    update_time: Time | None = None
    received_size: Amount | None = None
    truncated: bool | None = None
    redacted: list[tuple[Amount, Amount]] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.content is not None and self.content_base64 is not None:
            raise ValueError("give one of `content` and `content_base64`")
        if (self.offset is None) != (self.content is None and self.content_base64 is None):
            raise ValueError("`offset` goes with `content` or `content_base64`")
        if self.mode == 1 and (self.dest is None or self.dest_path is None):
            raise ValueError("a download (`mode` 1) names `dest` and `dest_path`")
        if self.mode == 0 and (self.dest is not None or self.dest_path is not None):
            raise ValueError("an upload (`mode` 0) has no `dest` and `dest_path`")
        owner = self.dest if self.mode == 1 else self.src
        if owner is not None and owner.bk_host_id != self.bk_host_id:
            raise ValueError("`bk_host_id` is the target of a download, the source of an upload")
        _check_ranges(self.redacted)

    def data(self) -> bytes | None:
        """The piece's bytes, None for a record that carries no content."""
        return self.content.encode() if self.content is not None else self.content_base64

    def key(self) -> str:
        """The task key: given, or made from mode, source, path, target, path as bk-job does."""
        if self.task_key is not None:
            return self.task_key
        return default_task_key(
            mode=self.mode,
            src_host_id=self.src.bk_host_id if self.src else None,
            src_path=self.src_path,
            dest_host_id=self.dest.bk_host_id if self.dest else None,
            dest_path=self.dest_path,
        )


def default_task_key(
    *,
    mode: int,
    src_host_id: int | None,
    src_path: str,
    dest_host_id: int | None,
    dest_path: str | None,
) -> str:
    """The key that identifies a file transfer within an attempt and batch of a step.

    Two paths may together be longer than a key may be; then their digest stands for them, so that
    an export can always be read again.
    """
    source = "" if src_host_id is None else src_host_id
    key = f"{mode}_{source}_{src_path}"
    if mode == 1:
        key += f"_{dest_host_id}_{dest_path}"
    if len(key) <= TASK_KEY_MAX:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{mode}_{source}_{'' if dest_host_id is None else dest_host_id}_sha256:{digest}"


Stated = Job | Step | HostResult | ScriptLog | FileLog
"""A record that says something about a job."""
Record = Archive | Stated
TYPES = ("archive", "job", "step", "host_result", "script_log", "file_log")

_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
_stated: msgspec.json.Decoder[Stated] = msgspec.json.Decoder(Stated)
_sources: msgspec.json.Decoder[list[FileSource]] = msgspec.json.Decoder(list[FileSource])
_encoder = msgspec.json.Encoder()
_NESTED = ("src", "dest", "expired", "file_sources", "hosts")


class _Named(Struct):
    type: msgspec.Raw = msgspec.Raw(b"")


_name = msgspec.json.Decoder(_Named)
_word = msgspec.json.Decoder(str)


def decode(line: bytes) -> Record:
    """One line as a record. Raises InvalidRecord, which names the key that is wrong."""
    try:
        # Before anything is built of it.
        if record_keys.has_too_many(line):
            raise ValueError(record_keys.TOO_MANY)
        line = record_keys.with_few_lists(line, key="redacted", nested=_NESTED)
        try:
            record = _decoder.decode(line)
        except msgspec.ValidationError:
            record_keys.check_utf8(line)  # what is skipped is not looked at otherwise
            plain = record_keys.last_of_own(line, nested=_NESTED)
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
    if record_keys.may_have_too_many_lists(longest, lines):
        return None
    try:
        found = list(map(_stated.decode, lines))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if record_keys.may_have_too_many(longest) and any(
        record_keys.has_too_many(line, plain=True) for line in lines
    ):
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


def encode(record: Record) -> bytes:
    """A record as the line that an export writes, without its newline."""
    return _encoder.encode(record)


def type_name(record: Record) -> str:
    """What the record's line calls itself."""
    return str(record.__struct_config__.tag)


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
