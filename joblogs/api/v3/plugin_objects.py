"""Execute objects in the form for BlueKing CI's plugins."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from joblogs.api.fields import Address, constant

HOST_OBJECT, CONTAINER_OBJECT = 1, 2


class PluginHost(Struct, kw_only=True):
    """Host of an execute object; unknown fields are null."""

    bk_host_id: int
    bk_cloud_id: int | None
    bk_cloud_name: None = None
    ip: Address | None
    ipv6: Address | None
    bk_agent_id: None = None
    alive: None = None


class PluginObject(Struct):
    """Execute object, which is always a host: containers are not stored."""

    type: Annotated[int, constant(HOST_OBJECT)]
    host: PluginHost
    resource_id: str


def plugin_object(number: int, cloud: int | None, ip: str | None, ipv6: str | None) -> PluginObject:
    """Return a host as an execute object."""
    host = PluginHost(bk_host_id=number, bk_cloud_id=cloud, ip=ip, ipv6=ipv6)
    return PluginObject(HOST_OBJECT, host, str(number))
