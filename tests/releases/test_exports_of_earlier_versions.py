"""Exports that earlier versions wrote are read whole, and written again as they were.

`before-1.0-demo`: the recorded demo; `-bk-job`: a dump of BlueKing JOB; `-generated`: rows of all
kinds.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from joblogs.access import OPERATOR
from joblogs.ingest import Report, ingest
from joblogs.ingest.stream import numbered_lines
from tests.export.exporting import export

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FOLDER = Path(__file__).parent


def exported_by(name: str) -> bytes:
    return zstd.decompress((FOLDER / name).read_bytes())


def import_(data: bytes) -> Report:
    return ingest(numbered_lines(io.BytesIO(data).read), writer=OPERATOR)


def as_now(record: dict[str, Any]) -> dict[str, Any]:
    """A record as it is written today: a masked log has no digest, which would give it away."""
    return {k: v for k, v in record.items() if k != "log_sha256" or "redacted" not in record}


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.zst")))
def test_an_export_of_an_earlier_version_is_imported_whole(name: str, settings: Any) -> None:
    settings.MASK_SECRETS = False  # what later rules mask is not what this is about
    _, *lines = exported_by(name).splitlines()
    report = import_(exported_by(name))
    assert (report.refused, report.duplicates, report.accepted) == ([], 0, len(lines))
    exported = [json.loads(line) for line in export(every_attempt=True).splitlines()[1:]]
    assert exported == [as_now(json.loads(line)) for line in lines]


@pytest.mark.django_db
def test_such_an_export_is_imported_twice_and_changes_nothing() -> None:
    data = exported_by("before-1.0-demo.ndjson.zst")
    reports = [import_(data) for _ in range(2)]
    assert [report.refused_total for report in reports] == [0, 0]
    assert [report.accepted > 0 for report in reports] == [True, False]
