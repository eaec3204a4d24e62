"""What the endpoints read by GET share with the batch endpoint: routes, callers, envelopes."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.get_requests import BOTH, EVERY, GET_ONLY, Ask, error_of, get, wanted
from tests.builders import asking, credentials, job, load, result, script_log, step

GATEWAY = ["/api/bk-job/prod/api/v3/", "/api/jobv3-cloud/stag/api/v3/system/", "/prod/api/v3/"]
BARE = ["/api/v3/", "/api/v3/system/"]
BACKEND = ["/api/job/v3/job-execute/", "/esb/api/v3/"]
ESB = ["/api/c/compapi/v2/jobv3/", "/api/c/compapi/jobv3/"]
FORMS = [*GATEWAY, *BARE, *BACKEND, *ESB]
OTHER_METHODS = ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


@pytest.fixture(autouse=True)
def hello(granted: dict[str, str]) -> None:
    load(job(), step(), result(), script_log("hello\n"))


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", EVERY)
def test_an_endpoint_answers_a_get_in_every_dialect(
    ask: Ask, name: str, form: str, slash: str
) -> None:  # R6
    path = f"{form}{name}{slash}?{urlencode(wanted(name))}"
    response = ask(b"", method="GET", path=path)
    envelope = response.json()
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"  # R36
    assert envelope["code"] == 0
    assert list(envelope)[:5] == ["result", "code", "message", "data", "job_request_id"]
    assert envelope["message"] == ""  # R23
    assert envelope["job_request_id"] == response["X-Bk-Job-Request-Id"]
    assert ("request_id" in envelope) == (form in ESB)
    assert ("X-Request-ID" in response) == (form in [*GATEWAY, *BARE])


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8", ""])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", BOTH)
def test_three_endpoints_answer_a_post_too_and_the_same(
    ask: Ask, name: str, form: str, kind: str
) -> None:  # R6, R14
    posted = ask(wanted(name), path=form + name, content_type=kind).json()
    assert posted["code"] == 0
    assert posted["data"] == get(ask, name, form=form).json()["data"]


@pytest.mark.parametrize("name", BOTH)
def test_ids_may_be_texts_in_a_body_as_they_are_in_a_query(ask: Ask, name: str) -> None:  # R4, R15
    texts = {key: str(value) for key, value in wanted(name).items()}
    assert ask(texts, path="/esb/api/v3/" + name).json()["code"] == 0


@pytest.mark.parametrize("method", OTHER_METHODS)
@pytest.mark.parametrize("name", EVERY)
def test_another_method_is_405_after_the_credentials(ask: Ask, name: str, method: str) -> None:
    _is_405(ask, name, method)


@pytest.mark.parametrize("name", GET_ONLY)
def test_two_endpoints_are_get_only(ask: Ask, name: str) -> None:  # R6
    _is_405(ask, name, "POST")


def _is_405(ask: Ask, name: str, method: str) -> None:
    path = "/api/v3/" + name
    response = ask(asking(), path=path, method=method)
    allowed = "GET, POST" if name in BOTH else "GET"
    assert (response.status_code, response["Allow"]) == (405, allowed)
    assert "X-Bkapi-Error-Code" not in response.headers
    if method != "HEAD":
        assert response.json()["code"] == 1240003
    assert ask(asking(), path=path, method=method, caller={}).status_code == 400


@pytest.mark.parametrize("name", EVERY)
def test_nobody_is_refused_as_at_the_gateway(
    ask: Ask, name: str, unknown: dict[str, str]
) -> None:  # R33
    for caller, reason in (({}, "app code cannot be empty"), (unknown, "app not found")):
        path = f"/api/v3/{name}?{urlencode(wanted(name))}"
        response = ask(b"", method="GET", path=path, caller=caller)
        assert response.status_code == 400
        assert response["X-Bkapi-Error-Code"] == "1640001"
        assert response.json()["message"] == f'Parameters error [reason="{reason}"]'


@pytest.mark.parametrize("name", EVERY)
def test_the_esb_takes_credentials_from_the_query(
    ask: Ask, name: str, granted: dict[str, str]
) -> None:  # R10
    keys = json.loads(granted["X-Bkapi-Authorization"])
    path = f"{ESB[0]}{name}/?{urlencode(wanted(name) | keys)}"
    assert ask(b"", method="GET", path=path, caller={}).json()["code"] == 0
    assert ask(b"", method="GET", path=path.replace(ESB[0], "/api/v3/"), caller={}).json()[
        "code"
    ] == (1640001)


@pytest.mark.parametrize("name", EVERY)
def test_the_esb_refuses_with_200(ask: Ask, name: str) -> None:
    response = ask(b"", method="GET", path=ESB[0] + name, caller={})
    assert (response.status_code, response.json()["code"]) == (200, 1306401)


@pytest.mark.parametrize("name", EVERY)
def test_a_stranger_to_the_scope_is_told_what_is_missing(
    ask: Ask, name: str, elsewhere: dict[str, str]
) -> None:  # R31
    path = f"/api/v3/{name}?{urlencode(wanted(name))}"
    response = ask(b"", method="GET", path=path, caller=elsewhere)
    envelope = response.json()
    assert (response.status_code, envelope["code"]) == (200, 9900403)
    assert envelope["permission"]["actions"][0]["id"] == "access_business"


@pytest.mark.parametrize("name", [name for name in EVERY if name != "get_job_instance_list"])
def test_a_job_of_another_scope_is_no_job(ask: Ask, name: str, elsewhere: dict[str, str]) -> None:
    load(job(bk_scope_id="3", number=300), step(300, job=300), result(job=300, step=300))
    own = SCOPE_3 | wanted(name, bk_scope_id=None)
    foreign = ask(
        b"", method="GET", path=f"/api/v3/{name}?{urlencode(own)}", caller=elsewhere
    ).json()
    missing = ask(
        b"",
        method="GET",
        path=f"/api/v3/{name}?{urlencode(own | {'job_instance_id': 404})}",
        caller=elsewhere,
    ).json()
    assert foreign["code"] == missing["code"] == 1244006
    assert foreign | {"job_request_id": ""} == missing | {"job_request_id": ""}


SCOPE_3 = {"bk_scope_type": "biz", "bk_scope_id": "3"}


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ({"bk_scope_type": None, "bk_scope_id": None}, 1240003),
        ({"bk_scope_type": None}, 1240003),
        ({"bk_scope_id": None}, 1240003),
        ({"bk_scope_type": "galaxy"}, 1241005),
        ({"bk_scope_id": "404"}, 1243049),
        ({"bk_scope_id": "02"}, 1243049),
        ({"bk_scope_id": "\0"}, 1243049),
        ({"bk_scope_type": None, "bk_scope_id": None, "bk_biz_id": "x"}, 1240003),
        ({"bk_scope_type": None, "bk_scope_id": None, "bk_biz_id": "8000002"}, 1243049),
    ],
)
@pytest.mark.parametrize("name", EVERY)
def test_the_scope_is_judged_before_any_field(
    ask: Ask, name: str, scope: dict[str, Any], code: int
) -> None:
    broken = {"job_instance_id": "?", "step_instance_id": "?", "create_time_start": "?"}
    assert error_of(ask, name, **broken, **scope)[0] == code


@pytest.mark.parametrize("name", EVERY)
def test_a_business_alone_names_the_scope(ask: Ask, name: str) -> None:  # R16
    given: dict[str, Any] = {"bk_scope_type": None, "bk_scope_id": None, "bk_biz_id": "2"}
    assert get(ask, name, **given).json()["code"] == 0


@pytest.mark.parametrize("name", EVERY)
def test_unknown_and_blank_parameters_count_as_absent(ask: Ask, name: str) -> None:  # R19
    extra = {"bk_username": "zoe", "bklog_request_id": "1", "execute_count": " ", "start": ""}
    assert get(ask, name, **extra).json()["data"] == get(ask, name).json()["data"]


@pytest.mark.parametrize("name", EVERY)
def test_a_query_of_very_many_fields_is_refused(ask: Ask, name: str) -> None:
    path = f"/api/v3/{name}?{'a=1&' * 2000}"
    response = ask(b"", method="GET", path=path)
    assert (response.status_code, response.json()["code"]) == (200, 1240003)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(ask: Ask, name: str, body: bytes) -> None:  # R22
    response = ask(body, path="/api/v3/" + name)
    assert (response.status_code, response.json()["code"]) == (200, 1240003)


ID_PROBLEMS = [None, "", "0", "-1", "1.5", "abc", "true", str(2**63)]


@pytest.mark.parametrize("value", ID_PROBLEMS)
@pytest.mark.parametrize("name", [name for name in EVERY if name != "get_job_instance_list"])
def test_an_id_that_is_none_is_named(ask: Ask, name: str, value: str | None) -> None:  # R32
    for field in set(wanted(name)) & {"job_instance_id", "step_instance_id"}:
        message = f"请求参数[{field}]缺失或不合法"
        assert error_of(ask, name, **{field: value}) == (1241007, message)


@pytest.mark.parametrize("name", EVERY)
def test_errors_speak_english_when_asked(ask: Ask, name: str) -> None:
    field = "create_time_start" if name == "get_job_instance_list" else "job_instance_id"
    path = f"/api/v3/{name}?{urlencode(wanted(name, **{field: 0}))}"
    response = ask(b"", method="GET", path=path, headers={"Blueking-Language": "EN"})
    message = f"Missing or invalid request parameter [{field}]"
    assert response.json()["message"] == message


@pytest.mark.parametrize("name", EVERY)
def test_a_store_that_cannot_answer_says_so_and_nothing_else(
    ask: Ask, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a secret")

    monkeypatch.setattr("joblogs.access.jobs_in", broken)
    code, message = error_of(ask, name)
    assert (code, message) == (1240002, "内部服务器异常")


def test_credentials_alone_do_not_open_another_scope(ask: Ask) -> None:
    other = credentials("other", scopes=(("biz", "3"),))
    load(job(bk_scope_id="3", number=300))
    path = f"/api/v3/get_job_instance_list?{urlencode(wanted('get_job_instance_list'))}"
    assert ask(b"", method="GET", path=path, caller=other).json()["code"] == 9900403
    mine = get(ask, "get_job_instance_list").json()["data"]["data"]
    assert [entry["job_instance_id"] for entry in mine] == [100]
