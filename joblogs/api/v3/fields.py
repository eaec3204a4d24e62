"""Structs and fields that several responses of version 3 share."""

from __future__ import annotations

import re
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from joblogs.api.fields import Address, number_of
from joblogs.api.parameters import BIZ_SETS
from joblogs.api.streaming import known
from joblogs.choices import FileMode, FileStatus, HostStatus, RunStatus, ScopeType, StepType
from joblogs.models import FileLog, JobInstance, Scope, StepInstance

Milliseconds = Annotated[int, Meta(description="Milliseconds since the epoch.")]
Duration = Annotated[int, Meta(description="Milliseconds.")]
BizId = Annotated[int | None, Meta(description="The old notation; null where there is none.")]
RunStatusCode = Annotated[int, number_of(RunStatus, "Status")]
StepTypeCode = Annotated[int, number_of(StepType, "Kind")]
HostStatusCode = Annotated[int, number_of(HostStatus, "Status")]
_PLAIN_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


def scope_fields(scope: Scope) -> dict[str, Any]:
    """Return the fields of a scope; bk_biz_id is null unless it identifies the same scope."""
    number = int(scope.scope_id) if _PLAIN_NUMBER.fullmatch(scope.scope_id) else None
    has_biz_id = scope.scope_type == ScopeType.BIZ or (
        scope.scope_type == ScopeType.BIZ_SET and number in BIZ_SETS
    )
    return {
        "bk_biz_id": number if has_biz_id else None,
        "bk_scope_type": scope.scope_type,
        "bk_scope_id": scope.scope_id,
    }


def times(run: JobInstance | StepInstance) -> dict[str, Any]:
    """Return create, start, end and total time of a job or step, in milliseconds."""
    return {
        "create_time": run.create_time,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "total_time": run.total_time,
    }


class TransferEnd(Struct):
    """Source or target host of a transfer."""

    bk_host_id: int
    bk_cloud_id: int | None
    ip: Address | None
    ipv6: Address | UnsetType = UNSET

    @classmethod
    def of(
        cls, number: int | None, cloud: int | None, ip: str | None, ipv6: str | None
    ) -> TransferEnd | None:
        """Return the host of a transfer; None for a third party."""
        return None if number is None else cls(number, cloud, ip, ipv6 or UNSET)


class TransferLog(Struct, kw_only=True):
    """One file moved to or from a host."""

    mode: Annotated[int, number_of(FileMode, "Which way")]
    src_ip: Annotated[TransferEnd | None, Meta(description="Null for a third-party source.")]
    src_path: str
    dest_ip: Annotated[TransferEnd | None, Meta(description="Downloads only.")] | UnsetType = UNSET
    dest_path: Annotated[str | None, Meta(description="Downloads only.")] | UnsetType = UNSET
    status: Annotated[int, number_of(FileStatus, "Status")]
    log_content: str
    size: Annotated[str, Meta(description="Like `9.0 Bytes`; `--` if not known.")]
    speed: Annotated[str, Meta(description="Like `1,024 KB/s`; `--` if not known.")]
    process: Annotated[str, Meta(description="Like `100%`; `--` if not known.")]

    @classmethod
    def of(cls, log: FileLog) -> TransferLog:
        target: dict[str, Any] = {}
        if log.mode == FileMode.DOWNLOAD:
            end = (log.dest_host_id, log.dest_cloud_id, log.dest_ip, log.dest_ipv6)
            target = {"dest_ip": TransferEnd.of(*end), "dest_path": log.dest_path}
        return cls(
            mode=log.mode,
            src_ip=TransferEnd.of(log.src_host_id, log.src_cloud_id, log.src_ip, log.src_ipv6),
            src_path=log.src_path,
            **target,
            status=log.status,
            log_content=bytes(log.content).decode(errors="replace"),
            size=known(log.size),
            speed=known(log.speed),
            process=known(log.process),
        )
