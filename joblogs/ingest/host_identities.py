"""Identities of machines: names and addresses of a scope's hosts as of their runs."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from joblogs import database, records
from joblogs.choices import Inherited
from joblogs.models import Host, HostResult
from joblogs.models.hosts import fold_name

Place = tuple[int, int, int, int]
"""bk_host_id, execute_count, batch, role: a host result within its step."""
ADDRESSES = ("ip", "ipv6", "host_name")
COLUMNS = ("bk_cloud_id", *ADDRESSES)
"""Columns of a host result that, with its host's id, make its identity."""


class Naming:
    """Names in a record for a result whose addresses are inherited, which count as empty.

    Call `begin` before the record is merged into the row, and `end` after it.
    """

    def __init__(self, record: records.HostResult, row: HostResult) -> None:
        self._record, self._row = record, row
        self._inherited: dict[str, Any] = {}

    def begin(self) -> bool:
        """Clear inherited columns if the record names the host with other values.

        Return True if it states the same values, so that only `inherited` changes.
        """
        record, row = self._record, self._row
        if not (row.inherited and record.names_host):
            return False
        columns = COLUMNS if row.inherited == Inherited.CLOUD_TOO else ADDRESSES
        current = {column: getattr(row, column) for column in columns}
        text = {column: getattr(record, column) for column in columns}
        if "bk_cloud_id" in text:
            text["bk_cloud_id"] = text["bk_cloud_id"] or 0
        if current == text:
            row.inherited = Inherited.NOTHING
            return True
        self._inherited = current
        for column in columns:
            setattr(row, column, None)
        return False

    def end(self, changed: Mapping[str, Any]) -> None:
        """Keep the record's values, or restore the inherited ones if the record was too old."""
        row = self._row
        if self._inherited and changed.keys().isdisjoint(ADDRESSES):
            for column, value in self._inherited.items():
                setattr(row, column, value)
        elif self._inherited:
            row.inherited = Inherited.NOTHING
            row.bk_cloud_id = row.bk_cloud_id or 0
        elif row.inherited and "bk_cloud_id" in changed:
            row.inherited = Inherited.ADDRESSES


def pass_on(rows: Mapping[Place, HostResult]) -> list[Place]:
    """Copy addresses to results whose records name none; return the places of changed results.

    They are copied from the host's previous result, else from its next one. `rows` are all results
    of these hosts in the step.
    """
    if not any(row.inherited for row in rows.values()):
        return []
    changed = []
    for _, group in itertools.groupby(sorted(rows), key=lambda place: place[0]):
        own = list(group)
        # The first record of a host must name it, so such a result exists.
        source = next(rows[place] for place in own if not rows[place].inherited)
        for place in own:
            row = rows[place]
            if not row.inherited:
                source = row
                continue
            columns = COLUMNS if row.inherited == Inherited.CLOUD_TOO else ADDRESSES
            values = {column: getattr(source, column) for column in columns}
            if any(getattr(row, column) != value for column, value in values.items()):
                changed.append(place)
                for column, value in values.items():
                    setattr(row, column, value)
    return changed


def settle(scope_id: int, results: Collection[HostResult]) -> None:
    """Set the identities of host results of one scope, and create missing identities.

    The caller saves the results in the same transaction.
    """
    if not results:
        return
    database.share_lock("identities")
    digests = {id(result): _identity(result) for result in results}
    stored = _stored(scope_id, set(digests.values()))
    missing = {
        digest: result for result in results if (digest := digests[id(result)]) not in stored
    }
    if missing:
        # In a fixed order: another transaction may be creating the same identities.
        Host.objects.bulk_create(
            [_host(scope_id, digest, missing[digest]) for digest in sorted(missing)],
            ignore_conflicts=True,
        )
        stored |= _stored(scope_id, missing)
    for result in results:
        result.identity_id = stored[digests[id(result)]]


def _identity(result: HostResult) -> bytes:
    """Return the SHA-256 of id, cloud area, name and addresses, each present or absent.

    No part contains NUL, which separates them.
    """
    parts = (result.host_id, result.bk_cloud_id, result.host_name, result.ip, result.ipv6)
    text = "\0".join(["" if part is None else f"={part}" for part in parts])
    return hashlib.sha256(text.encode()).digest()


def _stored(scope_id: int, digests: Iterable[bytes]) -> dict[bytes, int]:
    rows = Host.objects.filter(scope=scope_id, identity__in=digests)
    return {bytes(digest): key for key, digest in rows.values_list("pk", "identity")}


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
