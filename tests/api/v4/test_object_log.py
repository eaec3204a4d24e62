"""Version 4 of the batch endpoint: its own envelope, real statuses, no null anywhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joblogs.models import LogRead
from tests.api.get_requests import Ask, leaves
from tests.builders import asking, file_log, job, load, result, script_log, step

NAME = "batch_get_job_instance_execute_object_log"
PATH = "/api/v4/" + NAME
FORMS = [
    "/api/v4/",
    "/api/v4/system/",
    "/api/bk-job/prod/api/v4/",
    "/api/bk-job/prod/api/v4/system/",
    "/api/v4/prod/api/v4/",
    "/api/v1/prod/api/v4/",
    "/prod/api/v4/",
    "/prod/api/v4/system/",
]


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


@pytest.fixture
def hello(granted: dict[str, str]) -> None:
    load(job(), step(), result(), script_log("hello\n"))


def told(ask: Ask, **fields: Any) -> Any:
    """The data of a success, which holds no null."""
    fields = {"host_id_list": [101]} | fields
    response = ask(asking(**fields), path=PATH)
    assert response.status_code == 200, response.content
    assert list(response.json()) == ["data", "job_request_id"]
    assert None not in leaves(response.json())
    return response.json()["data"]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", ["", "v4_"])
@pytest.mark.parametrize("form", FORMS)
def test_it_answers_under_every_form(
    ask: Ask, hello: None, form: str, prefix: str, slash: str
) -> None:
    response = ask(asking(host_id_list=[101]), path=form + prefix + NAME + slash)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["X-Request-ID"] == response["X-Bkapi-Request-Id"]
    assert response.json()["job_request_id"] == response["X-Bk-Job-Request-Id"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["none", "get_job_instance_ip_log", "v4_", "v3_" + NAME])
def test_an_unknown_api_is_the_gateways_404(ask: Ask, form: str, name: str) -> None:
    response = ask(b"", path=form + name, caller={})
    assert response.status_code == 404
    assert response["X-Bkapi-Error-Code"] == "1640401"
    assert "X-Request-ID" in response


@pytest.mark.parametrize("form", ["/api/v3/", "/esb/api/v3/", "/api/c/compapi/v2/jobv3/"])
def test_no_form_of_version_3_has_it(ask: Ask, form: str) -> None:
    assert "API not found" in ask(asking(), path=form + NAME).json()["message"]


def test_a_script_entry_has_its_host_and_its_text(ask: Ask) -> None:
    load(job(), step(), result(101, bk_cloud_id=3, ipv6="fd00::7"), script_log("hello\n"))
    assert told(ask) == {
        "job_instance_id": 100,
        "step_instance_id": 200,
        "log_type": 1,
        "script_step_execute_object_logs": [
            {
                "execute_object": {
                    "type": 1,
                    "resource_id": "101",
                    "host": {
                        "bk_host_id": 101,
                        "bk_cloud_id": 3,
                        "ip": "10.0.0.101",
                        "ipv6": "fd00::7",
                    },
                },
                "log_content": "hello\n",
            }
        ],
    }


def test_what_is_not_known_is_left_out(ask: Ask) -> None:
    load(job(), step(), result(101, ip=None, ipv6="fd00::7"))
    [entry] = told(ask)["script_step_execute_object_logs"]
    assert entry["execute_object"]["host"] == {
        "bk_host_id": 101,
        "bk_cloud_id": 0,
        "ipv6": "fd00::7",
    }
    assert entry["log_content"] == ""


def test_entries_come_in_the_order_of_the_request_each_once(ask: Ask) -> None:
    load(job(), step(), *(result(host) for host in (101, 102, 103)))
    entries = told(ask, host_id_list=[103, 404, 101, 103, None])["script_step_execute_object_logs"]
    assert [entry["execute_object"]["resource_id"] for entry in entries] == ["103", "101"]


def machine(host: int) -> dict[str, Any]:
    known = {"bk_host_id": host, "bk_cloud_id": 0, "ip": f"10.0.0.{host}"}
    return {"type": 1, "resource_id": str(host), "host": known}


def test_file_entries_tell_downloads_from_uploads(ask: Ask) -> None:
    done: dict[str, Any] = {
        "status": 4,
        "size": "9.0 Bytes",
        "speed": "1 KB/s",
        "process": "100%",
        "offset": 0,
    }
    load(
        job(),
        step(step_type=2),
        result(101),
        result(102, role="source"),
        result(103),
        file_log(101, content="down\n", dest_path="/srv/1.log", **done),
        file_log(102, mode=0, content="up", offset=0),
        file_log(103, src=None, src_path="bucket:x"),
    )
    data = told(ask, host_id_list=[101, 102, 103])
    assert data["log_type"] == 2
    assert "script_step_execute_object_logs" not in data
    down, up, third = data["file_step_execute_object_logs"]
    assert down == {
        "execute_object": machine(101),
        "download_log": [
            {
                "mode": 1,
                "src_execute_object": machine(102),
                "src_path": "/data/1.log",
                "dest_execute_object": machine(101),
                "dest_path": "/srv/1.log",
                "status": 4,
                "log_content": "down\n",
                "size": "9.0 Bytes",
                "speed": "1 KB/s",
                "process": "100%",
            }
        ],
    }
    assert list(up) == ["execute_object", "upload_log"]
    assert up["upload_log"] == [
        {
            "mode": 0,
            "src_execute_object": machine(102),
            "src_path": "/data/1.log",
            "status": 1,
            "log_content": "up",
            "size": "--",
            "speed": "--",
            "process": "--",
        }
    ]
    assert "src_execute_object" not in third["download_log"][0]


def test_a_host_without_files_has_neither_list(ask: Ask) -> None:
    load(job(), step(step_type=2), result(101))
    [entry] = told(ask)["file_step_execute_object_logs"]
    assert list(entry) == ["execute_object"]


@pytest.mark.parametrize(("kind", "name"), [(1, "script"), (2, "file"), (4, "script")])
def test_nothing_found_is_an_empty_list(ask: Ask, kind: int, name: str) -> None:
    load(job(), step(step_type=kind), result(101))
    for given in ({"host_id_list": [404]}, {"host_id_list": [None]}, {"host_id_list": [0]}):
        assert told(ask, **given)[f"{name}_step_execute_object_logs"] == []


def test_an_approval_has_no_log_type_and_no_list(ask: Ask) -> None:
    load(job(), step(step_type=3))
    assert told(ask) == {"job_instance_id": 100, "step_instance_id": 200}


def test_the_first_list_that_is_not_empty_counts(ask: Ask, hello: None) -> None:
    at = [{"bk_cloud_id": 0, "ip": "10.0.0.101"}]
    for given in (
        {"host_id_list": [101], "ip_list": "?", "container_id_list": "?"},
        {"host_id_list": [], "ip_list": at, "container_id_list": "?"},
        {"host_id_list": None, "ip_list": at},
    ):
        [entry] = told(ask, **given)["script_step_execute_object_logs"]
        assert entry["log_content"] == "hello\n"


def test_a_container_is_no_host_of_ours(ask: Ask, hello: None) -> None:
    data = told(ask, host_id_list=[], container_id_list=[101])
    assert data["script_step_execute_object_logs"] == []


def test_fifty_objects_pass(ask: Ask, hello: None) -> None:
    assert len(told(ask, host_id_list=[101] * 50)["script_step_execute_object_logs"]) == 1


def test_as_many_statements_for_fifty_hosts_as_for_one(ask: Ask) -> None:
    counts = []
    for count in (1, 50):
        hosts = range(101, 101 + count)
        load(job(), step(), *(result(host) for host in hosts))
        load(*(script_log("hello\n", host=host) for host in hosts))
        with CaptureQueriesContext(connection) as captured:
            told(ask, host_id_list=list(hosts))
        counts.append(len(captured.captured_queries))
    assert counts[0] == counts[1] <= 9


def test_a_read_is_recorded(ask: Ask, hello: None) -> None:
    told(ask)
    [read] = LogRead.objects.all()
    assert (read.channel, read.host_count, read.size) == ("v4_" + NAME, 1, 6)


def test_a_large_answer_is_streamed(ask: Ask, hello: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblogs.api.streaming.BUFFER_BYTES", 10)
    response = ask(asking(host_id_list=[101]), path=PATH)
    assert response.streaming
    assert b'"log_content":"hello\\n"' in b"".join(response)
