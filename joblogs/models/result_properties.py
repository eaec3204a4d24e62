"""Properties computed from the columns of a host result."""

from __future__ import annotations

from typing import Protocol

from joblogs.choices import FINISHED, host_rank


class NamedResult(Protocol):
    """Protocol of the columns of a host result that `ResultProperties` needs."""

    @property
    def host_id(self) -> int: ...
    @property
    def host_name(self) -> str | None: ...
    @property
    def ip(self) -> str | None: ...
    @property
    def ipv6(self) -> str | None: ...
    @property
    def status(self) -> int: ...
    @property
    def start_time(self) -> int | None: ...
    @property
    def end_time(self) -> int | None: ...
    @property
    def total_time(self) -> int | None: ...


class ResultProperties:
    """Mixin of host results, whether models or tuples, with properties computed from columns."""

    __slots__ = ()

    @property
    def display_name(self: NamedResult) -> str:
        """Name of the host for display: its name, else an address, else its id."""
        return self.host_name or self.ip or self.ipv6 or str(self.host_id)

    @property
    def address(self: NamedResult) -> str:
        """Address of the host, empty if none is known."""
        return self.ip or self.ipv6 or ""

    @property
    def own_names(self: NamedResult) -> tuple[bytes, ...]:
        """Name and addresses of the host, which grouping replaces in its log."""
        return tuple(name.encode() for name in (self.host_name, self.ip, self.ipv6) if name)

    @property
    def finished(self: NamedResult) -> bool:
        return host_rank(self.status) == FINISHED

    @property
    def duration(self: NamedResult) -> int | None:
        """Milliseconds, as stated or from the start and end times; None if they are unknown."""
        if self.total_time is not None:
            return self.total_time
        if self.start_time is None or self.end_time is None:
            return None
        return max(0, self.end_time - self.start_time)
