"""Hosts of bk-job's execute objects, and the addresses that they had in a step."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from joblogs.records import MAX_ID

from .sorting import Sorter

Object = int | str
"""A host by id, or by `cloud:address` in data from before bk-job had host ids."""


class Container(Exception):
    """Error: an execute object is a container, not a host."""


@dataclass(frozen=True, slots=True)
class Address:
    """Cloud area and addresses of a host, as far as known."""

    bk_cloud_id: int | None
    ip: str | None
    ipv6: str | None


def object_of(eo: Any, host_id: Any, address: str | None) -> Object | None:
    """Return the object with this executeObjectId, host id or address. Raise Container."""
    if isinstance(eo, str) and eo:
        kind, _, number = eo.partition(":")
        if kind != "1":
            raise Container(eo)
        if number.isascii() and number.isdigit() and 1 <= int(number) <= MAX_ID:
            return int(number)
    if isinstance(host_id, int) and 1 <= host_id <= MAX_ID:
        return int(host_id)
    return address if address and parse(address) else None


def parse(text: str | None) -> Address | None:
    """Return the address in a text `cloud:address`, or None."""
    cloud, colon, rest = (text or "").partition(":")
    if not (colon and cloud.isascii() and cloud.isdigit()):
        return None
    ip, ipv6 = _family(rest)
    return Address(int(cloud), ip, ipv6) if ip or ipv6 else None


def made_number(address: str) -> int:
    """Return an id for a host without one, made from its address (docs/records.md, The types)."""
    digest = hashlib.sha256(f"bk-job\0{address}".encode()).digest()
    return 2**52 + (int.from_bytes(digest[:8], "big") >> 12)


@dataclass(slots=True)
class Snapshot:
    """Hosts in a step's target_servers and file_source, as of the run."""

    of_host: dict[int, Address] = field(default_factory=dict)
    hosts_at: dict[str, set[int]] = field(default_factory=dict)
    broken: bool = False

    def add(self, text: str | None) -> None:
        """Add the hosts of a JSON cell: a target, or a list of file sources with `servers`."""
        if not text:
            return
        try:
            value = json.loads(text)
        except ValueError:
            self.broken = True
            return
        for target in value if isinstance(value, list) else [value]:
            if isinstance(target, dict):
                servers = target.get("servers", target)
                for host in _hosts(servers if isinstance(servers, dict) else {}):
                    self._add_host(host)

    def _add_host(self, host: dict[str, Any]) -> None:
        number, cloud = host.get("hostId"), host.get("cloudAreaId")
        if not isinstance(number, int) or not 1 <= number <= MAX_ID:
            return
        is_known = isinstance(cloud, int) and 0 <= cloud <= MAX_ID
        ip, ipv6 = _family(host.get("ip"))[0], _family(host.get("ipv6"))[1]
        if not (ip or ipv6):
            return
        # The first entry wins: executeObjects come before the lists from which they were made.
        self.of_host.setdefault(number, Address(cloud if is_known else None, ip, ipv6))
        for address in filter(None, (ip, ipv6)):
            self.hosts_at.setdefault(f"{cloud}:{address}", set()).add(number)


def _hosts(target: dict[str, Any]) -> Iterator[dict[str, Any]]:
    lists = [[entry.get("host") for entry in _objects(target, "executeObjects")]]
    lists += [list(_objects(target, key)) for key in ("ipList", "staticIpList")]
    for groups in ("dynamicServerGroups", "topoNodes"):
        lists += [list(_objects(group, "ipList")) for group in _objects(target, groups)]
    for hosts in lists:
        yield from (host for host in hosts if isinstance(host, dict))


def _objects(holder: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    entries = holder.get(key)
    if isinstance(entries, list):
        yield from (entry for entry in entries if isinstance(entry, dict))


def _family(text: Any) -> tuple[str | None, str | None]:
    """Return an address as (IPv4, IPv6), at most one of which is not None."""
    try:
        address = ipaddress.ip_address(text.strip()) if isinstance(text, str) else None
    except ValueError:
        return None, None
    if address is None:
        return None, None
    return (str(address), None) if address.version == 4 else (None, str(address))


class Addresses:
    """Addresses of the hosts of a step: from its snapshot, else task_instance_host, else logs."""

    def __init__(self, sorter: Sorter, *, job: int, step: int) -> None:
        self._sorter, self._job, self._step = sorter, job, step
        self._by_host: dict[Object, Address | None] = {}
        self._numbers: dict[str, int] = {}
        self.snapshot = Snapshot()
        for cell in sorter.snapshots(step):
            self.snapshot.add(cell)

    def of(self, host: int) -> Address | None:
        """Return the address of a host, or None if it is not known."""
        if host not in self._by_host:
            self._by_host[host] = self.snapshot.of_host.get(host) or self._elsewhere(host)
        return self._by_host[host]

    def number(self, named: Object) -> int:
        """Return the id of a host: its own, or one made from its address."""
        if isinstance(named, int):
            return named
        if named not in self._numbers:
            self._numbers[named] = self._number_at(named)
        return self._numbers[named]

    @staticmethod
    def parsed(*texts: str | None) -> Address | None:
        """Return the address from several `cloud:address` texts combined, or None."""
        addresses = [address for text in texts if (address := parse(text))]
        if not addresses:
            return None
        ip = next((address.ip for address in addresses if address.ip), None)
        ipv6 = next((address.ipv6 for address in addresses if address.ipv6), None)
        return Address(addresses[0].bk_cloud_id, ip, ipv6)

    def _number_at(self, address: str) -> int:
        parsed = parse(address)
        if parsed is None:
            return made_number(address)
        plain = parsed.ip or parsed.ipv6 or ""
        hosts = self.snapshot.hosts_at.get(f"{parsed.bk_cloud_id}:{plain}")
        numbers = hosts or self._sorter.hosts_with(self._job, plain)
        if len(numbers) == 1:
            return next(iter(numbers))
        number = made_number(f"{parsed.bk_cloud_id}:{plain}")
        self._by_host[number] = parsed
        return number

    def _elsewhere(self, host: int) -> Address | None:
        addresses = self.parsed(*self._sorter.addresses_in_logs(self._step, host))
        if row := self._sorter.host(self._job, host):
            ip, ipv6 = _family(row[0])[0], _family(row[1])[1]
            # The table has no cloud area; a log from an older version of bk-job may have one.
            if ip or ipv6:
                return Address(addresses.bk_cloud_id if addresses else None, ip, ipv6)
        return addresses
