"""Credentials: the header, the ESB's parameters, and refusals (docs/api.md, Credentials)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from joblogs.models import App, LogRead
from tests.builders import BATCH, asking, credentials, job, load, result, script_log, step

ESB = "/api/c/compapi/v2/jobv3/batch_get_job_instance_ip_log"
OTHER_FORMS = [BATCH, "/esb/api/v3/batch_get_job_instance_ip_log", "/prod" + BATCH]
HEADER = "X-Bkapi-Authorization"
NO_CODE = "app code cannot be empty"
NOT_JSON = "request header X-Bkapi-Authorization is not a valid JSON"
NO_SECRET = "please provide bk_app_secret or bk_signature to verify app"
NOT_FOUND = "app not found"
WRONG = "bk_app_code or bk_app_secret is incorrect"

Ask = Callable[..., Any]


def keys_of(headers: dict[str, str]) -> dict[str, Any]:
    return dict(json.loads(headers[HEADER]))


def said(**keys: Any) -> dict[str, str]:
    return {HEADER: json.dumps(keys)}


def assert_refused(response: Any, reason: str) -> None:
    message = f'Parameters error [reason="{reason}"]'
    body = response.json()
    assert response["Content-Type"] == "application/json"
    if response.request["PATH_INFO"] == ESB:
        assert response.status_code == 200
        assert "X-Bkapi-Error-Code" not in response
        assert "X-Bkapi-Error-Message" not in response
        request_id = {"request_id": response["X-Bk-Job-Request-Id"]}
        told = {"result": False, "code": 1306401, "message": message, "data": None}
        assert json.dumps(body) == json.dumps(told | request_id)
        return
    assert response.status_code == 400
    assert response["X-Bkapi-Error-Code"] == "1640001"
    assert response["X-Bkapi-Error-Message"] == message
    told = {"code": 1640001, "code_name": "INVALID_ARGS", "message": message}
    assert json.dumps(body) == json.dumps(told | {"result": False, "data": None})


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, NO_CODE),
        ("", NO_CODE),
        ("{}", NO_CODE),
        ('{"bk_app_secret": "s"}', NO_CODE),
        ('{"bk_app_code": null, "bk_app_secret": "s"}', NO_CODE),
        ('{"bk_app_code": "", "bk_app_secret": "s"}', NO_CODE),
        ('{"bk_app_code": 5, "bk_app_secret": "s"}', NO_CODE),
        ('{"bk_app_code": ["granted"], "bk_app_secret": "s"}', NO_CODE),
        ('{"access_token": "t", "bk_token": "t", "bk_ticket": "t"}', NO_CODE),
        ("granted", NOT_JSON),
        ("[]", NOT_JSON),
        ("null", NOT_JSON),
        ('"granted"', NOT_JSON),
        ("{'bk_app_code': 'granted'}", NOT_JSON),
        ('{"bk_app_code": "granted"', NOT_JSON),
        ('{"bk_app_code": "granted\xff"}', NOT_JSON),
        ('{"x": ' + "[" * 50_000, NOT_JSON),
        ('{"bk_app_code": "granted"}', NO_SECRET),
        ('{"bk_app_code": "granted", "bk_app_secret": null}', NO_SECRET),
        ('{"bk_app_code": "granted", "bk_app_secret": ""}', NO_SECRET),
        ('{"bk_app_code": "granted", "bk_app_secret": 7, "bk_token": "t"}', NO_SECRET),
        ('{"bk_app_code": "granted", "access_token": "t"}', NO_SECRET),
        ('{"bk_app_code": "unknown", "bk_app_secret": "s"}', NOT_FOUND),
        ('{"bk_app_code": "Granted", "bk_app_secret": "s"}', NOT_FOUND),
        ('{"bk_app_code": "granted\\u0000", "bk_app_secret": "s"}', NOT_FOUND),
        ('{"bk_app_code": "granted\\ud800", "bk_app_secret": "s"}', NOT_FOUND),
        ('{"bk_app_code": "granted", "bk_app_secret": "s"}', WRONG),
        ('{"bk_app_code": "granted", "bk_app_secret": "\\ud800\\u0000"}', WRONG),
    ],
)
def test_it_refuses_whoever_does_not_prove_who_they_are(
    ask: Ask, header: str | None, reason: str
) -> None:
    caller = {} if header is None else {HEADER: header}
    for path in (*OTHER_FORMS, ESB):
        assert_refused(ask(asking(), path=path, caller=caller), reason)


@pytest.mark.parametrize("path", [BATCH, ESB])
def test_it_refuses_a_disabled_app_like_a_wrong_secret(ask: Ask, path: str) -> None:
    App.objects.update(active=False)
    assert_refused(ask(asking(), path=path), WRONG)


def test_it_refuses_the_secret_of_another_app_and_one_that_was_replaced(
    ask: Ask, granted: dict[str, str], elsewhere: dict[str, str]
) -> None:
    keys = keys_of(granted) | {"bk_app_secret": keys_of(elsewhere)["bk_app_secret"]}
    assert_refused(ask(asking(), caller=said(**keys)), WRONG)
    credentials()
    assert_refused(ask(asking(), caller=granted), WRONG)


def test_refusals_are_english_whatever_the_language(ask: Ask) -> None:
    for language in ("zh-cn", "en", ""):
        headers = {"Blueking-Language": language, "Accept-Language": "zh-CN"}
        assert_refused(ask(asking(), caller={}, headers=headers), NO_CODE)


def test_credentials_are_looked_at_before_the_body(ask: Ask, unknown: dict[str, str]) -> None:
    for body in (b"", b"[", b"[]", asking(job=0)):
        assert_refused(ask(body, caller=unknown), NOT_FOUND)


@pytest.mark.parametrize("name", ["x-bkapi-authorization", "X-BKAPI-AUTHORIZATION"])
def test_the_header_is_read_in_any_case_and_unknown_keys_are_ignored(
    ask: Ask, granted: dict[str, str], name: str
) -> None:
    load(job(), step())
    more = {"userId": "u", "bk_token": None, "access_token": "", "x": {"y": [1.5, {}]}}
    spaced = json.dumps(keys_of(granted) | more, indent=2).replace("\n", " ")
    assert ask(asking(), caller={name: f"  {spaced} "}).json()["code"] == 0


@pytest.mark.parametrize("escaped", [True, False])
def test_raw_utf8_in_the_header_is_read_as_utf8(
    ask: Ask, granted: dict[str, str], escaped: bool
) -> None:
    load(job(), step(), result(), script_log())
    header = json.dumps(keys_of(granted) | {"bk_username": "张三"}, ensure_ascii=escaped)
    # A server hands bytes over as Latin-1.
    assert ask(asking(), caller={HEADER: header.encode().decode("latin-1")}).json()["code"] == 0
    assert LogRead.objects.get().who == "张三"


@pytest.mark.parametrize(
    ("user", "who"),
    [
        ("zoe", "zoe"),
        (None, "granted"),
        ("", "granted"),
        (7, "granted"),
        (["zoe"], "granted"),
    ],
)
def test_without_a_user_the_app_stands_in(
    ask: Ask, granted: dict[str, str], user: Any, who: str
) -> None:
    load(job(), step(), result(), script_log())
    keys = keys_of(granted) | {"bk_username": user}
    assert ask(asking(), caller=said(**keys)).json()["code"] == 0
    read = LogRead.objects.get()
    assert (read.who, read.app_code) == (who, "granted")


@pytest.mark.parametrize("user", ["a\0b", "\ud800", "u" * 300, "<b>{0}</b>"])
def test_no_user_name_keeps_an_answer_or_its_record_from_being_made(
    ask: Ask, granted: dict[str, str], user: str
) -> None:
    load(job(), step(), result(), script_log())
    caller = said(**keys_of(granted) | {"bk_username": user})
    assert ask(asking(), caller=caller).json()["code"] == 0
    assert LogRead.objects.count() == 1
    refused = ask(asking(bk_scope_id="1"), caller=caller)
    assert refused.json()["code"] == 1243049


def test_rights_are_the_apps_whoever_the_user_is(
    ask: Ask, granted: dict[str, str], elsewhere: dict[str, str]
) -> None:
    load(job(operator="zoe"), step())
    for user in ("zoe", "admin", "granted"):
        insider = said(**keys_of(granted) | {"bk_username": user})
        assert ask(asking(), caller=insider).json()["code"] == 0
        outsider = said(**keys_of(elsewhere) | {"bk_username": user})
        assert ask(asking(), caller=outsider).json()["code"] == 9900403


def test_a_grant_to_write_is_none_to_read(ask: Ask) -> None:
    load(job(), step())
    writer = credentials("writer", read=False, write=True)
    assert ask(asking(), caller=writer).json()["code"] == 9900403


def test_a_grant_of_all_scopes_covers_those_to_come(ask: Ask) -> None:
    everyone = credentials("everyone", scopes=(), all_scopes=True)
    load(job(bk_scope_type="biz_set", bk_scope_id="new"), step())
    body = asking(bk_scope_type="biz_set", bk_scope_id="new")
    assert ask(body, caller=everyone).json()["code"] == 0


def test_the_esb_takes_credentials_from_the_query_or_the_body(
    ask: Ask, granted: dict[str, str]
) -> None:
    load(job(), step(), result(), script_log())
    keys = keys_of(granted)
    query = "&".join(f"{key}={value}" for key, value in keys.items())
    for path, body in [
        (f"{ESB}?{query}", asking()),
        (f"{ESB}/?{query}", asking()),
        (ESB, asking(**keys)),
        (ESB.replace("/v2", ""), asking(**keys)),
    ]:
        assert ask(body, path=path, caller={}).json()["code"] == 0
    assert set(LogRead.objects.values_list("who", "app_code")) == {("zoe", "granted")}
    assert_refused(ask(asking(**keys | {"bk_app_secret": "s"}), path=ESB, caller={}), WRONG)
    assert_refused(ask(asking(bk_app_code="granted"), path=ESB, caller={}), NO_SECRET)


def test_the_esb_looks_at_the_header_alone_where_there_is_one(
    ask: Ask, granted: dict[str, str]
) -> None:
    body = asking(**keys_of(granted))
    assert_refused(ask(body, path=ESB, caller={HEADER: "{}"}), NO_CODE)
    assert_refused(ask(body, path=ESB, caller={HEADER: "x"}), NOT_JSON)
    load(job(), step())
    wrong = asking(bk_app_code="unknown", bk_app_secret="s")
    assert ask(wrong, path=ESB).json()["code"] == 0


@pytest.mark.parametrize("path", OTHER_FORMS)
def test_no_other_form_takes_credentials_from_parameters(
    ask: Ask, granted: dict[str, str], path: str
) -> None:
    keys = keys_of(granted)
    query = "&".join(f"{key}={value}" for key, value in keys.items())
    assert_refused(ask(asking(**keys), path=f"{path}?{query}", caller={}), NO_CODE)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 50_000])
def test_an_esb_body_that_cannot_be_read_names_no_app(ask: Ask, body: bytes) -> None:
    assert_refused(ask(body, path=ESB, caller={}), NO_CODE)
