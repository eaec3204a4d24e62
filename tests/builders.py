"""Records and credentials for tests: plain functions, every key can be overridden."""

from __future__ import annotations

import io
import json
from typing import Any

from joblogs import access
from joblogs.access import OPERATOR, Writer
from joblogs.ingest import Report, ingest
from joblogs.ingest.stream import numbered_lines

Fields = dict[str, Any]
JOB, STEP, HOST, CREATED = 100, 200, 101, 1_700_000_000_000
BATCH = "/api/v3/batch_get_job_instance_ip_log"


def job(number: int = JOB, **fields: Any) -> Fields:
    return {
        "type": "job",
        "job_instance_id": number,
        "bk_scope_type": "biz",
        "bk_scope_id": "2",
        "name": "restart web",
        "create_time": CREATED,
    } | fields


def step(number: int = STEP, *, job: int = JOB, **fields: Any) -> Fields:
    return {
        "type": "step",
        "job_instance_id": job,
        "step_instance_id": number,
        "name": "restart",
        "step_type": 1,
    } | fields


def result(host: int = HOST, *, job: int = JOB, step: int = STEP, **fields: Any) -> Fields:
    return {
        "type": "host_result",
        "job_instance_id": job,
        "step_instance_id": step,
        "bk_host_id": host,
        "ip": f"10.0.{host // 256 % 256}.{host % 256}",
    } | fields


def script_log(
    content: str | None = "hello\n",
    *,
    host: int = HOST,
    offset: int = 0,
    job: int = JOB,
    step: int = STEP,
    **fields: Any,
) -> Fields:
    return {
        "type": "script_log",
        "job_instance_id": job,
        "step_instance_id": step,
        "bk_host_id": host,
        "offset": offset,
        "content": content,
    } | fields


def file_log(
    host: int = HOST,
    *,
    mode: int = 1,
    source: int = 102,
    job: int = JOB,
    step: int = STEP,
    **fields: Any,
) -> Fields:
    """A download to `host` from `source`, or with mode 0 the upload from `host`."""
    src = host if mode == 0 else source
    record: Fields = {
        "type": "file_log",
        "job_instance_id": job,
        "step_instance_id": step,
        "bk_host_id": host,
        "mode": mode,
        "src": {"bk_host_id": src, "bk_cloud_id": 0, "ip": f"10.0.0.{src % 256}"},
        "src_path": "/data/1.log",
    }
    if mode == 1:
        record["dest"] = {"bk_host_id": host, "bk_cloud_id": 0, "ip": f"10.0.0.{host % 256}"}
        record["dest_path"] = "/tmp/1.log"  # noqa: S108 - a path in a record, not one of ours
    return record | fields


def lines(*records: Fields | str) -> bytes:
    """Records as the body or file that carries them."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in records]
    return "\n".join(texts).encode()


def send(*records: Fields | str, writer: Writer = OPERATOR) -> Report:
    """Ingest records; the report says what was refused."""
    return ingest(numbered_lines(io.BytesIO(lines(*records)).read), writer=writer)


def load(*records: Fields | str) -> Report:
    """Ingest records of which none may be refused."""
    report = send(*records)
    assert report.refused == []
    return report


def credentials(
    code: str = "granted",
    *,
    scopes: tuple[tuple[str, str], ...] = (("biz", "2"),),
    all_scopes: bool = False,
    read: bool = True,
    write: bool = False,
    user: str = "zoe",
) -> dict[str, str]:
    """Headers of an app that is made, or extended, with these rights."""
    _, secret = access.create_app(
        code=code, scopes=scopes, all_scopes=all_scopes, read=read, write=write, rotate=True
    )
    keys = {"bk_app_code": code, "bk_app_secret": secret, "bk_username": user}
    return {"X-Bkapi-Authorization": json.dumps(keys)}


def asking(job: int = JOB, step: int = STEP, **fields: Any) -> Fields:
    """A request body of the batch endpoint."""
    scope = {"bk_scope_type": "biz", "bk_scope_id": "2"}
    return scope | {"job_instance_id": job, "step_instance_id": step} | fields
