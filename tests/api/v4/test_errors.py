"""What version 4 answers when it cannot: a status, a word, a number, and no null anywhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.get_requests import Ask, leaves
from tests.builders import asking, job, load, result, script_log, step

PATH = "/api/v4/batch_get_job_instance_execute_object_log"


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


@pytest.fixture
def hello(granted: dict[str, str]) -> None:
    load(job(), step(), result(), script_log("hello\n"))


def failed(ask: Ask, body: Any, **how: Any) -> tuple[int, str, str]:
    """Status, word and number of a failure, which holds no null."""
    response = ask(body, **{"path": PATH, **how})
    envelope = response.json()
    assert list(envelope) == ["error", "job_request_id"]
    assert envelope["job_request_id"] == response["X-Bk-Job-Request-Id"]
    assert "X-Bkapi-Error-Code" not in response.headers
    assert None not in leaves(envelope)
    error = envelope["error"]
    [detail] = error["details"]
    assert detail["message"] == error["message"] != ""
    return response.status_code, error["code"], detail["code"]


def test_nobody_is_refused_as_at_the_gateway(ask: Ask, unknown: dict[str, str]) -> None:
    for caller in ({}, unknown):
        response = ask(asking(), path=PATH, caller=caller)
        assert (response.status_code, response.json()["code"]) == (400, 1640001)
        assert response["X-Bkapi-Error-Code"] == "1640001"


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_another_method_is_405(ask: Ask, method: str) -> None:
    response = ask(asking(), path=PATH, method=method)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert response.json()["error"]["code"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "lists",
    [
        {},
        {"host_id_list": [], "ip_list": [], "container_id_list": []},
        {"host_id_list": [101] * 51},
        {"ip_list": [{"bk_host_id": 101}] * 51},
        {"container_id_list": [101] * 51},
    ],
)
def test_one_to_fifty_objects_are_named(ask: Ask, hello: None, lists: dict[str, Any]) -> None:
    assert failed(ask, asking(**lists)) == (400, "INVALID_ARGUMENT", "1241007")
    message = ask(asking(**lists), path=PATH).json()["error"]["message"]
    assert message == "请求参数[host_id_list/ip_list/container_id_list]缺失或不合法"


FAILURES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({"bk_scope_type": None}, (400, "INVALID_ARGUMENT", "1240003")),
    ({"bk_scope_type": "galaxy"}, (400, "INVALID_ARGUMENT", "1241005")),
    ({"bk_scope_id": "404"}, (404, "NOT_FOUND", "1243049")),
    ({"job": 0}, (400, "INVALID_ARGUMENT", "1240003")),
    ({"step": "x"}, (400, "INVALID_ARGUMENT", "1240003")),
    ({"host_id_list": "101"}, (400, "INVALID_ARGUMENT", "1240003")),
    ({"host_id_list": [True]}, (400, "INVALID_ARGUMENT", "1240003")),
    ({"ip_list": [{}], "host_id_list": []}, (400, "INVALID_ARGUMENT", "1240003")),
    ({"container_id_list": 5, "host_id_list": []}, (400, "INVALID_ARGUMENT", "1240003")),
    ({"job": 404}, (404, "NOT_FOUND", "1244006")),
    ({"step": 404}, (404, "NOT_FOUND", "1244007")),
]


@pytest.mark.parametrize(("given", "told"), FAILURES)
def test_a_failure_has_a_status_a_word_and_a_number(
    ask: Ask, hello: None, given: dict[str, Any], told: tuple[int, str, str]
) -> None:
    assert failed(ask, asking(**{"host_id_list": [101], **given})) == told


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_400(ask: Ask, body: bytes) -> None:
    assert failed(ask, body) == (400, "INVALID_ARGUMENT", "1240003")


def test_another_type_of_body_is_400(ask: Ask) -> None:
    how = {"content_type": "application/xml"}
    assert failed(ask, asking(), **how) == (400, "INVALID_ARGUMENT", "1240003")


def test_messages_are_those_of_version_3_in_both_languages(ask: Ask, hello: None) -> None:
    body = asking(bk_scope_type="galaxy")
    assert ask(body, path=PATH).json()["error"]["message"] == "请求参数[bk_scope_type]不合法"
    english = ask(body, path=PATH, headers={"Blueking-Language": "en"}).json()
    assert english["error"]["message"] == "Invalid request parameter [bk_scope_type]"


def test_a_stranger_to_the_scope_is_told_what_is_missing(
    ask: Ask, hello: None, elsewhere: dict[str, str]
) -> None:
    body = asking(host_id_list=[101])
    found = failed(ask, body, caller=elsewhere)
    assert found == (403, "NO_PERMISSION", "9900403")
    error = ask(body, path=PATH, caller=elsewhere).json()["error"]
    assert list(error) == ["code", "message", "data", "details"]
    assert error["data"]["actions"][0]["id"] == "access_business"


def test_a_job_of_another_scope_is_no_job(ask: Ask, hello: None, elsewhere: dict[str, str]) -> None:
    load(job(300, bk_scope_id="3"))
    body = asking(bk_scope_id="3", host_id_list=[101])
    assert failed(ask, body, caller=elsewhere) == (404, "NOT_FOUND", "1244006")


def test_a_store_that_cannot_answer_is_a_500(
    ask: Ask, hello: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a secret")

    monkeypatch.setattr("joblogs.query.hosts_named", broken)
    found = failed(ask, asking(host_id_list=[101]))
    assert found == (500, "INTERNAL", "1240002")
