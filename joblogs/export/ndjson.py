"""Export as records (docs/records.md), which create the same rows in an empty store."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

from django.db.models import Model
from msgspec import Struct

from joblogs import __version__, record_json, records
from joblogs.choices import Role
from joblogs.logtext.export_pieces import pieces
from joblogs.models import FileLog, HostResult, JobInstance, StepInstance
from joblogs.query import StepHost, host_history

from .host_logs import ExportedLog
from .walk import Group, Walk

GENERATOR = f"joblogs {__version__}"


def _columns(record: type[Struct], model: type[Model], *apart: str) -> list[str]:
    """Return the fields of a record that are copied from columns of a model, except `apart`."""
    columns = {field.attname for field in model._meta.concrete_fields}
    return [name for name in record.__struct_fields__ if name in columns and name not in apart]


_LOG = ("received_size", "truncated", "redacted")
_JOB = _columns(records.Job, JobInstance)
_STEP = _columns(records.Step, StepInstance, "file_sources")
_RESULT = _columns(records.HostResult, HostResult, "role", *_LOG)
_FILE = _columns(records.FileLog, FileLog, "content", *_LOG)


def lines(walk: Walk) -> Iterator[bytes]:
    """Yield the lines of a file of records; nothing if nothing is selected."""
    first = True
    for item in walk.items():
        if first:
            first = False
            archive = records.Archive(
                format=records.FORMAT,
                version=max(records.VERSIONS),
                created=walk.created,
                generator=GENERATOR,
            )
            yield _line(archive)
        match item:
            case JobInstance():
                yield _line(_job(item))
            case StepInstance():
                yield _line(_step(item))
            case Group():
                yield from _group(walk, item)


def _group(walk: Walk, group: Group) -> Iterator[bytes]:
    step = group.step
    results = [result for host in group.hosts for result in host.results]
    bare = _bare_files(step, results)
    logs = walk.logs(step, [StepHost(result, [result]) for result in results])
    for result, own in zip(results, logs, strict=True):
        first = next(own, None)
        yield _line(_result(step, result, lacks_text=first is not None and first.missing > 0))
        for log in itertools.chain([] if first is None else [first], own):
            yield from _script(step, result, log) if log.file is None else _file(step, result, log)
        for file in bare.get(result.pk, ()):
            yield _line(_file_record(step, result, file, None))


def _bare_files(step: StepInstance, results: list[HostResult]) -> dict[int, list[FileLog]]:
    """Return the file logs of an expired job by host result; {} for other jobs.

    Their text is deleted, but the status of the transfers is kept.
    """
    if step.job.expired_at is None:
        return {}
    files = sorted(host_history.files_on(step, results), key=attrgetter("host_result_id"))
    groups = itertools.groupby(files, key=attrgetter("host_result_id"))
    return {owner: list(own) for owner, own in groups}


def _line(record: records.Record) -> bytes:
    return record_json.encode(record) + b"\n"


def _values(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _job(job: JobInstance) -> records.Job:
    expired = None
    if job.expired_at is not None:
        expired = records.Expired(at=job.expired_at, policy=job.expired_policy)
    return records.Job(
        scope_name=job.scope.name or None,
        expired=expired,
        **_values(job, _JOB),
        **{f"bk_{name}": getattr(job.scope, name) for name in ("scope_type", "scope_id")},
    )


def _step(step: StepInstance) -> records.Step:
    sources = step.file_sources
    return records.Step(
        job_instance_id=step.job.job_instance_id,
        file_sources=None if sources is None else record_json.file_sources(sources),
        **_values(step, _STEP),
    )


def _place(step: StepInstance, result: HostResult) -> dict[str, Any]:
    return {
        "job_instance_id": step.job.job_instance_id,
        "step_instance_id": step.step_instance_id,
        "bk_host_id": result.host_id,
    }


def _result(
    step: StepInstance, result: HostResult, *, lacks_text: bool = False
) -> records.HostResult:
    """Return the record of a host result.

    `lacks_text`: its log cannot be read now. The size of a finished log is declared then, so that
    the importing store shows it as incomplete until the rest is imported.
    """
    size = result.declared_size
    if size is None and lacks_text and result.finished:
        size = result.received_size
    # With masks, the digest would allow guessing the masked text.
    sha256 = None if result.is_masked else result.declared_sha256
    return records.HostResult(
        log_size=size,
        log_sha256=None if sha256 is None else bytes(sha256).hex(),
        role="source" if result.role == Role.SOURCE else "target",
        **_place(step, result),
        **_values(result, _RESULT),
        **_expiry_fields(step, result),
    )


def _expiry_fields(step: StepInstance, row: HostResult | FileLog) -> dict[str, Any]:
    """Return the fields of a log that is expired, truncated or masked."""
    is_expired = step.job.expired_at is not None
    more = is_expired or (row.truncated and row.received_size != row.held_size)
    return {
        "received_size": row.received_size if more else None,
        "truncated": row.truncated or None,
        "redacted": [tuple(masked) for masked in row.redacted] if row.redacted else None,
    }


def _script(step: StepInstance, result: HostResult, log: ExportedLog) -> Iterator[bytes]:
    place = _place(step, result) | {"execute_count": result.execute_count, "batch": result.batch}
    was_missing = log.missing
    for offset, data in pieces(log.parts):
        yield _line(records.ScriptLog(**place, offset=offset, **_content(data)))
    if log.missing and not was_missing:
        yield _line(_result(step, result, lacks_text=True))


def _file(step: StepInstance, result: HostResult, log: ExportedLog) -> Iterator[bytes]:
    assert log.file is not None  # noqa: S101 - called only then
    yield _line(_file_record(step, result, log.file, b"".join(log.parts)))


def _file_record(
    step: StepInstance, result: HostResult, file: FileLog, data: bytes | None
) -> records.FileLog:
    content = {"offset": 0, **_content(data)} if data else {}
    return records.FileLog(
        src=_end(file.src_host_id, file.src_cloud_id, file.src_ip, file.src_ipv6),
        dest=_end(file.dest_host_id, file.dest_cloud_id, file.dest_ip, file.dest_ipv6),
        **_place(step, result),
        **_values(file, _FILE),
        **_expiry_fields(step, file),
        **content,
    )


def _end(
    host: int | None, cloud: int | None, ip: str | None, ipv6: str | None
) -> records.HostRef | None:
    if host is None:
        return None
    return records.HostRef(bk_host_id=host, bk_cloud_id=cloud, ip=ip, ipv6=ipv6)


def _content(data: bytes) -> dict[str, Any]:
    try:
        return {"content": data.decode()}
    except UnicodeDecodeError:
        return {"content_base64": data}
