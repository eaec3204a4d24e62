"""A made-up dump of bk-job, after the documented layout of its log and job databases.

Job 1000 was made a minute before midnight UTC. Its steps: 2000 a script that was run again for the
hosts that failed, 2001 a rolling script, 2002 a file transfer and made after midnight, 2003 an
approval, 2004 SQL. Job 1001 is from before bk-job had execute objects.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bson
from bson import Int64, ObjectId, json_util

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Row = dict[str, Any]
Document = dict[str, Any]

APP = 7
CREATED = 1710460740000  # 2024-03-14 23:59:00 UTC
AFTER_MIDNIGHT = CREATED + 120_000
JOB_DAY, STEP_DAY = "2024_03_14", "2024_03_15"
PACKERS: dict[str, Callable[[bytes], bytes]] = {"bson.gz": gzip.compress, "bson.zst": zstd.compress}
SCRIPT, FILE = "job_log_script", "job_log_file"
ENDED = CREATED + 9000


def oid(order: int) -> ObjectId:
    """Documents were inserted in the order of these numbers."""
    return ObjectId(f"65f38e04{order:016x}")


def host(number: int, **fields: Any) -> Row:
    return {"hostId": number, "agentId": f"agent-{number}", "cloudAreaId": 0} | (
        fields or {"ip": f"10.0.0.{number - 100}"}
    )


def targets(*hosts: Row) -> str:
    """target_servers as it has been written since execute objects."""
    objects = [{"id": f"1:{h['hostId']}", "type": 1, "host": h} for h in hosts]
    return json.dumps(
        {"staticIpList": [h | {"ip": "192.0.2.1"} for h in hosts]} | {"executeObjects": objects}
    )


def job(number: int, **fields: Any) -> Row:
    return {
        "id": number, "app_id": APP, "task_id": -1, "task_template_id": -1, "name": "nightly",
        "type": 0, "operator": "admin", "status": 3, "current_step_id": 0, "startup_mode": 2,
        "total_time": 9000, "create_time": CREATED, "start_time": CREATED + 10,
        "end_time": ENDED, "app_code": None, "row_update_time": "2024-03-15 08:10:00",
    } | fields  # fmt: skip


def step(number: int, *, job: int = 1000, type: int = 1, order: int = 1, **fields: Any) -> Row:
    return {
        "id": number, "step_id": -1, "task_instance_id": job, "app_id": APP, "name": f"s{number}",
        "type": type, "operator": "admin", "status": 3, "execute_count": 0, "batch": 0,
        "target_servers": None, "start_time": CREATED + 20, "end_time": ENDED, "total_time": 8980,
        "create_time": CREATED, "step_num": 5, "step_order": order, "rolling_config_id": None,
        "row_update_time": "2024-03-15 08:10:00",
    } | fields  # fmt: skip


def result(step: int, host: int | str, *, job: int = 1000, **fields: Any) -> Row:
    """A row of gse_*_execute_obj_task; `host` may be another object, such as `2:5`."""
    count = fields.get("execute_count", 0)
    return {
        "task_instance_id": job, "step_instance_id": step, "execute_count": 0,
        "actual_execute_count": count, "batch": 0, "execute_obj_type": 1,
        "execute_obj_id": f"1:{host}" if isinstance(host, int) else host, "status": 9,
        "start_time": CREATED + 30, "end_time": ENDED, "total_time": 8970, "error_code": 0,
        "exit_code": 0, "tag": "", "log_offset": 0, "row_update_time": "2024-03-15 08:09:00",
    } | fields  # fmt: skip


def chunk(
    order: int, step: int, host: int | None, end: int, content: str, **fields: Any
) -> Document:
    """A document of a script collection; `end` is the offset, where the chunk ends."""
    owner = {} if host is None else {"executeObjectId": f"1:{host}"}
    document = {"_id": oid(order), "stepId": Int64(step), "executeCount": 0, **owner}
    return document | {"content": content, "offset": end} | fields


def moved(order: int, mode: int, owner: int | str, path: str, **fields: Any) -> Document:
    """A document of a file collection, of step 2002."""
    document = {
        "_id": oid(order), "stepId": Int64(2002), "executeCount": 0, "mode": mode,
        "executeObjectId": f"1:{owner}", "srcExecuteObjectId": "1:105", "srcFileType": 1,
        "srcFile": path, "displaySrcFile": path, "destIp": None, "destIpv6": None,
        "taskId": f"0_1:105_{path}", "status": 4, "size": "9.0 Bytes", "speed": "1,024 KB/s",
        "process": "100%",
    }  # fmt: skip
    if mode:
        to = f"/tmp/{path.rpartition('/')[2]}"  # noqa: S108 - a path in a record, not one of ours
        task = f"1_1:105_{path}_1:{owner}_{to}"
        document |= {"destExecuteObjectId": f"1:{owner}", "destFile": to, "taskId": task}
    return document | fields


def tables() -> dict[str, list[Row]]:
    """Rows by table."""
    three = targets(host(101), host(102), host(103, ipv6="FD00::3"))
    source = {"fileType": 1, "files": [{"filePath": "/data/a"}], "servers": {
        "ipList": [host(105, ip="10.0.0.5")]
    }}  # fmt: skip
    legacy = json.dumps({"ipList": [host(201, ip="10.1.0.1"), host(202, ip="10.1.0.2")]})
    again = {"execute_count": 1}
    return {
        "task_instance": [job(1000), job(1001, name="旧的\t\"old\"", status=4)],
        "step_instance": [
            step(2000, target_servers=three, execute_count=1),
            step(2001, target_servers=three, order=2, rolling_config_id=1, batch=2, status=2),
            step(2002, target_servers=three, order=3, type=2, create_time=AFTER_MIDNIGHT),
            step(2003, order=4, type=3),
            step(2004, target_servers=three, order=5, type=4),
            step(2010, job=1001, target_servers=legacy, order=0),
        ],
        "step_instance_file": [
            {"step_instance_id": 2002, "file_source": json.dumps([source]),
             "resolved_file_source": None, "file_target_path": "/tmp"},  # noqa: S108
        ],
        "gse_script_execute_obj_task": [
            result(2000, 101, tag="ok"),
            result(2000, 102, status=104, exit_code=3),
            result(2000, 103, status=403),
            result(2000, 101, tag="ok", actual_execute_count=0, **again),
            result(2000, 102, **again),
            result(2000, 103, status=403, actual_execute_count=0, **again),
            result(2001, 101, batch=1),
            result(2001, 102, batch=2, status=7, end_time=None),
            result(2001, 103, batch=3, status=5, actual_execute_count=None, start_time=None),
            result(2004, 101),
        ],
        "gse_file_execute_obj_task": [
            result(2002, 105, mode=0), result(2002, 101, mode=1), result(2002, 102, mode=1),
        ],
        "gse_script_agent_task": [
            {"step_instance_id": 2010, "execute_count": 0, "batch": 0, "host_id": 201,
             "agent_id": "0:10.1.0.1", "status": 9, "start_time": CREATED, "end_time": ENDED,
             "total_time": 9, "error_code": 0, "exit_code": 0, "tag": "v1", "log_offset": 4},
        ],
        "task_instance_host": [
            {"task_instance_id": 1001, "host_id": 203, "ip": "10.1.0.3", "ipv6": None},
        ],
    }  # fmt: skip


def collections() -> dict[str, list[Document]]:
    """Documents by collection, in no order that helps."""
    first, second = "第一行\n", 'second <line> & "quote"\\\t\n'
    end = len(first.encode())
    ended = end + len(second)
    stopped = "[2024-03-15 08:00:09] Job was terminated\n"
    entry = "FileName: /tmp/a FileSize: 9.0 Bytes Speed: 1 KB/s Progress: 100%\n"
    times = [{"logTime": Int64(CREATED), "content": "one\n"}, {"logTime": ENDED, "content": entry}]
    texts = ["[1999-01-01 00:00:00] one\n", f"[1999-01-01 00:00:09] {entry}"]
    return {
        f"{SCRIPT}_{JOB_DAY}": [
            chunk(9, 2000, 101, ended, second),
            chunk(3, 2000, 101, end, first),
            chunk(4, 2000, 102, 4, "bad\n"),
            chunk(5, 2000, 102, 5, "good\n", executeCount=1),
            # Platform messages carry the offset of what is there; which came first, _id tells.
            chunk(7, 2000, 103, 4, stopped),
            chunk(6, 2000, 103, 4, "run\n"),
            chunk(8, 2000, 103, 4, stopped.replace("09", "10")),
            # The very same chunk again: a call that was repeated.
            chunk(10, 2000, 103, 4, "run\n"),
            chunk(11, 2001, 101, 3, "b1\n", batch=1),
            chunk(12, 2001, 102, 3, "b2\n", batch=2),
            chunk(13, 2004, 101, 6, "1 row\n"),
            chunk(20, 2010, None, 4, "old\n", hostId=201, ip="0:10.1.0.1"),
            chunk(21, 2010, None, 4, "ip2\n", ip="0:10.1.0.2"),
            chunk(22, 2010, None, 4, "ip9\n", ip="3:10.1.0.9"),
            chunk(23, 2010, None, 4, "ip3\n", hostId=203),
        ],
        f"{FILE}_{JOB_DAY}": [
            moved(31, 0, 105, "/data/a", contentList=texts, timeLogList=times),
            moved(32, 1, 101, "/data/a", contentList=texts, timeLogList=times[:1]),
        ],
        f"{SCRIPT}_{STEP_DAY}": [],
        f"{FILE}_{STEP_DAY}": [
            moved(33, 1, 102, "/data/a", contentList=texts, status=5, size=None, speed=None,
                  process=None),
            # The same task again, as an upsert that raced with another leaves it.
            moved(34, 1, 102, "/data/a", contentList=["again\n"], status=4, process="100%"),
            moved(35, 1, 102, "shop:/b", srcExecuteObjectId=None, contentList=None, srcFileType=3,
                  taskId=None),
        ],
    }  # fmt: skip


def write_documents(folder: Path, found: dict[str, list[Document]], form: str) -> None:
    """Collections as mongoexport (canonical, relaxed, array) or mongodump (bson, bson.gz)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, documents in found.items():
        if form.startswith("bson"):
            data = b"".join(bson.encode(document) for document in documents)
            packed = PACKERS.get(form, bytes)(data)
            (folder / f"{name}.{form}").write_bytes(packed)
            (folder / f"{name}.metadata.json").write_text("{}")
            continue
        canonical = form == "canonical"
        mode = json_util.CANONICAL_JSON_OPTIONS if canonical else json_util.RELAXED_JSON_OPTIONS
        lines = [json_util.dumps(document, json_options=mode) for document in documents]
        text = f"[{','.join(lines)}]\n" if form == "array" else "".join(f"{x}\n" for x in lines)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def write_rows(folder: Path, found: dict[str, list[Row]], form: str) -> None:
    """Tables as CSV, JSON lines, `mysql -B` (tsv) or `mysqldump --tab` (tab) writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in found.items():
        columns = list(dict.fromkeys(key for row in rows for key in row))
        cells = [[row.get(column) for column in columns] for row in rows]
        if form == "csv":
            with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([columns, *cells])
        elif form == "json":
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        elif form == "tsv":
            text = _tab_separated([columns, *cells], null="NULL", line="\\n", tab="\\t")
            (folder / f"{name}.tsv").write_text(text, encoding="utf-8")
        else:
            text = _tab_separated(cells, null="\\N", line="\\\n", tab="\\\t")
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
            made = ",\n".join(f"  `{column}` text" for column in columns)
            sql = f"CREATE TABLE `{name}` (\n{made},\n  PRIMARY KEY (`{columns[0]}`)\n);\n"
            (folder / f"{name}.sql").write_text(sql, encoding="utf-8")


def _tab_separated(lines: Iterable[Iterable[Any]], *, null: str, line: str, tab: str) -> str:
    def cell(value: Any) -> str:
        if value is None:
            return null
        escaped = str(value).replace("\\", "\\\\").replace("\n", line).replace("\t", tab)
        return escaped.replace("\0", "\\0")

    return "".join("\t".join(map(cell, values)) + "\n" for values in lines)
