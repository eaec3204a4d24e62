"""What real clients need, by number, on the batch endpoint.

R6, R20, R21 and R30 are about the endpoints read by GET (test_get_routes and its neighbours), R40
is in test_gateway_tokens. docs/api.md decides otherwise on R9, R13's language, R17's "neither",
R26's null lists and R34's form of id.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from tests import builders
from tests.builders import BATCH, Fields, asking, file_log, job, load, result, script_log, step

pytestmark = pytest.mark.django_db

X = "batch_get_job_instance_ip_log"
GATEWAY = f"/api/bk-job/prod/api/v3/{X}"
ESB = f"/api/c/compapi/v2/jobv3/{X}/"
TEXT = "<a href='x'>&amp;</a>\n\n二 \t\r\nend\n"

Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def _store(granted: Any) -> None:
    load(
        job(),
        step(),
        result(1, status=9),
        result(2, status=104),
        result(3, ip=None, ipv6="fd00::3", status=9),
        script_log(TEXT, host=1),
        job(9, bk_scope_type="biz_set", bk_scope_id="9000001"),
        step(job=9),
        step(201, step_type=2),
        result(1, step=201, status=9),
        file_log(1, step=201, offset=0, content="moved\n", status=4),
    )


PATHS = [
    pytest.param(GATEWAY, id="R1"),
    pytest.param(GATEWAY + "/", id="R1 slash"),
    pytest.param(f"/api/bk-job/prod/api/v3/system/{X}/", id="R2"),
    pytest.param(f"/api/v3/system/{X}", id="R2 bare"),
    pytest.param(ESB, id="R3"),
    pytest.param(ESB.rstrip("/"), id="R3 no slash"),
    pytest.param(f"/api/c/compapi/jobv3/{X}/", id="R3 no version"),
    pytest.param(f"/api/job/v3/job-execute/{X}/", id="R4"),
    pytest.param(f"/prod/api/v3/system/{X}/", id="R5"),
    pytest.param(f"/api/jobv3-cloud/stag/api/v3/{X}", id="R7"),
]


@pytest.mark.parametrize("path", PATHS)
def test_r1_to_r7_every_address_answers_without_a_redirect(ask: Ask, path: str) -> None:
    response = ask(asking(host_id_list=[1]), path=path)
    assert (response.status_code, response.json()["result"]) == (200, True)


@pytest.mark.parametrize("name", ["X-Bkapi-Authorization", "x-bkapi-authorization"])
def test_r8_the_header_may_be_written_in_many_ways(ask: Ask, granted: Any, name: str) -> None:
    keys = json.loads(granted["X-Bkapi-Authorization"])
    said = {**keys, "bk_token": "", "access_token": None, "userId": "u", "bk_ticket": ""}
    header = json.dumps(said, indent=1).replace("\n", " ")
    response = ask(asking(host_id_list=[1]), caller={name: header})
    assert response.json()["result"] is True


def test_r10_the_esb_takes_credentials_from_query_or_body(ask: Ask, granted: Any) -> None:
    keys = json.loads(granted["X-Bkapi-Authorization"])
    assert ask(asking() | keys, path=ESB, caller={}).json()["result"] is True
    query = f"?bk_app_code={keys['bk_app_code']}&bk_app_secret={keys['bk_app_secret']}"
    assert ask(asking(), path=ESB + query, caller={}).json()["result"] is True
    assert ask(asking() | keys, path=GATEWAY, caller={}).status_code == 400


def test_r11_with_a_header_parameters_are_not_looked_at(ask: Ask) -> None:
    wrong = {"bk_app_code": "nobody", "bk_app_secret": "wrong"}
    assert ask(asking(host_id_list=[1]) | wrong, path=ESB).json()["result"] is True


def test_r12_a_header_that_is_not_json_is_refused_like_the_gateway_does(ask: Ask) -> None:
    response = ask(asking(), path=GATEWAY, caller={"X-Bkapi-Authorization": "bk_app_code=x"})
    assert response.status_code == 400
    assert "is not a valid JSON" in response["X-Bkapi-Error-Message"]


def test_r13_other_headers_and_cookies_change_nothing(ask: Ask) -> None:
    others = {
        "X-Bkapi-App-Code": "nobody",
        "X-Bkapi-App-Secret": "wrong",
        "X-Bkapi-User-Name": "root",
        "X-Bkapi-Request-Id": "mine",
        "X-Bkapi-Accept-Code-Type": "int",
        "X-DATA-REQUEST-ID": "1",
        "X-Use-Test-Env": "true",
        "Accept-Language": "en",
        "X-Bk-Tenant-Id": "other",
        "X-METHOD-OVERRIDE": "GET",
        "Cookie": "bk_token=1; sessionid=2",
    }
    plain, other = ask(asking(host_id_list=[1])), ask(asking(host_id_list=[1]), headers=others)
    assert other.json()["data"] == plain.json()["data"]
    assert other["X-Bkapi-Request-Id"] != "mine"


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "text/plain; charset=utf-8", ""]
)
def test_r14_the_body_is_json_for_every_type_that_clients_send(ask: Ask, kind: str) -> None:
    assert ask(asking(host_id_list=[1]), content_type=kind).json()["result"] is True


def test_r15_numbers_may_be_texts(ask: Ask) -> None:
    said = {
        "bk_scope_type": "biz",
        "bk_scope_id": 2,
        "job_instance_id": "100",
        "step_instance_id": " 200 ",
        "host_id_list": ["1", 2],
    }
    logs = ask(said).json()["data"]["script_task_logs"]
    assert [log["host_id"] for log in logs] == [1, 2]


@pytest.mark.parametrize(
    ("scope", "number"),
    [
        ({"bk_biz_id": 2}, 100),
        ({"bk_biz_id": "2"}, 100),
        ({"bk_biz_id": 9000001}, 9),
        ({"bk_biz_id": 77, "bk_scope_type": "biz", "bk_scope_id": "2"}, 100),
    ],
)
def test_r16_a_business_alone_names_the_scope_and_the_pair_wins(
    scope: dict[str, Any], number: int
) -> None:
    everywhere = builders.credentials("everywhere", all_scopes=True)
    body = {"job_instance_id": number, "step_instance_id": 200} | scope
    answer = Client().post(BATCH, body, content_type="application/json", headers=everywhere)
    assert answer.json()["result"] is True


@pytest.mark.parametrize("unused", [[], None])
def test_r17_an_empty_list_counts_as_not_given(ask: Ask, unused: Any) -> None:
    by_address = {"ip_list": [{"bk_cloud_id": 0, "ip": "10.0.0.2"}], "host_id_list": unused}
    by_id = {"ip_list": unused, "host_id_list": [2]}
    for said in (by_address, by_id):
        logs = ask(asking(**said)).json()["data"]["script_task_logs"]
        assert [log["host_id"] for log in logs] == [2]


def test_r18_500_hosts_pass_and_501_do_not(ask: Ask) -> None:
    assert ask(asking(host_id_list=list(range(1, 501)))).json()["code"] == 0
    assert ask(asking(host_id_list=list(range(1, 502)))).json()["code"] == 1241007


def test_r19_unknown_fields_and_query_parameters_are_ignored(ask: Ask) -> None:
    extra = {"appenv": "prod", "auth_info": {}, "uin": 1, "operator": "x", "bk_username": "y"}
    response = ask(asking(host_id_list=[1]) | extra, path=GATEWAY + "?bklog_request_id=7")
    assert response.json()["result"] is True


@pytest.mark.parametrize("body", [b"{broken", b"[]", b"", json.dumps(asking(7)).encode()])
def test_r22_every_business_error_is_http_200(ask: Ask, body: bytes) -> None:
    response = ask(body)
    assert (response.status_code, response.json()["result"]) == (200, False)


@pytest.mark.parametrize("path", [GATEWAY, ESB])
@pytest.mark.parametrize("number", [100, 7])
def test_r23_r32_the_envelope_has_the_types_that_go_and_kotlin_need(
    ask: Ask, path: str, number: int
) -> None:
    envelope = ask(asking(number, host_id_list=[1]), path=path).json()
    assert type(envelope["result"]) is bool
    assert type(envelope["code"]) is int
    assert type(envelope["message"]) is str
    assert type(envelope["job_request_id"]) is str
    assert (envelope["message"] == "") == envelope["result"]
    assert ("request_id" in envelope) == (path == ESB)


def test_r24_r25_entries_carry_every_key_whoever_reads_them(ask: Ask) -> None:
    by_address: Fields = {"ip_list": [{"bk_cloud_id": 0, "ip": "fd00::3"}, {"bk_host_id": 1}]}
    third, first = ask(asking(**by_address)).json()["data"]["script_task_logs"]
    assert (third["bk_host_id"], third["host_id"], third["ip"], third["ipv6"]) == (
        *(3, 3, None),
        "fd00::3",
    )
    assert (first["bk_host_id"], first["host_id"], first["ip"], first["ipv6"]) == (
        *(1, 1, "10.0.0.1"),
        None,
    )
    assert type(first["bk_cloud_id"]) is int


def test_r26_only_the_list_of_the_steps_kind_is_there_and_never_null(ask: Ask) -> None:
    script = ask(asking(host_id_list=[77])).json()["data"]
    assert (script["script_task_logs"], "file_task_logs" in script) == ([], False)
    file = ask(asking(step=201, host_id_list=[1])).json()["data"]
    assert "script_task_logs" not in file
    assert file["file_task_logs"][0]["file_logs"] != []


def test_r27_every_host_that_the_status_lists_has_an_entry(ask: Ask, granted: Any) -> None:
    status = Client().get(
        "/api/v3/get_job_instance_status",
        {"bk_biz_id": "2", "job_instance_id": "100", "return_ip_result": "True"},
        headers=granted,
    )
    listed = status.json()["data"]["step_instance_list"][0]["step_ip_result_list"]
    hosts = [found["bk_host_id"] for found in listed]
    logs = ask(asking(host_id_list=hosts)).json()["data"]["script_task_logs"]
    assert [log["bk_host_id"] for log in logs] == hosts == [1, 2, 3]


def test_r28_r29_text_is_never_null_and_comes_as_it_is(ask: Ask) -> None:
    logs = ask(asking(host_id_list=[1, 2])).json()["data"]["script_task_logs"]
    assert [log["log_content"] for log in logs] == [TEXT, ""]


def test_r31_a_missing_permission_says_what_to_apply_for(ask: Ask, elsewhere: Any) -> None:
    response = ask(asking(host_id_list=[1]), caller=elsewhere)
    envelope = response.json()
    assert (response.status_code, envelope["code"]) == (200, 9900403)
    (action,) = envelope["permission"]["actions"]
    assert envelope["permission"]["system_id"] == "bk_job"
    assert action["related_resource_types"][0]["instances"][0][0]["id"] == "2"


@pytest.mark.parametrize("body", [asking(host_id_list=[1]), asking(7), {}])
def test_r33_an_answer_of_the_backend_never_looks_like_a_refusal(ask: Ask, body: Any) -> None:
    response = ask(body, path=GATEWAY)
    assert "X-Bkapi-Error-Code" not in response.headers
    refused = ask(body, path=GATEWAY, caller={})
    assert refused["X-Bkapi-Error-Code"] == str(refused.json()["code"])


def test_r34_r36_every_answer_carries_its_ids_and_is_json(ask: Ask) -> None:
    for response in (ask(asking(), path=GATEWAY), ask(asking(), path=GATEWAY, caller={})):
        assert str(uuid.UUID(response["X-Bkapi-Request-Id"])) == response["X-Bkapi-Request-Id"]
        assert response["X-Request-ID"]
        assert response["Content-Type"] == "application/json"
    traced = ask(asking(), path=GATEWAY, headers={"X-Request-ID": "caller-1"})
    assert traced["X-Request-ID"] == "caller-1"


def test_r37_reads_may_be_repeated(ask: Ask) -> None:
    first, second = (ask(asking(host_id_list=[1, 2, 3])).json()["data"] for _ in range(2))
    assert first == second


@pytest.mark.django_db(transaction=True)
def test_r39_many_calls_at_once_are_all_answered(granted: Any) -> None:
    results: list[bool] = []

    def call() -> None:
        try:
            body = asking(host_id_list=[1, 2, 3])
            answer = Client().post(BATCH, body, content_type="application/json", headers=granted)
            results.append(answer.json()["result"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8


@pytest.mark.parametrize("number", ["1e9999999", "-1e9999999", "1e19", "1e-9999999"])
def test_a_number_with_any_exponent_is_answered_as_a_bad_one(ask: Ask, number: str) -> None:
    body = json.dumps(asking()).replace('"job_instance_id": 100', f'"job_instance_id": {number}')
    assert ask(body.encode()).json()["code"] == 1240003
