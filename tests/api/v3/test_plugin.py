"""bkci_plugin_…: what BlueKing CI's plugins ask, by the wire of BlueKing JOB."""

from __future__ import annotations

import json
from typing import Any

import pytest

from joblogs.models import LogRead
from tests.api.get_requests import SCOPE, Ask
from tests.builders import CREATED, asking, file_log, job, load, result, script_log, step

STATUS = "bkci_plugin_get_job_instance_status"
LOGS = "bkci_plugin_batch_get_job_instance_execute_object_log"
FORMS = ["/api/v3/system/", "/api/v3/", "/api/job/v3/job-execute/", "/api/bk-job/p/api/v3/system/"]


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


def answered(ask: Ask, name: str, body: Any, form: str = FORMS[0]) -> Any:
    response = ask(body, path=form + name)
    content = b"".join(response) if response.streaming else response.content
    envelope = json.loads(content)
    assert (response.status_code, envelope["result"], envelope["code"]) == (200, True, 0), envelope
    return envelope["data"]


def code_of(ask: Ask, name: str, body: Any) -> int:
    response = ask(body, path=FORMS[0] + name)
    assert response.status_code == 200
    return int(response.json()["code"])


def host(number: int, **fields: Any) -> dict[str, Any]:
    own = {"bk_host_id": number, "bk_cloud_id": 0, "bk_cloud_name": None, "ip": f"10.0.0.{number}",
           "ipv6": None, "bk_agent_id": None, "alive": None}  # fmt: skip
    return {"type": 1, "host": own | fields, "resource_id": str(number)}


@pytest.mark.parametrize("form", FORMS)
def test_status_has_every_key_also_those_that_are_null(ask: Ask, form: str) -> None:
    load(job(), step(status=3), result(101, exit_code=0, error_code=0, status=9))
    body = {**SCOPE, "job_instance_id": "100", "include_execute_object_task_result": True}
    data = answered(ask, STATUS, body, form)
    assert data["job_instance"] | {"bk_biz_id": 2, "start_time": None} == data["job_instance"]
    nothing = dict.fromkeys(("start_time", "end_time", "total_time"))
    assert data["step_instance_list"] == [
        {
            **{"step_instance_id": 200, "name": "restart", "status": 3, "type": 1},
            **{"execute_count": 0, **nothing, "create_time": CREATED},
            "execute_object_result_list": [
                {
                    **{"status": 9, "tag": None, "execute_object": host(101)},
                    **{"exit_code": 0, "error_code": 0, **nothing},
                }
            ],
        }
    ]


def test_results_are_left_out_unless_they_are_wanted(ask: Ask) -> None:
    load(job(), step(), result())
    for more in ({}, {"include_execute_object_task_result": None}):
        (one,) = answered(ask, STATUS, {**SCOPE, "job_instance_id": 100, **more})[
            "step_instance_list"
        ]
        assert "execute_object_result_list" not in one


def test_logs_of_scripts(ask: Ask) -> None:
    load(job(), step(), result(101), script_log("ok\n", host=101), result(102))
    objects = [{"type": 1, "resource_id": "102"}, {"type": "1", "resource_id": 101}]
    body = asking(execute_object_list=[*objects, {"type": 2, "resource_id": 7}])
    assert answered(ask, LOGS, body) == {
        "job_instance_id": 100,
        "step_instance_id": 200,
        "log_type": 1,
        "script_execute_object_task_logs": [
            {"execute_object": host(102), "log_content": ""},
            {"execute_object": host(101), "log_content": "ok\n"},
        ],
        "file_execute_object_task_logs": None,
    }
    read = LogRead.objects.get()
    assert (read.channel, read.size, read.host_count) == (LOGS, 3, 2)


def test_logs_of_files_both_ways_in_one_list(ask: Ask) -> None:
    load(job(), step(step_type=2), result(101), result(102, role="source"))
    load(file_log(101, offset=0, content="down\n", size="9.0 Bytes"), file_log(102, mode=0))
    body = asking(execute_object_list=[{"type": 1, "resource_id": n} for n in (101, 102)])
    first, second = answered(ask, LOGS, body)["file_execute_object_task_logs"]
    assert first["file_atomic_task_logs"] == [
        {
            **{"mode": 1, "src_execute_object": host(102), "src_path": "/data/1.log"},
            **{"dest_execute_object": host(101), "dest_path": "/tmp/1.log"},  # noqa: S108
            **{"status": 1, "log_content": "down\n", "size": "9.0 Bytes"},
            **{"speed": "--", "process": "--"},
        }
    ]
    (upload,) = second["file_atomic_task_logs"]
    assert (upload["dest_execute_object"], upload["dest_path"]) == (None, None)


def test_nothing_found_is_null_as_in_version_3(ask: Ask) -> None:
    load(job(), step(), result())
    data = answered(ask, LOGS, asking(execute_object_list=[{"type": 1, "resource_id": 999}]))
    assert data["log_type"] == 1
    assert data["script_execute_object_task_logs"] is None


ONE = [{"type": 1, "resource_id": 101}]


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        (STATUS, {**SCOPE, "job_instance_id": 0}, 1240003),
        (STATUS, {**SCOPE, "job_instance_id": 404}, 1244006),
        (STATUS, {"job_instance_id": 100}, 1240003),
        (STATUS, {**SCOPE, "bk_scope_id": "9", "job_instance_id": 100}, 1243049),
        (LOGS, asking(job=404, execute_object_list=ONE), 1244006),
        (LOGS, asking(step=404, execute_object_list=ONE), 1244006),
        (LOGS, asking(), 1240003),
        (LOGS, asking(execute_object_list=[]), 1240003),
        (LOGS, asking(execute_object_list=ONE * 501), 1240003),
        (LOGS, asking(execute_object_list=[None]), 1240003),
        (LOGS, asking(execute_object_list=[{"resource_id": 101}]), 1240003),
        (LOGS, asking(execute_object_list=[{"type": 3, "resource_id": 101}]), 1240003),
        (LOGS, asking(execute_object_list=[{"type": 1}]), 1240003),
    ],
)
def test_errors_are_those_of_version_3(ask: Ask, name: str, body: Any, code: int) -> None:
    load(job(), step(), result())
    assert code_of(ask, name, body) == code
