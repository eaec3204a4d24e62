"""Identities of machines: what the runs of a scope's hosts were called."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from joblogs import database
from joblogs.models import Host, HostResult
from joblogs.models.hosts import fold_name

COLUMNS = ("bk_cloud_id", "ip", "ipv6", "host_name")
"""What of a host result, with its host's id, makes its identity."""


def settle(scope_id: int, results: Collection[HostResult]) -> None:
    """Point host results of one scope to the identities of their hosts, making those that are
    missing. The caller writes the results, in the same transaction."""
    if not results:
        return
    database.share_lock("identities")
    digests = {id(result): _identity(result) for result in results}
    stored = _stored(scope_id, set(digests.values()))
    missing = {
        digest: result for result in results if (digest := digests[id(result)]) not in stored
    }
    if missing:
        # In one order, whoever makes them: another transaction may be making the same.
        Host.objects.bulk_create(
            [_host(scope_id, digest, missing[digest]) for digest in sorted(missing)],
            ignore_conflicts=True,
        )
        stored |= _stored(scope_id, missing)
    for result in results:
        result.identity_id = stored[digests[id(result)]]


def _identity(result: HostResult) -> bytes:
    """SHA-256 of what a run's host was called, each part present or absent. No part holds a NUL."""
    parts = (result.host_id, result.bk_cloud_id, result.host_name, result.ip, result.ipv6)
    said = "\0".join(["" if part is None else f"={part}" for part in parts])
    return hashlib.sha256(said.encode()).digest()


def _stored(scope_id: int, digests: Iterable[bytes]) -> dict[bytes, int]:
    found = Host.objects.filter(scope=scope_id, identity__in=digests)
    return {bytes(digest): key for key, digest in found.values_list("pk", "identity")}


def _host(scope_id: int, identity: bytes, result: HostResult) -> Host:
    return Host(
        scope_id=scope_id,
        identity=identity,
        bk_host_id=result.host_id,
        bk_cloud_id=result.bk_cloud_id,
        ip=result.ip,
        ipv6=result.ipv6,
        name=result.host_name,
        folded_name=None if result.host_name is None else fold_name(result.host_name),
    )
