"""The public SDKs as their users call them: status, then hosts, then their logs.

`bkapi-client-core` speaks the gateway form, `bkapi-component-open` the ESB's; both are real clients
against a real server. What they raise or return is their own way to say it (clients-facts 1.2).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bkapi_client_core.apigateway import APIGatewayClient, Operation, OperationGroup, bind_property
from bkapi_client_core.exceptions import APIGatewayResponseError
from bkapi_component.open.client import Client as ComponentClient

from tests.builders import file_log, job, lines, result, script_log, step
from tests.serving import Server

SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "2"}


def _operation(name: str, method: str, *, system: bool = False) -> Any:
    path = f"/api/v3/{'system/' if system else ''}{name}"
    return bind_property(Operation, name=name, method=method, path=path)


class JobApis(OperationGroup):  # type: ignore[misc]
    """As bkapi-client-generator writes it from bk-job's resources."""

    get_job_instance_status = _operation("get_job_instance_status", "GET")
    batch_get_job_instance_ip_log = _operation("batch_get_job_instance_ip_log", "POST")
    get_job_instance_ip_log = _operation("get_job_instance_ip_log", "GET", system=True)
    get_job_instance_list = _operation("get_job_instance_list", "GET", system=True)


class GatewayClient(APIGatewayClient):  # type: ignore[misc]
    _api_name = "bk-job"
    api = bind_property(JobApis, name="api")


@pytest.fixture
def job_number(server: Server, number: int) -> int:
    """A job with a script step on three hosts, one of them silent, and a file step."""
    records = [
        job(number, status=3),
        step(number * 10, job=number, status=3),
        *(result(host, job=number, step=number * 10, status=9) for host in (1, 2, 3)),
        script_log("one\n", host=1, job=number, step=number * 10),
        script_log("二\n", host=2, job=number, step=number * 10),
        step(number * 10 + 1, job=number, status=3, step_type=2),
        result(1, job=number, step=number * 10 + 1, status=9),
        file_log(1, job=number, step=number * 10 + 1, offset=0, content="moved\n", status=4),
    ]
    assert server.post(lines(*records))["result"]
    return number


Calls = dict[str, Callable[..., Any]]


def _keys(server: Server) -> dict[str, str]:
    keys: dict[str, str] = json.loads(server.headers["X-Bkapi-Authorization"])
    return keys


@pytest.fixture(params=["gateway", "component"])
def calls(request: pytest.FixtureRequest, server: Server) -> Iterator[Calls]:
    """Status and logs, as each SDK offers them; both send a GET's and a POST's data their way."""
    root = f"http://127.0.0.1:{server.port}"
    if request.param == "gateway":
        client: Any = GatewayClient(endpoint=root + "/api/{api_name}", stage="prod")
        group = client.api
    else:
        client = ComponentClient(endpoint=root, bk_api_ver="v2")
        group = client.jobv3
    client.update_bkapi_authorization(**_keys(server))
    with client.session:
        yield {
            "status": lambda **data: group.get_job_instance_status(data),
            "logs": lambda **data: group.batch_get_job_instance_ip_log(data),
            "one": lambda **data: group.get_job_instance_ip_log(data),
            "authorize": client.update_bkapi_authorization,
        }


def test_status_then_hosts_then_logs(calls: Calls, job_number: int) -> None:
    status = calls["status"](**SCOPE, job_instance_id=job_number, return_ip_result=True)
    assert status["result"] is True
    assert status["data"]["finished"] is True
    script, file = status["data"]["step_instance_list"]
    hosts = [found["bk_host_id"] for found in script["step_ip_result_list"]]
    assert hosts == [1, 2, 3]

    logs = calls["logs"](
        **SCOPE,
        job_instance_id=job_number,
        step_instance_id=script["step_instance_id"],
        host_id_list=hosts,
    )
    found = {log["host_id"]: log["log_content"] for log in logs["data"]["script_task_logs"]}
    assert found == {1: "one\n", 2: "二\n", 3: ""}

    moved = calls["logs"](
        **SCOPE,
        job_instance_id=job_number,
        step_instance_id=file["step_instance_id"],
        ip_list=[{"bk_cloud_id": 0, "ip": file["step_ip_result_list"][0]["ip"]}],
    )
    (entry,) = moved["data"]["file_task_logs"]
    assert [log["log_content"] for log in entry["file_logs"]] == ["moved\n"]


def test_one_hosts_log_by_its_address(calls: Calls, job_number: int) -> None:
    log = calls["one"](
        **SCOPE,
        job_instance_id=job_number,
        step_instance_id=job_number * 10,
        bk_cloud_id=0,
        ip="10.0.0.2",
    )
    assert log["data"]["log_content"] == "二\n"


def test_a_business_error_is_returned_for_the_caller_to_look_at(
    calls: Calls, job_number: int
) -> None:
    answer = calls["status"](**SCOPE, job_instance_id=job_number + 10**9)
    assert (answer["result"], answer["code"]) == (False, 1244006)
    assert answer["message"] == "作业实例不存在"


def test_a_refusal_surfaces_the_way_the_sdk_reports_it(calls: Calls, number: int) -> None:
    calls["authorize"](bk_app_code="live", bk_app_secret="wrong")
    gateway = isinstance(getattr(calls["authorize"], "__self__", None), APIGatewayClient)
    if not gateway:
        answer = calls["status"](**SCOPE, job_instance_id=number)
        assert (answer["result"], answer["code"], answer["data"]) == (False, 1306401, None)
        return
    with pytest.raises(APIGatewayResponseError) as refused:
        calls["status"](**SCOPE, job_instance_id=number)
    assert refused.value.response.status_code == 400
    assert refused.value.response.headers["X-Bkapi-Error-Code"] == "1640001"
    assert "bk_app_code or bk_app_secret is incorrect" in str(refused.value)


def test_the_esb_client_is_answered_in_the_language_that_it_sets(
    server: Server, job_number: int
) -> None:
    client = ComponentClient(endpoint=f"http://127.0.0.1:{server.port}", language="en")
    client.update_bkapi_authorization(**_keys(server))
    with client.session:
        answer = client.jobv3.get_job_instance_status(
            {**SCOPE, "job_instance_id": job_number + 10**9}
        )
    assert answer["message"] == "Task instance does not exist"
    assert answer["request_id"] == answer["job_request_id"]
