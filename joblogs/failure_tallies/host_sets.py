"""Sets of hosts that are counted, not listed: however many there are, 2 KB at most.

Kept are the smallest of the hashes of their ids, ascending. Up to KEPT hosts that is all of them,
and exact; of more, how dense the smallest lie says how many there are, within about 6 %.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from xxhash import xxh3_64_intdigest

KEPT = 256
EMPTY = b""
_WHOLE = 2**64


class HostCount(NamedTuple):
    """How many hosts; of very many about."""

    number: int
    exact: bool = True


def host_set(bk_host_ids: Iterable[int]) -> bytes:
    """Set of these hosts."""
    hashes = {xxh3_64_intdigest(host.to_bytes(8, "little", signed=True)) for host in bk_host_ids}
    return np.array(sorted(hashes)[:KEPT], "<u8").tobytes()


def union(one: bytes, other: bytes) -> bytes:
    """Set of the hosts that are in one of them."""
    if not one or not other:
        return bytes(one or other)
    hashes = np.unique(np.frombuffer(one + other, "<u8"))
    return hashes[:KEPT].tobytes()


def count(hosts: bytes) -> HostCount:
    """How many hosts a set has."""
    hashes = np.frombuffer(hosts, "<u8")
    if len(hashes) < KEPT:
        return HostCount(len(hashes))
    return HostCount(round((KEPT - 1) * _WHOLE / int(hashes[-1])), exact=False)
