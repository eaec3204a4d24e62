"""Export as CSV for spreadsheets (RFC 4180), in UTF-8, with a row for each host."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from joblogs import query, search
from joblogs.choices import Role
from joblogs.models import FileLog, StepInstance
from joblogs.query import StepHost

from .archive import status_name
from .host_logs import ExportedLog
from .walk import Group, Walk

ERROR_CHARACTERS = 500
COLUMNS = (
    *("bk_scope_type", "bk_scope_id", "job_instance_id", "job_name"),
    *("step_instance_id", "step_name", "bk_host_id", "host_name", "bk_cloud_id", "ip", "ipv6"),
    *("role", "execute_count", "batch", "status", "status_name", "exit_code", "error_code", "tag"),
    *("start_time", "end_time", "seconds", "size", "state", "missing", "first_error"),
)
_FORMULA = re.compile(r"[\s'\"]*[=+\-@＝＋－＠]")
_FORMULA_WITHIN = re.compile(r"([;\t\r\n]+)(?=[\s'\"]*[=+\-@＝＋－＠])")
"""Start of a formula in a spreadsheet that separates cells by semicolons or tabs."""
_INVISIBLE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def rows(walk: Walk) -> Iterator[bytes]:
    """Yield a header row and the rows; nothing if no host is selected."""
    first = True
    for group in walk.items():
        if not isinstance(group, Group):
            continue
        if first:
            first = False
            yield csv_row(COLUMNS)
        runs = group.runs
        for run, logs in zip(runs, walk.logs(group.step, runs), strict=True):
            yield csv_row(_cells(group.step, run, logs))


def csv_row(values: Any) -> bytes:
    """Return a line of CSV in which no cell is interpreted as a formula."""
    made = io.StringIO()
    csv.writer(made).writerow([_cell(value) for value in values])
    return made.getvalue().encode()


def _cell(value: Any) -> Any:
    """Return a value that no spreadsheet interprets as a formula; numbers stay numbers."""
    if isinstance(value, str):
        value = _FORMULA_WITHIN.sub(r"\1'", _INVISIBLE.sub("", value))
        return f"'{value}" if _FORMULA.match(value) or value[:1] in "\t\r\n" and value else value
    return value


def _cells(step: StepInstance, run: StepHost, logs: Iterator[ExportedLog]) -> list[Any]:
    size, error, files, missing = 0, b"", [], 0
    for log in logs:
        size += log.size
        error = error or search.first_error_line(log.parts)
        missing += log.missing
        files += [log.file] if log.file else []
    job, newest = step.job, run.newest
    state = _state(step, run, files)
    if missing:
        state = query.Completeness(query.State.UNREACHABLE, missing)
    return [
        *(job.scope.scope_type, job.scope.scope_id, job.job_instance_id, job.name),
        *(step.step_instance_id, step.name, newest.host_id, newest.host_name),
        *(newest.bk_cloud_id, newest.ip, newest.ipv6, Role(newest.role).name.lower()),
        *(newest.execute_count, newest.batch, newest.status, status_name(newest.status)),
        *(newest.exit_code, newest.error_code, newest.tag),
        *(_time(newest.start_time), _time(newest.end_time)),
        None if newest.total_time is None else newest.total_time / 1000,
        *(size, state.state.value, state.missing or None),
        error.decode(errors="replace").strip()[:ERROR_CHARACTERS],
    ]


def _state(step: StepInstance, run: StepHost, files: list[FileLog]) -> query.Completeness:
    state = query.log_state(step, run)
    return query.worst([state, query.files_state(step, files)]) if files else state


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    try:
        when = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
