"""Conversion of rows of bk-job's tables to fields of records."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .addresses import Container, object_of
from .findings import Finding
from .sorting import Values
from .tables import TableRow

TARGET, SOURCE = 0, 1


@dataclass(frozen=True, slots=True)
class TableReader:
    """How a table is read: the sorter's table, and the function that converts a row."""

    sorter: str
    take: Callable[[TableRow, datetime.tzinfo], Iterator[Values]]


def _times(row: TableRow, zone: datetime.tzinfo) -> dict[str, int | None]:
    ended = row.amount("end_time")
    return {
        "start_time": row.amount("start_time"),
        "end_time": ended,
        "total_time": row.amount("total_time"),
        # Shows which of two dumps has the later row, if the status does not.
        "update_time": row.moment("row_update_time", zone) or ended,
    }


def _job(row: TableRow, zone: datetime.tzinfo) -> Iterator[Values]:
    fields = {
        "name": row.text("name") or "",
        "operator": row.text("operator"),
        "launch_mode": row.int32("startup_mode"),
        "task_type": row.int32("type"),
        "status": row.int32("status"),
        "create_time": row.amount("create_time"),
        **_times(row, zone),
    }
    yield row.id("id"), row.id("app_id"), json.dumps(fields)


def _step(row: TableRow, zone: datetime.tzinfo) -> Iterator[Values]:
    fields = {
        "name": row.text("name") or "",
        "step_type": row.int32("type"),
        # 0 in rows from before bk-job numbered steps.
        "position": row.int32("step_order") or None,
        "status": row.int32("status"),
        "execute_count": row.count("execute_count"),
        "create_time": row.amount("create_time"),
        **_times(row, zone),
    }
    targets = _json_cell(row, "target_servers")
    yield row.id("id"), row.id("task_instance_id"), targets, json.dumps(fields)


def _source(row: TableRow, zone: datetime.tzinfo) -> Iterator[Values]:
    resolved, original = (_json_cell(row, c) for c in ("resolved_file_source", "file_source"))
    yield row.id("step_instance_id"), resolved, original


def _host(row: TableRow, zone: datetime.tzinfo) -> Iterator[Values]:
    # 0 or -1 in rows from before bk-job had host ids.
    if (row.number("host_id") or 0) > 0:
        yield row.id("task_instance_id"), row.id("host_id"), row.text("ip"), row.text("ipv6")


def _json_cell(row: TableRow, column: str) -> str | None:
    """Return JSON as text; in a JSON file the cell may be an object instead."""
    value = row.cells.get(column)
    return json.dumps(value) if isinstance(value, dict | list) else row.text(column)


def _result(row: TableRow, roles: list[int], zone: datetime.tzinfo) -> Iterator[Values]:
    step = row.id("step_instance_id")
    # The agent_id of older rows is an address.
    address = row.text("ip") or row.text("agent_id")
    try:
        if row.number("execute_obj_type") == 2:
            raise Container(row.text("execute_obj_id") or "2:")
        named = object_of(row.text("execute_obj_id"), row.number("host_id"), address)
    except Container as container:
        row.findings.note(Finding.CONTAINER, f"{container} in step {step}")
        return
    if named is None:
        row.findings.note(Finding.UNREADABLE, row.place)
        return
    fields = {
        "status": row.int32("status"),
        "tag": row.text("tag"),
        "exit_code": row.int32("exit_code"),
        "error_code": row.int32("error_code"),
        "actual_execute_count": row.int32("actual_execute_count"),
        **_times(row, zone),
    }
    for role in roles:
        place = (step, named, row.count("execute_count"), row.count("batch"), role)
        yield (*place, json.dumps(fields))


def _script_result(row: TableRow, zone: datetime.tzinfo) -> Iterator[Values]:
    yield from _result(row, [TARGET], zone)


def _file_result(row: TableRow, zone: datetime.tzinfo) -> Iterator[Values]:
    yield from _result(row, [SOURCE if row.number("mode") == 0 else TARGET], zone)


def _oldest_result(row: TableRow, zone: datetime.tzinfo) -> Iterator[Values]:
    is_source, is_target = row.number("is_source"), row.number("is_target")
    roles = [SOURCE] if is_source else []
    yield from _result(row, roles if is_target == 0 else [TARGET, *roles], zone)


READINGS = {
    "task_instance": TableReader("job", _job),
    "step_instance": TableReader("step", _step),
    "step_instance_file": TableReader("source", _source),
    "task_instance_host": TableReader("host", _host),
    "gse_script_execute_obj_task": TableReader("result", _script_result),
    "gse_script_agent_task": TableReader("result", _script_result),
    "gse_file_execute_obj_task": TableReader("result", _file_result),
    "gse_file_agent_task": TableReader("result", _file_result),
    "gse_task_ip_log": TableReader("result", _oldest_result),
}
