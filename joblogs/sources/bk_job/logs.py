"""Records of the logs of one step, in the order of its host results."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from joblogs import records

from .addresses import Addresses, Container
from .documents import source_of
from .findings import Finding, Findings
from .sorting import Sorter, Values

PIECE_BYTES = 256 * 1024
FILE_STATUSES = range(6)

Where = dict[str, Any]
"""job_instance_id and step_instance_id."""


def script_logs(
    sorter: Sorter, where: Where, left_out: set[int], findings: Findings
) -> Iterator[records.ScriptLog]:
    """Yield the output of scripts. bk-job stores the end of each chunk; records have the start."""
    rows = sorter.read(
        """SELECT object, count, batch, ending, content FROM script WHERE step = ?
        ORDER BY object, count, batch, ending, oid, rowid""",
        where["step_instance_id"],
    )
    for (host, count, batch), chunks in itertools.groupby(rows, key=lambda row: row[:3]):
        if host in left_out:
            continue
        place = where | {"execute_count": count, "batch": batch, "bk_host_id": host}
        start = 0
        for content in _joined(chunks, place, findings):
            for offset, piece in pieces(content, start):
                yield records.ScriptLog(**place, offset=offset, **piece)
            start += len(content)


def _joined(chunks: Iterable[Values], place: Where, findings: Findings) -> Iterator[bytes]:
    """Yield the chunks of one log in order, without repetitions.

    Chunks that end at the same offset are kept: messages of the platform are written with the
    current offset and do not advance it. Only an identical chunk is a repeated call.
    """
    name = f"step {place['step_instance_id']} host {place['bk_host_id']}"
    reached, same = 0, set[bytes]()
    for *_, ending, content in chunks:
        if ending == reached and content in same:
            findings.note(Finding.REPEATED_CHUNK, f"{name} at {ending}")
            continue
        if ending > reached:
            step = ending - reached
            if step > len(content):
                findings.note(Finding.BYTES_MISSING, f"{name}: {step - len(content)} to {ending}")
            elif step < len(content):
                findings.note(Finding.OVERLAP, f"{name} at {ending}")
            reached, same = ending, set()
        same.add(content)
        yield content


def file_logs(
    sorter: Sorter, where: Where, addresses: Addresses, left_out: set[int], findings: Findings
) -> Iterator[records.FileLog]:
    """Yield file logs: one task for each key, merged from all its documents."""
    rows = sorter.read(
        """SELECT object, count, batch, role, key, fields, content FROM file WHERE step = ?
        ORDER BY object, count, batch, role, key, oid, rowid""",
        where["step_instance_id"],
    )
    for (host, count, batch, role, key), documents in itertools.groupby(rows, lambda r: r[:5]):
        if host in left_out:
            continue
        fields: dict[str, Any] = {}
        content = b""
        for *_, text, part in documents:
            fields |= json.loads(text)
            content += part
        status = fields.get("status")
        if status is not None and status not in FILE_STATUSES:
            step = where["step_instance_id"]
            findings.note(Finding.VALUE, f"status {status} of a file in step {step}")
            status = None
        mode = 0 if role else 1
        owner = _reference(host, addresses, fields.get("own_ip"), fields.get("own_ipv6"))
        ends: dict[str, Any] = {"src": owner, "src_path": fields["src_path"]}
        if mode:
            ends["src"] = _source(fields, addresses, where, findings)
            ends |= {"dest": owner, "dest_path": fields.get("dest_path")}
        task = where | {"execute_count": count, "batch": batch, "bk_host_id": host, "mode": mode}
        task |= {"task_key": key, "status": status, **ends}
        task |= {k: fields.get(k) for k in ("size", "speed", "process", "update_time")}
        if not content:
            yield records.FileLog(**task)
        for offset, piece in pieces(content, 0):
            yield records.FileLog(**task, offset=offset, **piece)


def _source(
    fields: dict[str, Any], addresses: Addresses, where: Where, findings: Findings
) -> records.HostRef | None:
    try:
        named = source_of(fields)
    except Container as container:
        step = where["step_instance_id"]
        findings.note(Finding.CONTAINER_SOURCE, f"{container} in step {step}")
        return None
    if named is None:
        return None
    host = addresses.number(named)
    return _reference(host, addresses, fields.get("src_ip"), fields.get("src_ipv6"))


def _reference(
    host: int, addresses: Addresses, ip: str | None, ipv6: str | None
) -> records.HostRef:
    """Return a host as of the run; `ip` and `ipv6` of its document are used if nothing else is."""
    address = addresses.of(host) or addresses.parsed(ip, ipv6)
    if address is None:
        return records.HostRef(bk_host_id=host)
    return records.HostRef(
        bk_host_id=host, bk_cloud_id=address.bk_cloud_id, ip=address.ip, ipv6=address.ipv6
    )


def pieces(content: bytes, start: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield pieces of at most PIECE_BYTES, each with its offset and its field of a record."""
    position = 0
    while position < len(content):
        end = position + PIECE_BYTES
        # Back to the start of a UTF-8 character, if it is near, so that the pieces are text.
        for _ in range(3):
            if end < len(content) and content[end] & 0xC0 == 0x80:
                end -= 1
        part = content[position:end]
        try:
            yield start + position, {"content": part.decode()}
        except UnicodeDecodeError:
            yield start + position, {"content_base64": part}
        position = end
