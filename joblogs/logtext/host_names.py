"""What a host is called, as its own log may call it."""

from __future__ import annotations

from typing import Protocol


class Named(Protocol):
    """A host as a result names it."""

    @property
    def host_name(self) -> str | None: ...
    @property
    def ip(self) -> str | None: ...
    @property
    def ipv6(self) -> str | None: ...


def names_of(host: Named) -> tuple[bytes, ...]:
    """What the masks of `shape` should know as a host's own: its name and addresses."""
    return tuple(name.encode() for name in (host.host_name, host.ip, host.ipv6) if name)
