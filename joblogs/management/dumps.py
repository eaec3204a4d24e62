"""Import of dumps of another system: read completely, converted to records, then ingested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tqdm import tqdm

from joblogs import record_json, records
from joblogs.access import OPERATOR
from joblogs.errors import BadRequest
from joblogs.ingest import Report, ingest
from joblogs.ingest.stream import RecordLine
from joblogs.sources import bk_job

BK_JOB_ZONE = "Asia/Shanghai"
"""The time zone in which bk-job renders times by default."""

SCOPE_NEEDED = (
    "A bk-job dump numbers its businesses by app_id, and only job-manage knows which business an "
    "app_id is. Give --scope TYPE:ID for all of its jobs, or --scope-map FILE with app_id, "
    "bk_scope_type and bk_scope_id (job_manage.application)."
)


def import_bk_job(
    paths: Iterable[Path],
    *,
    scope: bk_job.Scope | None,
    scope_map: Path | None,
    zone: ZoneInfo | None,
    report_line: Callable[[str], object],
) -> tuple[Report, bool]:
    """Import a dump; return the report, and whether all of the dump was converted to records.

    `report_line` is called with a sentence for each refused record and each kind of missing data.
    Raise DumpFault, before anything is imported, if a file cannot be read to the end.
    """
    scopes = bk_job.read_map(scope_map) if scope_map else None
    with bk_job.Dump(paths, zone=zone or _usual_zone()) as dump:
        with _bar("read", total=dump.size, unit="B") as bar:
            dump.load(progress=bar.update)
        if scopes is None and scope is not None:
            scopes = dump.one_scope(scope)
        if scopes is None:
            raise bk_job.DumpFault(SCOPE_NEEDED)
        with _bar("import", unit=" records") as bar:
            pending = _PendingRecords(dump.records(scopes), bar, report_line)
            try:
                report = ingest(pending.lines(), writer=OPERATOR, progress=pending.settle)
            except BadRequest:  # the dump held no record; the findings say why
                report = Report()
        if report.refused_total > len(report.refused):
            report_line(f"and {report.refused_total - len(report.refused):,} more refused records")
        for sentence in dump.findings.sentences():
            report_line(sentence)
        return report, not dump.findings.left_out


def _usual_zone() -> ZoneInfo:
    try:
        return ZoneInfo(BK_JOB_ZONE)
    except ZoneInfoNotFoundError:
        raise bk_job.DumpFault(
            f"this machine does not know the time zone {BK_JOB_ZONE}: install tzdata, "
            "or name another one with --time-zone"
        ) from None


class _PendingRecords:
    """Records being imported, kept until their batch is reported."""

    def __init__(
        self,
        every: Iterable[records.Stated],
        bar: tqdm[Any],
        report_line: Callable[[str], object],
    ) -> None:
        self._records, self._bar, self._report_line = every, bar, report_line
        self._pending: dict[int, records.Stated] = {}
        self._reported = 0

    def lines(self) -> Iterator[RecordLine]:
        for number, record in enumerate(self._records, 1):
            self._pending[number] = record
            yield RecordLine(number, record_json.encode(record))

    def settle(self, report: Report) -> None:
        """Report refused records of a batch by name, since a dump has no lines to refer to."""
        for entry in report.refused[self._reported :]:
            name = _name(self._pending.get(entry.line))
            self._report_line(f"{name}: {entry.reason}: {entry.message}")
        self._reported = len(report.refused)
        self._bar.update(report.total - self._bar.n)
        self._pending.clear()


def _name(record: records.Stated | None) -> str:
    if record is None:
        return "a record"
    keys = ("job_instance_id", "step_instance_id", "bk_host_id", "execute_count", "batch")
    place = [f"{key} {value}" for key in keys if (value := getattr(record, key, None))]
    return f"{record_json.type_name(record)} of {', '.join(place)}"


def _bar(what: str, **options: Any) -> tqdm[Any]:
    return tqdm(desc=what, unit_scale=True, disable=None, **options)
