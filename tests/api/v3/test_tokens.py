"""Tokens of apps: what a client can do that sends nothing else (docs/api.md, Credentials)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from joblogs import access, app_tokens
from joblogs.models import App, AppGrant, AppToken, LogRead, Scope
from tests.api.v3.test_credentials import ESB, HEADER, assert_refused, said
from tests.builders import BATCH, asking, job, lines, load, result, script_log, step

INVALID = "access_token is invalid or has expired"
Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def _jobs(db: None) -> None:
    for scope, number in (("2", 100), ("3", 103)):
        load(
            job(number, bk_scope_id=scope),
            step(job=number),
            result(job=number),
            script_log(job=number),
        )
    access.create_app(code="agent", scopes=[("biz", "2"), ("biz", "3")], read=True, write=True)


def made(**fields: Any) -> str:
    return app_tokens.create(code="agent", name=fields.pop("name", "chat"), **fields)


def read(ask: Ask, caller: dict[str, str], *, scope: str = "2", path: str = BATCH) -> Any:
    body = asking(job={"2": 100, "3": 103}[scope], bk_scope_id=scope)
    return ask(body, caller=caller, path=path)


@pytest.mark.parametrize("path", [BATCH, "/esb/api/v3/batch_get_job_instance_ip_log", ESB])
def test_a_token_alone_reads_and_the_read_names_it(ask: Ask, path: str) -> None:
    token = made()
    for caller in (
        said(access_token=token),
        {"Authorization": f"Bearer {token}"},
        said(access_token=token, bk_app_code="agent", bk_app_secret="wrong"),
        said(access_token=token, bk_app_code=""),
        {"Authorization": f"bearer {token}", HEADER: json.dumps({"access_token": "theirs"})},
    ):
        answer = read(ask, caller, path=path).json()
        assert answer["data"]["script_task_logs"][0]["log_content"] == "hello\n", caller
    reads = LogRead.objects.values_list("app_code", "token", "who")
    assert set(reads) == {("agent", "chat", "agent")}


def test_the_user_beside_a_token_is_recorded(ask: Ask) -> None:
    read(ask, said(access_token=made(), bk_username="zoe"))
    assert LogRead.objects.get().who == "zoe"


def test_the_esb_form_takes_a_token_from_query_and_body(ask: Ask) -> None:
    token = made()
    said_in_body = ask(asking(access_token=token), path=ESB, caller={})
    said_in_query = ask(asking(), path=f"{ESB}?access_token={token}", caller={})
    for response in (said_in_body, said_in_query):
        assert response.json()["result"] is True


def _revoked(token: AppToken) -> None:
    app_tokens.revoke(code="agent", name=token.name)


def _expired(token: AppToken) -> None:
    AppToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def _disabled(token: AppToken) -> None:
    App.objects.update(active=False)


@pytest.mark.parametrize("end", [_revoked, _expired, _disabled])
def test_a_token_that_has_ended_is_refused(ask: Ask, end: Callable[[AppToken], None]) -> None:
    token = made(expires_days=1)
    assert read(ask, said(access_token=token)).json()["result"] is True
    end(AppToken.objects.get())
    for path in (BATCH, ESB):
        assert_refused(read(ask, said(access_token=token), path=path), INVALID)
        assert_refused(read(ask, {"Authorization": f"Bearer {token}"}, path=path), INVALID)


@pytest.mark.parametrize("text", ["jlt_", "jlt_x", "jlt_\udc80\0", "jlt_" + "a" * 4000])
def test_an_unknown_token_of_ours_is_refused_whatever_stands_beside_it(
    ask: Ask, granted: dict[str, str], text: str
) -> None:
    secret = json.loads(granted[HEADER])
    assert_refused(read(ask, said(access_token=text)), INVALID)
    assert_refused(read(ask, said(**secret, access_token=text)), INVALID)


def test_a_token_beside_another_apps_code_is_refused(ask: Ask, granted: dict[str, str]) -> None:
    secret = json.loads(granted[HEADER])
    assert_refused(read(ask, said(**secret, access_token=made())), INVALID)


def test_tokens_of_others_are_ignored(ask: Ask, granted: dict[str, str]) -> None:
    secret = json.loads(granted[HEADER])
    for caller in (said(**secret, access_token="theirs"), granted | {"Authorization": "Bearer x"}):
        assert read(ask, caller).json()["result"] is True
    assert_refused(read(ask, {"Authorization": "Bearer x"}), "app code cannot be empty")


def test_a_token_reads_only_the_scope_it_is_for(ask: Ask) -> None:
    caller = said(access_token=made(scope=("biz", "3")))
    assert read(ask, caller, scope="3").json()["result"] is True
    refused = read(ask, caller, scope="2").json()
    assert (refused["code"], refused["data"]) == (9900403, None)


def test_a_token_without_reading_does_not_read_and_one_without_writing_does_not_write(
    ask: Ask,
) -> None:
    writes, reads = (
        said(access_token=made(name=right, rights=frozenset({right})))
        for right in ("write", "read")
    )
    assert read(ask, writes).json()["code"] == 9900403
    assert read(ask, reads).json()["result"] is True
    body = lines(job(500))
    assert _sent(body, reads)["code"] == 9900403
    assert _sent(body, writes)["data"]["accepted"] == 1


def test_a_token_writes_only_in_the_scope_it_is_for() -> None:
    caller = said(access_token=made(scope=("biz", "3")))
    answer = _sent(lines(job(500, bk_scope_id="2"), job(501, bk_scope_id="3")), caller)
    assert answer["data"]["accepted"] == 1
    assert [refused["reason"] for refused in answer["data"]["refused"]] == ["forbidden"]


def test_a_token_of_an_app_for_every_scope_can_be_for_one(ask: Ask) -> None:
    access.create_app(code="agent", all_scopes=True, read=True, write=True)
    caller = said(access_token=made(scope=("biz", "3")))
    AppGrant.objects.exclude(scope=None).delete()
    assert read(ask, caller, scope="2").json()["code"] == 9900403
    assert read(ask, caller, scope="3").json()["result"] is True
    answer = _sent(lines(job(500, bk_scope_id="2"), job(501, bk_scope_id="3")), caller)
    assert answer["data"]["accepted"] == 1


def test_what_is_taken_from_the_app_is_taken_from_its_tokens(ask: Ask) -> None:
    caller = said(access_token=made())
    AppGrant.objects.filter(scope=Scope.objects.get(scope_id="2")).update(read=False)
    assert read(ask, caller).json()["code"] == 9900403
    assert read(ask, caller, scope="3").json()["result"] is True


def test_a_token_costs_no_more_statements_than_a_secret(
    ask: Ask, granted: dict[str, str], django_assert_num_queries: Any
) -> None:
    caller = said(access_token=made())
    with CaptureQueriesContext(connection) as asked:
        read(ask, granted)
    with django_assert_num_queries(len(asked)):
        read(ask, caller)


def _sent(body: bytes, caller: dict[str, str]) -> Any:
    kind = "application/x-ndjson"
    return Client().post("/api/v1/records", body, content_type=kind, headers=caller).json()
