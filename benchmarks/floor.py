"""The least that a Python service could do: one statement, decompress, encode.

No framework, no credentials, no rights, no audit, no check that nothing is missing.
"""

from __future__ import annotations

import datetime
import os
import sqlite3
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psycopg

from joblogs.logtext.codec import zstd

_URL = os.environ["DATABASE_URL"]
_POSTGRESQL = _URL.startswith("postgres")
_SELECT = (
    "SELECT r.bk_host_id, r.ip, r.bk_cloud_id, r.ipv6, c.codec, c.data "
    "FROM joblogs_hostresult r JOIN joblogs_logchunk c ON c.host_result_id = r.id "
    'WHERE c.day = {0} AND r.step_id = {0} AND r.bk_host_id {1} ORDER BY r.bk_host_id, c."offset"'
)
_RESULTS = "SELECT {1} FROM joblogs_hostresult WHERE step_id = {0} ORDER BY bk_host_id"
COLUMNS = (
    "bk_host_id, bk_cloud_id, ip, ipv6, host_name, status, tag, exit_code, error_code, start_time, "
    "end_time, total_time, received_size, held_size, lines, truncated, execute_count, batch"
)
_local = threading.local()
_encode = msgspec.json.Encoder().encode


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    request = msgspec.json.decode(environ["wsgi.input"].read())
    found = _hosts(request["step"]) if "hosts" not in request else _logs(**request)
    body = _encode({"result": True, "code": 0, "message": "", "data": found})
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def _logs(day: str, step: int, hosts: list[int]) -> dict[str, Any]:
    answer: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for host, ip, cloud, ipv6, codec, data in _rows(day, step, hosts):
        if not answer or answer[-1]["bk_host_id"] != host:
            if answer:
                answer[-1]["log_content"] = b"".join(parts).decode()
            host_fields = {"bk_host_id": host, "ip": ip, "bk_cloud_id": cloud, "log_content": ""}
            answer.append(host_fields | {"host_id": host, "ipv6": ipv6})
            parts = []
        parts.append(zstd.decompress(data) if codec else data)
    if answer:
        answer[-1]["log_content"] = b"".join(parts).decode()
    return {"log_type": 1, "script_task_logs": answer}


def _rows(day: str, step: int, hosts: list[int]) -> list[tuple[Any, ...]]:
    if _POSTGRESQL:
        statement = _SELECT.format("%s", "= ANY(%s)")
        cursor = psycopg.Cursor(_connection())
        cursor.execute(statement, [datetime.date.fromisoformat(day), step, hosts], binary=True)
        return cursor.fetchall()
    marks = ", ".join("?" * len(hosts))
    return (
        _connection().execute(_SELECT.format("?", f"IN ({marks})"), [day, step, *hosts]).fetchall()
    )


def _hosts(step: int) -> list[dict[str, Any]]:
    statement = _RESULTS.format("%s" if _POSTGRESQL else "?", COLUMNS)
    names = COLUMNS.split(", ")
    return [dict(zip(names, row, strict=True)) for row in _connection().execute(statement, [step])]


def _connection() -> Any:
    if not hasattr(_local, "connection"):
        if _POSTGRESQL:
            _local.connection = psycopg.connect(_URL, autocommit=True)
        else:
            _local.connection = sqlite3.connect(urlsplit(_URL).path)
    return _local.connection
