"""Structs of records of jobs, steps, hosts and files, with all their fields (`docs/records.md`).

Everything that a column could refuse is validated here, so that a valid record can be stored by
either database.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
from typing import Annotated, Literal

from msgspec import Meta, Struct

from joblogs import times

FORMAT, VERSIONS = "joblogs", (1,)
TASK_KEY_MAX = 8192
MAX_ID = 2**53 - 1

Id = Annotated[int, Meta(ge=1, le=MAX_ID)]
Amount = Annotated[int, Meta(ge=0, le=MAX_ID)]
"""Durations in milliseconds, sizes and offsets in bytes."""
Time = Annotated[int, Meta(ge=0, le=times.TIME_MAX)]
"""Milliseconds since the epoch."""
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Word = Annotated[str, Meta(max_length=256)]
Name = Annotated[str, Meta(max_length=512)]
Path = Annotated[str, Meta(max_length=8192)]
ScopeTypeName = Literal["biz", "biz_set", "tenant_set"]
ScopeId = Annotated[str, Meta(min_length=1, max_length=64)]
RoleName = Literal["target", "source"]


@functools.lru_cache(maxsize=4096)
def _address(field: str, value: str) -> str:
    kind = ipaddress.IPv4Address if field == "ip" else ipaddress.IPv6Address
    try:
        address = str(kind(value))
    except ValueError:
        raise ValueError(f"`{field}` is not an {kind.__name__[:4]} address: {value!r}") from None
    if len(address) > 64:
        raise ValueError(f"`{field}` is longer than 64 characters")
    return address


class _Plain(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Base struct: absent and null mean the same (docs/records.md); nulls are not written."""


class HostRef(_Plain, kw_only=True):
    """A host and its addresses as of the run."""

    bk_host_id: Id
    bk_cloud_id: Amount | None = None
    ip: str | None = None
    ipv6: str | None = None

    def __post_init__(self) -> None:
        if self.ip is not None:
            self.ip = _address("ip", self.ip)
        if self.ipv6 is not None:
            self.ipv6 = _address("ipv6", self.ipv6)


class Expired(_Plain, kw_only=True):
    """When and by which policy the logs of a job went."""

    at: Time
    policy: Word


class FileSource(_Plain, kw_only=True):
    """Files that a step takes, and from where: 1 hosts, 2 uploaded by hand, 3 a file source."""

    account: Word | None = None
    file_type: Literal[1, 2, 3] | None = None
    files: list[Path] | None = None
    hosts: list[HostRef] | None = None


FileSources = Annotated[list[FileSource], Meta(max_length=1_000)]


class Archive(_Plain, tag_field="type", tag="archive", kw_only=True):
    """First line of a file: what the rest is."""

    format: str
    version: int
    created: Time | None = None
    generator: Word | None = None


class Job(_Plain, tag_field="type", tag="job", kw_only=True):
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


class _Child(_Plain, tag_field="type", kw_only=True):
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
            self.ip = _address("ip", self.ip)
        if self.ipv6 is not None:
            self.ipv6 = _address("ipv6", self.ipv6)
        _check_ranges(self.redacted)

    @property
    def names_host(self) -> bool:
        """Whether the record has a name or an address of the host, besides its id."""
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
        # Copied instead of inherited: there are millions of these records.
        if (self.bk_scope_type is None) != (self.bk_scope_id is None):
            raise ValueError("`bk_scope_type` and `bk_scope_id` go together")

    def data(self) -> bytes:
        """Return the piece's bytes."""
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
        """Return the piece's bytes, or None for a record without content."""
        return self.content.encode() if self.content is not None else self.content_base64

    def key(self) -> str:
        """Return the task key as given, or made from mode, source and target as in bk-job."""
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
    """Return the key that identifies a file transfer within an attempt and batch of a step.

    Paths that are too long for a key are replaced by a digest, so that exports can be imported.
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
"""A record about a job or a part of one."""
Record = Archive | Stated
TYPES = ("archive", "job", "step", "host_result", "script_log", "file_log")
