"""Sets of hosts that can be counted but not listed, in at most 2 KB for any number of hosts.

A set holds the KEPT smallest hashes of the hosts' ids, ascending. With fewer than KEPT hosts the
count is exact; otherwise it is estimated from the density of the hashes, within about 6 %.
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
    """NamedTuple of a number of hosts, and whether it is exact or an estimate."""

    number: int
    exact: bool = True


def host_set(bk_host_ids: Iterable[int]) -> bytes:
    """Return the set of these hosts."""
    hashes = {xxh3_64_intdigest(host.to_bytes(8, "little", signed=True)) for host in bk_host_ids}
    return np.array(sorted(hashes)[:KEPT], "<u8").tobytes()


def union(one: bytes, other: bytes) -> bytes:
    """Return the union of two sets."""
    if not one or not other:
        return bytes(one or other)
    hashes = np.unique(np.frombuffer(one + other, "<u8"))
    return hashes[:KEPT].tobytes()


def count(hosts: bytes) -> HostCount:
    """Return the number of hosts in a set."""
    hashes = np.frombuffer(hosts, "<u8")
    if len(hashes) < KEPT:
        return HostCount(len(hashes))
    return HostCount(round((KEPT - 1) * _WHOLE / int(hashes[-1])), exact=False)
