"""An export in one go, for tests."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from joblogs.access import OPERATOR
from joblogs.export import Format, Walk, parts
from joblogs.export.choosing import Criteria, choose
from joblogs.ingest import ingest
from joblogs.ingest.stream import numbered_lines
from joblogs.models import FileLog, Host, HostResult, JobInstance, Scope, StepInstance


def export(format: Format = Format.NDJSON, *, prefix: bool = True, **criteria: Any) -> bytes:
    """All of the store, or what is wanted of it."""
    walk = Walk(choose(OPERATOR.jobs(), Criteria(**criteria)), created=1_700_000_000_000)
    return b"".join(parts(walk, format, prefix=prefix))


def records(**criteria: Any) -> list[dict[str, Any]]:
    """The records of an export, all attempts, without the archive line."""
    lines = export(**{"every_attempt": True} | criteria).splitlines()
    return [json.loads(line) for line in lines[1:]]


def unzipped(**criteria: Any) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """The files of an archive, and what its manifest says of them."""
    with zipfile.ZipFile(io.BytesIO(export(Format.ZIP, **criteria))) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    return files, json.loads(files.pop("manifest.json"))["files"]


def import_all(data: bytes) -> None:
    """Import records of which each is new."""
    report = ingest(numbered_lines(io.BytesIO(data).read), writer=OPERATOR)
    assert (report.refused, report.duplicates) == ([], 0)


def comes_back() -> bytes:
    """Export, import into an empty store, export again: what the same bytes are."""
    first = export(every_attempt=True)
    for model in (FileLog, HostResult, StepInstance, JobInstance, Scope, Host):
        model.objects.all().delete()
    import_all(first)
    assert export(every_attempt=True) == first
    return first
