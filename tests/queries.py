"""What is stored, for tests to look at and compare: rows, and text through `content.store`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model

from joblogs.choices import Role
from joblogs.logtext import codec, store
from joblogs.models import (
    FileLog,
    Host,
    HostResult,
    JobInstance,
    LogChunk,
    Scope,
    StepInstance,
)
from tests.builders import HOST, JOB, STEP

# Where a row lies, not what it says.
PLACES = {"id", "scope_id", "job_id", "step_id", "host_result_id", "identity_id"} | {
    *("pack", "pack_start", "last_pack"),
}


def the_job(number: int = JOB) -> JobInstance:
    return JobInstance.objects.get(job_instance_id=number)


def the_step(number: int = STEP) -> StepInstance:
    return StepInstance.objects.get(step_instance_id=number)


def the_result(host: int = HOST, *, role: Role = Role.TARGET, **place: int) -> HostResult:
    place = {"execute_count": 0, "batch": 0} | place
    return HostResult.objects.get(host_id=host, role=role, **place)


def text(row: HostResult) -> bytes:
    """The log of a host result."""
    spans = [store.Span(row.pk, 0, row.held_size)]
    return b"".join(part for _, parts in store.read(row.day, spans) for part in parts)


def log(host: int = HOST, **place: Any) -> bytes:
    """The log of a host."""
    return text(the_result(host, **place))


def chunks(row: HostResult) -> list[LogChunk]:
    found = LogChunk.objects.filter(day=row.day, host_result_id=row.pk)
    return list(found.order_by("offset"))


def recut(row: HostResult, cuts: Iterable[int]) -> None:
    """Rewrite the chunks of a log as merging does: other borders, another level, the same bytes."""
    data = text(row)
    LogChunk.objects.filter(day=row.day, host_result_id=row.pk).delete()
    borders = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    made = []
    for start, stop in zip(borders, borders[1:], strict=False):
        part = data[start:stop]
        kind, packed = codec.encode(part, level=codec.MERGED_LEVEL)
        place = {"day": row.day, "host_result_id": row.pk, "offset": start}
        said = {"size": len(part), "newlines": part.count(b"\n"), "codec": kind, "data": packed}
        made.append(LogChunk(**place, **said))
    LogChunk.objects.bulk_create(made)


def facts(row: Model, *but: str) -> dict[str, Any]:
    """What a row says, without what tells where it lies and the columns of `but`."""
    return {
        field.attname: bytes(value) if isinstance(value, memoryview) else value
        for field in row._meta.concrete_fields
        if field.attname not in PLACES | set(but)
        for value in [getattr(row, field.attname)]
    }


def picture() -> dict[str, list[Any]]:
    """All that records brought, whatever the ids of its rows: equal pictures tell the same."""
    return {
        "scopes": sorted(map(str, Scope.objects.values_list("scope_type", "scope_id", "name"))),
        "hosts": _rows_as_text(Host.objects.referenced().select_related("scope"), "scope"),
        "jobs": _rows_as_text(JobInstance.objects.select_related("scope"), "scope"),
        "steps": _rows_as_text(StepInstance.objects.select_related("job"), "job"),
        "results": sorted(
            (str((row.step.step_instance_id, facts(row))), text(row))
            for row in HostResult.objects.select_related("step")
        ),
        "files": _rows_as_text(FileLog.objects.select_related("host_result"), "host_result"),
    }


def _rows_as_text(rows: Iterable[Any], parent: str) -> list[str]:
    return sorted(str((str(getattr(row, parent)), facts(row))) for row in rows)
