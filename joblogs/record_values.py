"""Values of records: their bounds, a host, a source of files (`docs/records.md`)."""

from __future__ import annotations

import functools
import ipaddress
from typing import Annotated, Literal

from msgspec import Meta, Struct

from joblogs import times

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
def address(field: str, value: str) -> str:
    """An address as it is stored. Raises ValueError, which names the field."""
    kind = ipaddress.IPv4Address if field == "ip" else ipaddress.IPv6Address
    try:
        address = str(kind(value))
    except ValueError:
        raise ValueError(f"`{field}` is not an {kind.__name__[:4]} address: {value!r}") from None
    if len(address) > 64:
        raise ValueError(f"`{field}` is longer than 64 characters")
    return address


class Plain(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Absent and null say the same: nothing (docs/records.md). Written records leave nulls out."""


class HostRef(Plain, kw_only=True):
    """A host and its addresses as of the run."""

    bk_host_id: Id
    bk_cloud_id: Amount | None = None
    ip: str | None = None
    ipv6: str | None = None

    def __post_init__(self) -> None:
        if self.ip is not None:
            self.ip = address("ip", self.ip)
        if self.ipv6 is not None:
            self.ipv6 = address("ipv6", self.ipv6)


class Expired(Plain, kw_only=True):
    """When and by which policy the logs of a job went."""

    at: Time
    policy: Word


class FileSource(Plain, kw_only=True):
    """Files that a step takes, and from where: 1 hosts, 2 uploaded by hand, 3 a file source."""

    account: Word | None = None
    file_type: Literal[1, 2, 3] | None = None
    files: list[Path] | None = None
    hosts: list[HostRef] | None = None


SOURCES_MAX = 1_000
FileSources = Annotated[list[FileSource], Meta(max_length=SOURCES_MAX)]
