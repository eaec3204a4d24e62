"""The public SDK with nothing but a token, against version 4: list, status, then logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bkapi_client_core.apigateway import APIGatewayClient, Operation, OperationGroup, bind_property

from tests.builders import CREATED, file_log, job, lines, result, script_log, step
from tests.serving import Server, manage

SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "2"}


def _operation(name: str, method: str) -> Any:
    return bind_property(Operation, name=name, method=method, path=f"/api/v4/{name}")


class V4Apis(OperationGroup):  # type: ignore[misc]
    get_user_authorized_scopes = _operation("get_user_authorized_scopes", "GET")
    get_job_instance_list = _operation("get_job_instance_list", "GET")
    get_job_instance_status = _operation("get_job_instance_status", "GET")
    get_logs = _operation("batch_get_job_instance_execute_object_log", "POST")


class TokenClient(APIGatewayClient):  # type: ignore[misc]
    _api_name = "bk-job"
    api = bind_property(V4Apis, name="api")


@pytest.fixture
def api(server: Server, number: int) -> Iterator[Any]:
    """The operations of a client that sends only `access_token`, for reading business 2."""
    assert server.post(lines(job(number)))["result"]
    limits = ("--scope", "biz:2", "--read", "--expires", "1")
    made = manage(server.environment, "create_app", "live", "--token", f"t{number}", *limits)
    root = f"http://127.0.0.1:{server.port}/api/{{api_name}}"
    client = TokenClient(endpoint=root, stage="prod")
    client.update_bkapi_authorization(access_token=made.splitlines()[-1])
    with client.session:
        yield client.api


def test_from_the_scopes_to_the_logs_of_scripts_and_files(
    api: Any, server: Server, number: int
) -> None:
    script, file = number * 10, number * 10 + 1
    records = [
        job(number, status=3, operator=f"zoe-{number}"),
        *(step(script, job=number, status=3), result(1, job=number, step=script, status=9)),
        script_log("one\n", host=1, job=number, step=script),
        step(file, job=number, status=3, step_type=2),
        result(1, job=number, step=file, status=9),
        file_log(1, job=number, step=file, offset=0, content="moved\n", status=4),
    ]
    assert server.post(lines(*records))["result"]

    (scope,) = api.get_user_authorized_scopes({})["data"]["scope_list"]
    assert (scope["bk_scope_type"], scope["bk_scope_id"]) == ("biz", "2")

    span = {"create_time_start": CREATED - 1, "create_time_end": CREATED + 1}
    listed = api.get_job_instance_list({**SCOPE, **span, "operator": f"zoe-{number}"})
    (found,) = listed["data"]["job_instance_list"]

    named = {**SCOPE, "job_instance_id": found["job_instance_id"]}
    status = api.get_job_instance_status({**named, "return_execute_object_result": "true"})["data"]
    assert status["finished"] is True
    texts = []
    for one in status["step_instance_list"]:
        objects = [r["execute_object"] for r in one["step_execute_object_result_list"]]
        hosts = [int(o["resource_id"]) for o in objects]
        step_named = {"step_instance_id": one["step_instance_id"], "host_id_list": hosts}
        logs = api.get_logs({**named, **step_named})["data"]
        for entry in logs.get("script_step_execute_object_logs", ()):
            texts.append(entry["log_content"])
        for entry in logs.get("file_step_execute_object_logs", ()):
            texts += [log["log_content"] for log in entry["download_log"]]
    assert texts == ["one\n", "moved\n"]
