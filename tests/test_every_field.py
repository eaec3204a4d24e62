"""Every field of every record: taken in, stored, exported, imported again, answered and documented.

The samples and the table of answers are held against the record structs, so that a field that is
added to a struct fails here until each of these places knows it.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from joblogs import records
from tests import builders
from tests.builders import CREATED, Fields, load
from tests.export.exporting import comes_back
from tests.pages.page_helpers import staff

ROOT = Path(__file__).resolve().parent.parent
TEXT = b"one\ntwo\n"
PLACE = {"job_instance_id": 100, "bk_scope_type": "biz", "bk_scope_id": "2"}
SCRIPT = PLACE | {"step_instance_id": 200, "execute_count": 3, "batch": 2}
FILES = PLACE | {"step_instance_id": 201, "execute_count": 3, "batch": 2}
TIMES = {"start_time": CREATED + 100, "end_time": CREATED + 9100, "total_time": 8900}

SOURCE: Fields = {
    **{"account": "mysql", "file_type": 1, "files": ["/data/1.log"]},
    "hosts": [{"bk_host_id": 102, "bk_cloud_id": 6, "ip": "10.0.0.2", "ipv6": "fd00::2"}],
}
JOB: Fields = {
    **{"type": "job", **PLACE, **TIMES},
    **{"name": "a job", "operator": "zoe", "source": "cron", "launch_mode": 3, "task_type": 2},
    **{"status": 4, "create_time": CREATED, "execute_count": 5, "scope_name": "Shop"},
    **{"update_time": CREATED + 9200, "expired": {"at": CREATED + 9300, "policy": "logs"}},
}
STEP: Fields = {
    **{"type": "step", **PLACE, **TIMES, "step_instance_id": 200, "name": "a step"},
    **{"step_type": 1, "position": 7, "status": 4, "execute_count": 3},
    **{"create_time": CREATED + 50, "update_time": CREATED + 9201},
    **{"script_language": 4, "account": "root", "timeout": 7200, "file_target_path": "/srv/"},
    **{"script_param": "--all", "script_param_sensitive": False, "file_sources": [SOURCE]},
}
HOST_RESULT: Fields = {
    **{"type": "host_result", **SCRIPT, **TIMES, "bk_host_id": 101, "bk_cloud_id": 6},
    **{"ip": "10.0.0.1", "ipv6": "fd00::1", "host_name": "web-1", "status": 104, "tag": "bad"},
    **{"exit_code": 9, "error_code": 8, "role": "target", "actual_execute_count": 3},
    **{"log_size": len(TEXT), "log_sha256": hashlib.sha256(TEXT).hexdigest()},
    **{"update_time": CREATED + 9202, "received_size": len(TEXT), "truncated": True},
    **{"redacted": [[4, 7]]},
}
SCRIPT_LOG: Fields = {
    **{"type": "script_log", **SCRIPT, "bk_host_id": 101, "offset": 0},
    **{"content": TEXT.decode(), "content_base64": base64.b64encode(b"\xff").decode()},
}
ENDS: dict[str, Fields] = {
    "src": {"bk_host_id": 102, "bk_cloud_id": 6, "ip": "10.0.0.2", "ipv6": "fd00::2"},
    "dest": {"bk_host_id": 101, "bk_cloud_id": 6, "ip": "10.0.0.1", "ipv6": "fd00::1"},
}
FILE_LOG: Fields = {
    **{"type": "file_log", **FILES, **ENDS, "bk_host_id": 101, "mode": 1, "task_key": "key"},
    **{"src_path": "/data/1.log", "dest_path": "/srv/1.log", "status": 5, "size": "9.0 Bytes"},
    **{"speed": "1 KB/s", "process": "99%", "offset": 0, "content": TEXT.decode()},
    **{"content_base64": base64.b64encode(b"\xff").decode(), "update_time": CREATED + 9203},
    **{"received_size": len(TEXT), "truncated": True, "redacted": [[4, 7]]},
}
SAMPLES = {
    records.Job: JOB,
    records.Step: STEP,
    records.HostResult: HOST_RESULT,
    records.ScriptLog: SCRIPT_LOG,
    records.FileLog: FILE_LOG,
}

TASK = (
    *("script_language", "account", "timeout", "script_param", "script_param_sensitive"),
    *("file_sources", "file_target_path"),
)

NOT_TOGETHER = {
    "expired": "an expired job has no logs",
    "content_base64": "instead of content",
    "redacted": "a masked log has no digest",
    "truncated": "a truncated log is longer than what it holds",
    "received_size": "said of logs that are not all that came",
}
"""Fields that a complete log does not carry, and why: they have stores of their own below."""

ANSWERED: dict[tuple[str, str], str] = {
    **{("job", name): name for name in (*PLACE, *TIMES, "name", "operator", "launch_mode")},
    **{("job", name): name for name in ("status", "create_time")},
    ("job", "task_type"): "type",
    **{("step", name): name for name in ("step_instance_id", *TIMES, "name", "status")},
    **{("step", name): name for name in ("execute_count", "create_time")},
    ("step", "step_type"): "type",
    **{("host_result", name): name for name in ("bk_host_id", "bk_cloud_id", "ip", "ipv6", "tag")},
    **{("host_result", name): name for name in ("status", "exit_code", "error_code", *TIMES)},
    ("script_log", "bk_host_id"): "bk_host_id",
    ("script_log", "content"): "log_content",
    **{("file_log", name): name for name in ("bk_host_id", "mode", "src_path", "dest_path")},
    **{("file_log", name): name for name in ("status", "size", "speed", "process")},
    ("file_log", "src"): "src_ip",
    ("file_log", "dest"): "dest_ip",
    ("file_log", "content"): "log_content",
}
"""The key under which the API answers a field."""

NOT_ANSWERED: dict[tuple[str, str], str] = {
    ("job", "source"): "BlueKing JOB's answers have no such key; pages and exports show it",
    ("job", "execute_count"): "tells newer records of a job from older ones",
    ("job", "scope_name"): "shown where access is refused, and by the pages",
    ("step", "position"): "the order of the steps",
    **{("step", name): "parts of get_step_instance_detail, tried there" for name in TASK},
    (
        "host_result",
        "host_name",
    ): "BlueKing JOB's answers have no such key; pages and exports show it",
    ("host_result", "execute_count"): "chooses the attempt",
    ("host_result", "batch"): "chooses the rolling batch",
    ("host_result", "role"): "chooses between target and source",
    ("host_result", "actual_execute_count"): "says which attempt ran",
    ("host_result", "log_size"): "the log's state tells completeness",
    ("host_result", "log_sha256"): "the log's state tells completeness",
    **{(kind, "update_time"): "tells newer records from older ones" for kind in ("job", "step")},
    **{
        (kind, "update_time"): "tells newer records from older ones"
        for kind in ("host_result", "file_log")
    },
    **{("step", name): "named in the request" for name in PLACE},
    **{("host_result", name): "named in the request" for name in (*PLACE, "step_instance_id")},
    **{("script_log", name): "named in the request" for name in (*PLACE, "step_instance_id")},
    **{("file_log", name): "named in the request" for name in (*PLACE, "step_instance_id")},
    **{("script_log", name): "chooses the text" for name in ("execute_count", "batch", "offset")},
    **{("file_log", name): "chooses the text" for name in ("execute_count", "batch", "offset")},
    ("file_log", "task_key"): "the order of the files",
    **{
        (kind, name): why
        for name, why in NOT_TOGETHER.items()
        for kind in ("job", "host_result", "script_log", "file_log")
    },
}

_ROW = "a row is of a host: the job's name and number say which job"

V4_JOB = {name: name for name in (*PLACE, *TIMES, "name", "operator", "launch_mode", "status")}
V4_JOB |= {"create_time": "create_time", "task_type": "type"}
"""The key under which version 4 answers a field of a job."""

JOB_COLUMNS = {name: name for name in PLACE} | {"name": "job_name"}
"""The column of the table (CSV) that holds a field of a job."""

ON_JOB_PAGE = {
    **{"job_instance_id": "100", "name": "a job", "operator": "zoe", "status": "failed"},
    **{"scope_name": "Shop", "launch_mode": "schedule", "total_time": "8.9 s"},
    "start_time": "2023-11-14 22:13:20",
}
"""How the page of the job shows a field."""

IN_JOB_LIST = {
    **{"job_instance_id": "/jobs/100/", "name": "a job", "operator": "zoe", "status": ">failed<"},
    **{"scope_name": "Shop", "total_time": "8.9 s", "create_time": "2023-11-14 22:13:20"},
    **{"bk_scope_type": "?scope=biz:", "bk_scope_id": "?scope=biz:2"},
}
"""How the page that lists jobs shows a field."""

JOB_ELSEWHERE: dict[str, dict[str, str]] = {
    "version 4": {
        "source": NOT_ANSWERED["job", "source"],
        "execute_count": NOT_ANSWERED["job", "execute_count"],
        "scope_name": NOT_ANSWERED["job", "scope_name"],
        "update_time": NOT_ANSWERED["job", "update_time"],
        "expired": NOT_TOGETHER["expired"],
    },
    "table": {
        **dict.fromkeys(("operator", "launch_mode", "task_type", "source", "scope_name"), _ROW),
        **dict.fromkeys((*TIMES, "create_time", "update_time", "status", "execute_count"), _ROW),
        "expired": "the column `state` says it of each log",
    },
    "page of the job": {
        **dict.fromkeys(("bk_scope_type", "bk_scope_id"), "the scope's name stands for them"),
        "task_type": "its steps say their kind",
        "source": "the admin shows it",
        "execute_count": NOT_ANSWERED["job", "execute_count"],
        "update_time": NOT_ANSWERED["job", "update_time"],
        "create_time": "start_time where it has started",
        "end_time": "start_time and duration",
        "expired": "a job with logs has not expired",
    },
    "list of jobs": {
        **dict.fromkeys(("launch_mode", "task_type", "source"), "a form filters by it, or the job"),
        **dict.fromkeys(("start_time", "end_time"), "the time of creation, and the duration"),
        "execute_count": NOT_ANSWERED["job", "execute_count"],
        "update_time": NOT_ANSWERED["job", "update_time"],
        "expired": "a job with logs has not expired",
    },
}
"""Fields of a job that a place does not show, and why."""


def fields() -> Iterator[tuple[str, str]]:
    """Type and name of every field of a record that says something about a job."""
    for struct in SAMPLES:
        for name in struct.__struct_encode_fields__:
            yield str(struct.__struct_config__.tag), name


def complete(sample: Fields, **without: Any) -> Fields:
    """A sample without the fields that a complete log does not carry."""
    return {name: value for name, value in sample.items() if name not in NOT_TOGETHER}


def store_everything() -> None:
    """A store in which every field has a value of its own."""
    files = {"step_instance_id": 201, "step_type": 2, "position": 8}
    owner = complete(HOST_RESULT) | {"step_instance_id": 201, "log_size": None, "log_sha256": None}
    load(complete(JOB), complete(STEP), complete(HOST_RESULT), complete(SCRIPT_LOG))
    load(complete(STEP) | files, owner, complete(FILE_LOG))


@pytest.fixture
def call(db: None) -> Callable[..., Any]:
    """Ask an API of a client's, and give the data of its answer."""
    headers = builders.credentials()
    client = Client()

    def call(name: str, **body: Any) -> Any:
        answer = client.post(
            f"/api/v3/{name}", json.dumps(body), "application/json", headers=headers
        ).json()
        assert answer["code"] == 0, answer
        return answer["data"]

    return call


def test_every_field_of_a_record_has_a_sample() -> None:
    for struct, sample in SAMPLES.items():
        assert set(sample) - {"type"} == set(struct.__struct_encode_fields__), struct


def test_every_field_is_answered_or_it_says_why_not() -> None:
    everything = set(fields())
    assert not set(ANSWERED) & set(NOT_ANSWERED)
    assert everything <= set(ANSWERED) | set(NOT_ANSWERED)
    assert set(ANSWERED) <= everything


@pytest.mark.django_db
def test_every_field_comes_back_out_of_an_export_and_again_after_an_import() -> None:
    store_everything()
    exported = [json.loads(line) for line in comes_back().splitlines()[1:]]
    for sample in SAMPLES.values():
        (record,) = [
            record
            for record in exported
            if record["type"] == sample["type"]
            and record.get("step_instance_id") == sample.get("step_instance_id")
        ]
        expected = complete(sample)
        if sample["type"] != "job":  # its records name the job alone: the export named it before
            expected = {k: v for k, v in expected.items() if not k.startswith("bk_scope")}
        assert record == expected


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(NOT_TOGETHER))
def test_what_a_complete_log_does_not_carry_comes_back_too(name: str) -> None:
    job = complete(JOB) | ({"expired": JOB["expired"]} if name == "expired" else {})
    result, log = complete(HOST_RESULT), complete(SCRIPT_LOG)
    if name == "content_base64":
        log = {**log, "content": None, "content_base64": SCRIPT_LOG[name]}
        result = result | {"log_size": None, "log_sha256": None}
    if name == "redacted":
        log["content"] = "one\n***\n"
        result = result | {"log_sha256": None, name: HOST_RESULT[name]}
    if name in ("truncated", "received_size"):
        result = result | {
            "truncated": True,
            "received_size": 20,
            "log_sha256": None,
            "log_size": None,
        }
    load(job, complete(STEP), result, *([] if name == "expired" else [log]))
    exported = comes_back().decode()
    assert f'"{name}":' in exported


def test_every_answered_field_is_answered(call: Callable[..., Any]) -> None:
    store_everything()
    (job,) = call(
        "get_job_instance_list",
        bk_scope_type="biz",
        bk_scope_id="2",
        create_time_start=CREATED - 1,
        create_time_end=CREATED + 1,
    )["data"]
    status = call(
        "get_job_instance_status",
        bk_scope_type="biz",
        bk_scope_id="2",
        job_instance_id=100,
        return_ip_result=True,
    )
    step = status["step_instance_list"][0]
    (host,) = step["step_ip_result_list"]
    script = call("batch_get_job_instance_ip_log", **builders.asking(step=200))
    (entry,) = script["script_task_logs"]
    files = call("batch_get_job_instance_ip_log", **builders.asking(step=201))
    (file_entry,) = files["file_task_logs"]
    answers = {
        "job": job,
        "step": step,
        "host_result": entry | host,
        "script_log": entry,
        "file_log": file_entry | file_entry["file_logs"][0],
    }
    for sample in SAMPLES.values():
        kind = sample["type"]
        for name, value in complete(sample).items():
            if (kind, name) in ANSWERED:
                assert answers[kind][ANSWERED[kind, name]] == value, (kind, name)


def test_every_answered_key_is_described_by_the_openapi_document() -> None:
    described = Client().get("/api/v1/schema").content.decode()
    for key in set(ANSWERED.values()):
        assert f'"{key}"' in described, key


def test_every_field_and_every_answered_key_is_documented() -> None:
    language = (ROOT / "docs" / "records.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*)$", language, re.M))
    for kind, name in fields():
        if name not in ("bk_scope_type", "bk_scope_id") or kind == "job":
            assert re.search(rf"\b{name}\b", rows[kind]), (kind, name)
    for document in ("api.md", "api.zh.md"):
        text = (ROOT / "docs" / document).read_text("utf-8")
        for key in set(ANSWERED.values()):
            assert re.search(rf"\b{key}\b", text), (document, key)


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        *(("version 4", V4_JOB), ("table", JOB_COLUMNS)),
        *(("page of the job", ON_JOB_PAGE), ("list of jobs", IN_JOB_LIST)),
    ],
)
def test_each_place_shows_a_field_of_a_job_or_says_why_not(
    place: str, shown: dict[str, str]
) -> None:
    everything = {name for kind, name in fields() if kind == "job"}
    assert set(shown) | set(JOB_ELSEWHERE[place]) == everything
    assert not set(shown) & set(JOB_ELSEWHERE[place])


def test_version_4_the_table_and_the_pages_show_a_job(db: None) -> None:
    store_everything()
    headers = builders.credentials()
    span = {"create_time_start": CREATED - 1, "create_time_end": CREATED + 1}
    asked: dict[str, str | int] = {"bk_scope_type": "biz", "bk_scope_id": "2", **span}
    answer = Client().get("/api/v4/get_job_instance_list", asked, headers=headers).json()
    (entry,) = answer["data"]["job_instance_list"]
    assert {key: entry[key] for key in V4_JOB.values()} == {
        key: JOB[name] for name, key in V4_JOB.items()
    }
    table = Client().get("/api/v1/biz/2/export?format=csv&job=100", headers=headers)
    rows = list(csv.DictReader(io.StringIO(table.getvalue().decode())))
    for row in rows:
        assert {key: row[key] for key in JOB_COLUMNS.values()} == {
            key: str(JOB[name]) for name, key in JOB_COLUMNS.items()
        }
    reader = staff("mallory")
    page = reader.get("/logs/biz/2/jobs/100/").content.decode()
    for name, shown in ON_JOB_PAGE.items():
        assert shown in page, name
    listed = reader.get("/logs/").content.decode().partition("<tbody>")[2]  # the form names scopes
    for name, shown in IN_JOB_LIST.items():
        assert shown in listed, name
