"""Structs and fields that several responses of version 4 share: no key is ever null."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from joblogs.api.fields import Address, constant, or_unset
from joblogs.api.v3.fields import scope_fields
from joblogs.api.v3.plugin_objects import HOST_OBJECT
from joblogs.models import JobInstance, StepInstance
from joblogs.query import TargetResult

BizId = Annotated[int, Meta(description="The old notation, where there is one.")] | UnsetType


class ObjectHost(Struct):
    """Host of an execute object."""

    bk_host_id: int
    bk_cloud_id: int | UnsetType = UNSET
    ip: Address | UnsetType = UNSET
    ipv6: Address | UnsetType = UNSET


class ExecuteObject(Struct):
    """Execute object, which is always a host: containers are not stored."""

    type: Annotated[int, constant(HOST_OBJECT)]
    host: ObjectHost
    resource_id: str


def execute_object(
    number: int, cloud: int | None, ip: str | None, ipv6: str | None
) -> ExecuteObject:
    """Return a host as an execute object."""
    host = ObjectHost(number, or_unset(cloud), or_unset(ip), or_unset(ipv6))
    return ExecuteObject(HOST_OBJECT, host, str(number))


def scope_without_nulls(job: JobInstance) -> dict[str, Any]:
    """Return the fields of a job's scope, with bk_biz_id only if it has one."""
    return {key: or_unset(value) for key, value in scope_fields(job.scope).items()}


def ended(run: JobInstance | StepInstance | TargetResult) -> dict[str, Any]:
    """Return start, end and total time in milliseconds, UNSET if not known."""
    return {
        "start_time": or_unset(run.start_time),
        "end_time": or_unset(run.end_time),
        "total_time": or_unset(run.total_time),
    }
