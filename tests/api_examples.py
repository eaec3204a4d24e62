"""The examples of docs/api.md and docs/api.zh.md: what they ask, and what the store answers.

In a page, `<!-- asked: NAME -->` stands before the block that shows a request, and
`<!-- answered: NAME -->` before the one that shows its answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from tests.builders import (
    BATCH,
    Fields,
    asking,
    credentials,
    file_log,
    job,
    result,
    script_log,
    step,
)

# Ids and tags differ from run to run.
REQUEST_ID = "3f7c1e0a9b2d4c5e8f60718293a4b5c6"
TAG = '"8a3d5f0c2b7e41960d1c3e5a7b9f2d48"'
OWN = "/api/v1/biz/2/jobs/100/steps/200/"
FAILED = "/api/v1/biz/2/jobs/101/steps/300/"
SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "2"}
STEP = {**SCOPE, "job_instance_id": 100, "step_instance_id": 200}


def stored() -> list[Fields]:
    """What the examples are about: a script on two hosts, then a file from one to the other."""
    times = {"start_time": 1_700_000_000_100, "end_time": 1_700_000_009_000, "total_time": 8900}
    run = {"status": 9, **times}
    told = "FileSize: 9.0 Bytes State: {0} success {1} file Speed: 1 KB/s Progress: 100%"
    moved: Fields = {
        "status": 4,
        "size": "9.0 Bytes",
        "speed": "1 KB/s",
        "process": "100%",
        "offset": 0,
    }
    return [
        job(status=3, operator="admin", scope_name="blueking", **times),
        step(status=3, position=1, **times),
        result(101, ip="10.0.0.1", tag="ok", exit_code=0, error_code=0, log_size=62, **run),
        script_log("[2018-03-15 14:39:30][PID:56875] job_start\nstopped\nstarted ok\n", host=101),
        result(102, ip="10.0.0.2", exit_code=1, **run | {"status": 104}),
        script_log("[2018-03-15 14:39:30][PID:16789] job_start\n", host=102),
        step(201, name="distribute", step_type=2, status=3, position=2, **times),
        result(101, step=201, ip="10.0.0.1", **run),
        result(102, step=201, ip="10.0.0.2", role="source", **run),
        file_log(
            101,
            step=201,
            dest={"bk_host_id": 101, "bk_cloud_id": 0, "ip": "10.0.0.1"},
            content="[2021-06-28 11:32:16] FileName: /tmp/1.log "
            + told.format("dest agent", "download"),
            **moved,
        )
        | {"src": {"bk_host_id": 102, "bk_cloud_id": 0, "ip": "10.0.0.2"}},
        file_log(
            102,
            mode=0,
            step=201,
            content="[2021-06-28 11:32:16] FileName: /data/1.log "
            + told.format("source agent", "upload"),
            **moved,
        )
        | {"src": {"bk_host_id": 102, "bk_cloud_id": 0, "ip": "10.0.0.2"}},
        job(101, create_time=1_700_100_000_000, status=4),
        step(300, job=101, status=4),
        result(101, job=101, step=300, ip="10.0.0.1", **run),
        script_log("backup of /data\ndone\n", host=101, job=101, step=300),
        result(102, job=101, step=300, ip="10.0.0.2", exit_code=2, **run | {"status": 104}),
        script_log(
            "backup of /data\ntar: /data: Cannot open: No space left on device\ntar: giving up\n",
            host=102,
            job=101,
            step=300,
        ),
    ]


@dataclass(frozen=True)
class Example:
    """A request; `shown` are the headers of its answer that the page shows."""

    method: str = "POST"
    path: str = BATCH
    body: Any = None
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    anonymous: bool = False
    shown: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        return self.path + ("?" + urlencode(self.query) if self.query else "")

    def asked(self) -> str:
        """As a page shows it: a body of JSON alone, else what goes over the wire."""
        if isinstance(self.body, dict):
            return pretty(self.body)
        head = [f"{self.method} {self.target}", *(f"{k}: {v}" for k, v in self.headers.items())]
        return "\n".join(head + (["", self.body] if self.body else []))

    def answered(self, client: Client, keys: dict[str, str]) -> str:
        """As the store answers."""
        body = json.dumps(self.body) if isinstance(self.body, dict) else self.body or ""
        response: Any = client.generic(
            self.method,
            self.target,
            body,
            "application/x-ndjson" if isinstance(self.body, str) else "application/json",
            headers=({} if self.anonymous else keys) | self.headers,
        )
        content = b"".join(response) if response.streaming else response.content
        if not self.shown:
            return pretty(masked(json.loads(content)))
        status = HTTPStatus(response.status_code)
        head = [f"HTTP/1.1 {status} {status.phrase}"]
        for name in self.shown:
            value = TAG if name == "ETag" else response[name]
            head.append(f"{name}: {value}")
        return "\n".join([*head, "", content.decode()]).rstrip()


def pretty(value: Any) -> str:
    """JSON as the pages show it."""
    return json.dumps(value, indent=4, ensure_ascii=False)


def masked(envelope: Any) -> Any:
    """An envelope with the id and the cursor that the pages show."""
    ids = {"job_request_id", "request_id"} & envelope.keys()
    data = envelope.get("data")
    if isinstance(data, dict) and "cursor" in data:
        data["cursor"] = "WzEsMCxbMV0sWzUxXSxbMjQ0NjMzOTYyNF1d:2fuI79PDvhDhKPklgBLgaiQk"
    return envelope | dict.fromkeys(ids, REQUEST_ID)


def _get(name: str, **query: Any) -> Example:
    return Example("GET", "/api/v3/" + name, query=STEP | query)


_SENT = [
    {
        "type": "job",
        "job_instance_id": 300,
        **SCOPE,
        "name": "nightly",
        "create_time": 1700000000000,
    },
    {
        "type": "step",
        "job_instance_id": 300,
        "step_instance_id": 301,
        "name": "run",
        "step_type": 1,
    },
    {
        "type": "host_result",
        "job_instance_id": 300,
        "step_instance_id": 301,
        "bk_host_id": 101,
        "ip": "10.0.0.1",
    },
    {
        "type": "script_log",
        "job_instance_id": 300,
        "step_instance_id": 301,
        "bk_host_id": 101,
        "offset": 4096,
        "content": "…",
    },
]
_JOB = {**SCOPE, "job_instance_id": 100}
_SPAN = {"create_time_start": 1_699_999_000_000, "create_time_end": 1_700_001_000_000}
_RUN = {"execute_count": 0, "execute_object_type": 1}
EXAMPLES: dict[str, Example] = {
    "script_logs": Example(body=asking(host_id_list=[101, 102])),
    "file_logs": Example(body=asking(step=201, host_id_list=[101, 102])),
    "by_address": Example(body=asking(ip_list=[{"bk_cloud_id": 0, "ip": "10.0.0.2"}])),
    "tail": Example(body=asking(host_id_list=[101], tail_bytes=11)),
    "grep": Example(body=asking(grep="started", grep_context=1)),
    "log_state": Example(body=asking(host_id_list=[101, 103], return_log_state=True)),
    "no_such_job": Example(body=asking(job=7)),
    "no_permission": Example(
        body=asking() | {"bk_scope_id": "3"}, headers={"Blueking-Language": "en"}
    ),
    "refused": Example(body=asking(), anonymous=True),
    "refused_esb": Example(
        path="/api/c/compapi/v2/jobv3/batch_get_job_instance_ip_log", body=asking(), anonymous=True
    ),
    "job_status": Example(
        "GET", "/api/v3/get_job_instance_status", query=_JOB | {"return_ip_result": "true"}
    ),
    "job_list": Example("GET", "/api/v3/get_job_instance_list", query=SCOPE | _SPAN),
    "host_log": _get("get_job_instance_ip_log", bk_host_id=101),
    "step_status": _get("get_step_instance_status", keyword="stopped"),
    "step_detail": _get("get_step_instance_detail"),
    "plugin_status": Example(
        path="/api/v3/system/bkci_plugin_get_job_instance_status",
        body=_JOB | {"include_execute_object_task_result": True},
    ),
    "plugin_logs": Example(
        path="/api/v3/system/bkci_plugin_batch_get_job_instance_execute_object_log",
        body=asking(execute_object_list=[{"type": 1, "resource_id": "102"}]),
    ),
    "v4_job_status": Example(
        "GET",
        "/api/v4/get_job_instance_status",
        query=_JOB | {"return_execute_object_result": "true"},
    ),
    "v4_job_list": Example("GET", "/api/v4/get_job_instance_list", query=SCOPE | _SPAN),
    "v4_scopes": Example("GET", "/api/v4/get_user_authorized_scopes"),
    "v4_script_context": Example(
        path="/api/v4/get_script_task_context",
        body=asking(execute_object_resource_id=102, **_RUN),
        headers={"Blueking-Language": "en"},
    ),
    "v4_file_context": Example(
        path="/api/v4/get_file_task_context",
        body=asking(step=201, execute_object_resource_id=101, mode=1, **_RUN),
        headers={"Blueking-Language": "en"},
    ),
    "object_logs": Example(
        path="/api/v4/batch_get_job_instance_execute_object_log", body=asking(host_id_list=[102])
    ),
    "object_logs_failed": Example(
        path="/api/v4/batch_get_job_instance_execute_object_log",
        body=asking(step=7, host_id_list=[102]),
        headers={"Blueking-Language": "en"},
    ),
    "records_read": Example("GET", "/api/v1/records"),
    "offsets": Example("GET", OWN + "offsets"),
    "log_part": Example(
        "GET",
        OWN + "hosts/101/log",
        headers={"Range": "bytes=43-50"},
        shown=(
            "Content-Type",
            "Content-Range",
            "Content-Length",
            "ETag",
            "X-Log-Size",
            "X-Log-State",
        ),
    ),
    "log_follow": Example(
        "GET",
        OWN + "hosts/101/log",
        query={"offset": 51, "wait": 10},
        shown=("Content-Type", "Content-Length", "X-Log-Size", "X-Log-State"),
    ),
    "log_beyond": Example("GET", OWN + "hosts/101/log", headers={"Range": "bytes=99-"}),
    "follow": Example("POST", OWN + "follow", {"host_id_list": [101], "max_bytes": 51}),
    "compare": Example("GET", FAILED + "compare", query={"host": 102, "with": "10.0.0.1"}),
    "search": Example("GET", FAILED + "search", query={"q": "backup", "context": 0}),
    "search_history": Example(
        "GET",
        "/api/v1/biz/2/search_history",
        query={"q": "backup", "since": "2023-11-01", "until": "2023-11-30"},
    ),
    "summary": Example("GET", FAILED + "summary"),
    "first_errors": Example("GET", FAILED + "first_errors", query={"status": "failed"}),
    "export_text": Example(
        "GET",
        "/api/v1/biz/2/export",
        query={"format": "txt", "step": 200},
        shown=("Content-Type", "Content-Disposition"),
    ),
    # Last: what it sends, the others need not answer for.
    "records_in": Example(
        path="/api/v1/records",
        body="\n".join(json.dumps(record, ensure_ascii=False) for record in _SENT),
        headers={"Blueking-Language": "en"},
    ),
}

_BLOCK = re.compile(r"<!-- (asked|answered): (\w+) -->\n```(\w*)\n(.*?)```", re.DOTALL)


def rendered(page: str, answers: Mapping[str, str]) -> str:
    """A page whose examples are the requests above and these answers."""

    def block(match: re.Match[str]) -> str:
        side, name, language, _ = match.groups()
        text = EXAMPLES[name].asked() if side == "asked" else answers[name]
        return f"<!-- {side}: {name} -->\n```{language}\n{text}\n```"

    return _BLOCK.sub(block, page)


def app_of_the_examples() -> dict[str, str]:
    """The headers of the app that asks. Another app has a scope that it may not read."""
    credentials("elsewhere", scopes=(("biz", "3"),))
    return credentials(write=True)
