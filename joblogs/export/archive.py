"""Export as a ZIP archive: a file for each host and attempt, and a manifest."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any

import msgspec

from joblogs import query
from joblogs.choices import FileMode, HostStatus
from joblogs.models import FileLog, StepInstance
from joblogs.query import Completeness, State, StepHost

from . import names
from .host_logs import ExportedLog
from .ndjson import GENERATOR
from .walk import Group, Walk

MANIFEST = "manifest.json"
LEVEL = 3
"""Twice as fast as the default of 6, for an eighth more bytes."""
LARGE = zipfile.ZIP64_LIMIT * 9 // 10
"""Logs from this size are written as ZIP64: data that cannot be compressed grows a little."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first time that the format can represent
_BLOCK_BYTES = 1024 * 1024

encode = msgspec.json.Encoder().encode


class _Sink:
    """Write-only file without seeking, so that an archive can be streamed."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> Iterator[bytes]:
        parts, self._parts = self._parts, []
        yield from parts


def archived(walk: Walk) -> Iterator[bytes]:
    """Yield the bytes of an archive; nothing if no host is selected."""
    groups = (item for item in walk.items() if isinstance(item, Group))
    first = next(groups, None)
    if first is None:
        return
    with tempfile.TemporaryFile() as entries:
        manifest = _Manifest(walk, entries)
        sink = _Sink()
        with zipfile.ZipFile(sink, "w", compresslevel=LEVEL) as target:  # type: ignore[call-overload]
            yield from _group(walk, first, target, sink, manifest)
            for group in groups:
                yield from _group(walk, group, target, sink, manifest)
            with target.open(_info(MANIFEST, walk.created), "w", force_zip64=True) as file:
                for part in manifest.parts():
                    file.write(part)
                    yield from sink.taken()
        yield from sink.taken()


def _group(
    walk: Walk, group: Group, target: zipfile.ZipFile, sink: _Sink, manifest: _Manifest
) -> Iterator[bytes]:
    step, runs = group.step, group.runs
    folder = names.folder(step)
    every = walk.selection.every_attempt
    for run, logs in zip(runs, walk.logs(step, runs), strict=True):
        if not run.results:
            manifest.add(step, run, {"not_run_again": True})
            continue
        files = 0
        for log in logs:
            files += log.file is not None
            if log.missing:
                manifest.add(step, run, _unreachable(log))
                continue
            path = folder + names.host_file(run, every_attempt=every, file=log.file, number=files)
            digest, size = hashlib.sha256(), 0
            info = _info(path, run.newest.end_time or step.job.create_time)
            with target.open(info, "w", force_zip64=log.size >= LARGE) as file:
                for part in log.parts:
                    digest.update(part)
                    size += len(part)
                    file.write(part)
                    yield from sink.taken()
            manifest.add(step, run, _log_entry(step, run, log, path, size, digest.hexdigest()))
        yield from sink.taken()


def _info(path: str, at: int) -> zipfile.ZipInfo:
    try:
        when = datetime.fromtimestamp(at / 1000, tz=UTC).timetuple()[:6]
    except (OverflowError, ValueError, OSError):
        when = _EARLIEST
    info = zipfile.ZipInfo(path, max(_EARLIEST, min(when, (2107, 12, 31, 23, 59, 58))))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _log_entry(
    step: StepInstance, run: StepHost, log: ExportedLog, path: str, size: int, sha256: str
) -> dict[str, Any]:
    state = query.log_state(step, run)
    redacted = any(result.redacted for result in run.results)
    entry: dict[str, Any] = {"path": path, "size": size, "sha256": sha256}
    if log.file is not None:
        state, redacted = query.files_state(step, [log.file]), bool(log.file.redacted)
        entry["file"] = _file(log.file)
    if log.missing:
        return entry | _unreachable(log)
    return entry | _state(state) | ({"redacted": True} if redacted else {})


def _unreachable(log: ExportedLog) -> dict[str, Any]:
    return _state(Completeness(State.UNREACHABLE, log.missing))


def _file(file: FileLog) -> dict[str, Any]:
    entry = {
        "mode": FileMode(file.mode).name.lower(),
        "src_bk_host_id": file.src_host_id,
        "src_path": file.src_path,
        "dest_path": file.dest_path,
        "status": file.status,
    }
    return {name: value for name, value in entry.items() if value is not None}


def _state(completeness: Completeness) -> dict[str, Any]:
    return {
        "state": completeness.state.value,
        **({"missing": completeness.missing} if completeness.missing else {}),
    }


class _Manifest:
    """Manifest of an archive, collected in a temporary file because it may be long."""

    def __init__(self, walk: Walk, entries: IO[bytes]) -> None:
        self._walk, self._entries = walk, entries
        self._count = 0

    def add(self, step: StepInstance, run: StepHost, log_entry: dict[str, Any]) -> None:
        job, newest = step.job, run.newest
        entry = {
            "bk_scope_type": job.scope.scope_type,
            "bk_scope_id": job.scope.scope_id,
            "job_instance_id": job.job_instance_id,
            "job_name": job.name,
            "step_instance_id": step.step_instance_id,
            "step_name": step.name,
            "bk_host_id": newest.host_id,
            "host_name": newest.host_name,
            "bk_cloud_id": newest.bk_cloud_id,
            "ip": newest.ip,
            "ipv6": newest.ipv6,
            "execute_count": newest.execute_count,
            "batch": newest.batch,
            "status": newest.status,
            "status_name": status_name(newest.status),
            "exit_code": newest.exit_code,
            "tag": newest.tag,
        }
        entry = {name: value for name, value in entry.items() if value is not None}
        self._entries.write(b",\n" if self._count else b"")
        self._entries.write(encode({**log_entry, **entry}))
        self._count += 1

    def parts(self) -> Iterator[bytes]:
        head = {"format": "joblogs-zip", "version": 1, "created": self._walk.created}
        yield encode({**head, "generator": GENERATOR})[:-1] + b',"files":[\n'
        self._entries.seek(0)
        while part := self._entries.read(_BLOCK_BYTES):
            yield part
        yield b"\n]}\n"


def status_name(status: int) -> str:
    """Return the name of a host's status, which is not translated."""
    return HostStatus(status).name.lower() if status in HostStatus.values else str(status)
