"""Dialects in which clients reach the endpoint, and headers of every answer (docs/api.md)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.builders import BATCH, asking, job, load, result, script_log, step

NAME = "batch_get_job_instance_ip_log"
GATEWAY = ["/api/bk-job/prod/api/v3/", "/api/jobv3-cloud/stag/api/v3/system/", "/prod/api/v3/"]
MORE_GATEWAYS = ["/api/a.b_c/1/api/v3/", "/api/v1/prod/api/v3/", "/stag/api/v3/system/"]
BACKEND = ["/api/job/v3/job-execute/", "/esb/api/v3/"]
ESB = ["/api/c/compapi/v2/jobv3/", "/api/c/compapi/jobv3/"]
FORMS = [*GATEWAY, *MORE_GATEWAYS, "/api/v3/", "/api/v3/system/", *BACKEND, *ESB]

Ask = Callable[..., Any]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("form", FORMS)
def test_it_answers_under_every_form_with_and_without_a_slash(
    ask: Ask, form: str, slash: str
) -> None:
    load(job(), step(), result(), script_log("hello\n"))
    response = ask(asking(), path=form + NAME + slash)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json()["data"]["script_task_logs"][0]["log_content"] == "hello\n"
    assert not response.cookies


@pytest.mark.parametrize("form", ["/admin/api/v3/", "/static/api/v3/", "/api/admin/admin/api/v3/"])
def test_a_stage_may_have_the_name_of_a_page_of_ours(ask: Ask, form: str) -> None:
    load(job(), step())
    assert ask(asking(), path=form + NAME).json()["code"] == 0
    assert ask(b"", path=form + NAME, method="GET").status_code == 405
    assert ask(b"", path=form + "no_such_api", method="GET").status_code == 404


@pytest.mark.parametrize("form", FORMS)
def test_only_the_esb_repeats_the_request_id_in_the_body(ask: Ask, form: str) -> None:
    load(job(), step())
    for body in (asking(), asking(job=404)):
        envelope = ask(body, path=form + NAME).json()
        assert envelope.get("request_id") == (envelope["job_request_id"] if form in ESB else None)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("outcome", ["success", "error", "refusal", "no such API", "405"])
def test_every_answer_carries_fresh_ids_of_ours(ask: Ask, form: str, outcome: str) -> None:
    load(job(), step())
    ways: dict[str, dict[str, Any]] = {
        "success": {"body": asking()},
        "error": {"body": asking(job=404)},
        "refusal": {"body": asking(), "caller": {}},
        "no such API": {"body": asking(), "path": form + "no_such_api"},
        "405": {"body": asking(), "method": "PUT"},
    }
    of_caller = {"X-Bkapi-Request-Id": str(uuid.uuid4()), "X-Bk-Job-Request-Id": "mine"}
    how = {"path": form + NAME, "headers": of_caller, **ways[outcome]}
    answers = [ask(**how) for _ in range(2)]
    ids = {answer["X-Bkapi-Request-Id"] for answer in answers}
    assert len(ids) == 2 and of_caller["X-Bkapi-Request-Id"] not in ids
    assert all(uuid.UUID(one).version == 4 and len(one) == 36 for one in ids)
    for answer in answers:
        assert answer["X-Bk-Job-Request-Id"] not in ("", "mine")
        body = answer.json()
        assert (
            body.get("job_request_id", answer["X-Bk-Job-Request-Id"])
            == (answer["X-Bk-Job-Request-Id"])
        )
        assert ("X-Bkapi-Error-Code" in answer) == (body["code"] in (1640001, 1640401))


@pytest.mark.parametrize("form", [*GATEWAY, *MORE_GATEWAYS])
def test_a_gateway_gives_back_the_callers_trace_id_else_its_own(ask: Ask, form: str) -> None:
    load(job(), step())
    traced = ask(asking(), path=form + NAME, headers={"X-Request-ID": "trace-1"})
    assert traced["X-Request-ID"] == "trace-1"
    assert traced["X-Bkapi-Request-Id"] != "trace-1"
    untraced = ask(asking(), path=form + NAME)
    assert untraced["X-Request-ID"] == untraced["X-Bkapi-Request-Id"]


@pytest.mark.parametrize("form", [*BACKEND, *ESB])
def test_what_no_gateway_passed_on_has_no_trace_id(ask: Ask, form: str) -> None:
    load(job(), step())
    traced = ask(asking(), path=form + NAME, headers={"X-Request-ID": "trace-1"})
    assert "X-Request-ID" not in traced


@pytest.mark.parametrize("form", ["/api/bk-job/prod/api/v3/", "/esb/api/v3/", ESB[0]])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PURGE"])
def test_another_method_is_405_with_an_envelope_after_the_credentials(
    ask: Ask, form: str, method: str
) -> None:
    load(job(), step())
    response = ask(asking(), path=form + NAME, method=method)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert response["Content-Type"] == "application/json"
    assert "X-Bkapi-Error-Code" not in response
    if method != "HEAD":
        envelope = response.json()
        assert (envelope["result"], envelope["code"], envelope["data"]) == (False, 1240003, None)
    stranger = ask(asking(), path=form + NAME, method=method, caller={})
    assert stranger.status_code == (200 if form in ESB else 400)
    if method != "HEAD":
        assert stranger.json()["code"] == (1306401 if form in ESB else 1640001)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("form", [*FORMS, "/api/"])
def test_no_such_api_is_told_before_any_credentials(ask: Ask, form: str, method: str) -> None:
    response = ask(b"", path=form + "no_such_api", method=method, caller={})
    body = response.json()
    assert body["message"] == f'API not found [method="{method}" path="{form}no_such_api"]'
    if form in ESB:
        assert response.status_code == 200
        assert list(body) == ["result", "code", "message", "data", "request_id"]
        assert (body["result"], body["code"], body["data"]) == (False, 1306401, None)
        assert "X-Bkapi-Error-Code" not in response
    else:
        assert response.status_code == 404
        assert list(body) == ["code", "code_name", "message", "result", "data"]
        assert (body["code"], body["code_name"]) == (1640401, "API_NOT_FOUND")
        assert response["X-Bkapi-Error-Code"] == "1640401"
        assert response["X-Bkapi-Error-Message"] == body["message"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (f"{NAME}/more/", f"{NAME}/more/"),
        (f"{NAME}%0A", f"{NAME}%0A"),
        (f"{NAME}//", f"{NAME}//"),
        ("作业%22%0d%0ax", "%E4%BD%9C%E4%B8%9A%22%0D%0Ax"),
    ],
)
def test_the_path_of_no_api_is_told_percent_encoded(ask: Ask, asked: str, told: str) -> None:
    response = ask(b"", path="/api/v3/" + asked, method="GET")
    assert response.status_code == 404
    assert f'path="/api/v3/{told}"]' in response["X-Bkapi-Error-Message"]


ACCEPTED = [
    "application/json",
    "*/*",
    "text/html",
    "application/xml",
    "text/html, */*;q=0",
    "",
    "?",
]


@pytest.mark.parametrize("accept", ACCEPTED)
def test_an_answer_is_json_whatever_the_client_accepts(ask: Ask, accept: str) -> None:
    load(job(), step(), result(), script_log("hello\n"))
    ways: list[tuple[dict[str, Any], int]] = [
        ({"body": asking()}, 0),
        ({"body": asking(job=404)}, 1244006),
        ({"body": asking(), "caller": {}}, 1640001),
        ({"body": b"", "method": "GET"}, 1240003),
        ({"body": b"", "method": "GET", "path": "/api/v3/none"}, 1640401),
    ]
    for how, code in ways:
        response = ask(headers={"Accept": accept}, **how)
        assert response["Content-Type"] == "application/json"
        assert response.json()["code"] == code


@pytest.mark.parametrize(
    "query",
    [
        "bklog_request_id=1",
        "format=html",
        "format=api",
        "job_instance_id=7&bk_app_code=x",
        "%ff=%00",
    ],
)
@pytest.mark.parametrize("form", ["/api/v3/", "/api/bk-job/prod/api/v3/", ESB[0]])
def test_a_query_string_changes_nothing(ask: Ask, form: str, query: str) -> None:
    load(job(), step(), result(), script_log("hello\n"))
    data = ask(asking(), path=f"{form}{NAME}?{query}").json()["data"]
    assert data["script_task_logs"][0]["log_content"] == "hello\n"


def test_a_query_string_of_very_many_fields_changes_nothing(ask: Ask) -> None:
    load(job(), step())
    assert ask(asking(), path=f"{BATCH}?{'a=1&' * 2000}").json()["code"] == 0


@pytest.mark.parametrize("path", [BATCH, "/api/v3/none", ESB[0] + NAME])
def test_a_host_name_that_is_not_allowed_is_refused_in_json(ask: Ask, path: str) -> None:
    response = ask(asking(), path=path, headers={"Host": "elsewhere.example"})
    assert response["Content-Type"] == "application/json"
    assert response.json()["result"] is False


@pytest.mark.parametrize("cookie", ["sessionid=x", "sessionid=", "sessionid=" + "a" * 32, "bk=1"])
def test_a_callers_cookies_bring_no_cookies(ask: Ask, cookie: str) -> None:
    load(job(), step())
    for path in (BATCH, "/api/v3/none"):
        assert not ask(asking(), path=path, headers={"Cookie": cookie}).cookies


def test_a_staff_session_neither_opens_the_door_nor_asks_for_a_csrf_token(
    granted: dict[str, str],
) -> None:
    load(job(), step())
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    kind = "application/json"
    assert client.post(BATCH, asking(), kind).json()["code"] == 1640001
    response = client.post(BATCH, asking(), kind, headers=granted)
    assert response.json()["code"] == 0
    assert not response.cookies


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("asked", ["", "en"])
def test_the_language_of_an_answer_is_said_and_is_that_of_its_message(
    ask: Ask, form: str, asked: str
) -> None:
    load(job(), step())
    headers = {"Blueking-Language": asked, "Accept-Language": "zh-CN" if asked else "en"}
    language = asked or "zh-hans"
    expected: list[tuple[Any, dict[str, Any], str, str]] = [
        (asking(), {}, language, ""),
        (asking(404), {}, language, "Task instance does not exist" if asked else "作业实例不存在"),
        (b"{", {}, language, "Bad Request [" if asked else "错误的请求 ["),
        (asking(), {"caller": {}}, "en", "Parameters error ["),
    ]
    for body, how, said, message in expected:
        response = ask(body, path=form + NAME, headers=headers, **how)
        assert response["Content-Language"] == said
        assert response.json()["message"].startswith(message)
