"""`/api/v1/audit`: who read which logs, for a collector (docs/api.md)."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from joblogs import access, app_tokens
from joblogs.models import LogRead
from tests.builders import BATCH, asking, credentials, job, load, result, script_log, step

PATH = "/api/v1/audit"


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


def collector(*scopes: str, every: bool = False) -> dict[str, str]:
    """An app that may audit these scopes and nothing else."""
    own = [("biz", scope) for scope in scopes]
    access.create_app(
        code="collector", scopes=own, all_scopes=every, read=False, write=False, audit=True
    )
    token = app_tokens.create(code="collector", name="t")
    return {"Authorization": f"Bearer {token}"}


def rows(*scopes: str, minutes: float = 5) -> list[int]:
    at = timezone.now() - timedelta(minutes=minutes)
    place = {"job_instance_id": 100, "step_instance_id": 200, "host_count": 1, "size": 7}
    return [
        LogRead.objects.create(
            at=at, who="zoe", channel="raw log", scope_type="biz", scope_id=scope, **place
        ).pk
        for scope in scopes
    ]


def read(caller: dict[str, str], query: str = "") -> tuple[list[dict[str, Any]], str]:
    response = Client().get(PATH + query, headers=caller)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.content.splitlines()], response["X-Next-Cursor"]


def test_a_read_is_told_as_one_line() -> None:
    load(job(), step(), result(), script_log("hello\n"))
    credentials("granted")
    token = app_tokens.create(code="granted", name="chat")
    header = {"X-Bkapi-Authorization": json.dumps({"access_token": token, "bk_username": "zoe"})}
    body = json.dumps(asking())
    assert Client().post(BATCH, body, "application/json", headers=header).status_code == 200
    LogRead.objects.update(at="2026-01-02T03:04:05.678Z")
    ((line,), cursor) = read(collector("2"))
    assert line == {
        "id": int(cursor),
        "time": "2026-01-02T03:04:05.678Z",
        "user": "zoe",
        "user_verified": False,
        "app": "granted",
        "token": "chat",
        "channel": "batch_get_job_instance_ip_log",
        "bk_scope_type": "biz",
        "bk_scope_id": "2",
        "job_instance_id": 100,
        "step_instance_id": 200,
        "hosts": 1,
        "bytes": 6,
        "answers": 1,
    }


def test_a_cursor_gives_every_row_once() -> None:
    caller, made = collector("2"), rows(*["2"] * 7)
    found, cursor = [], "0"
    while True:
        lines, after = read(caller, f"?after={cursor}&length=3")
        found += [line["id"] for line in lines]
        if not lines:
            break
        cursor = after
    assert (found, after) == (made, cursor)
    more = rows("2")
    assert [line["id"] for line in read(caller, f"?after={cursor}")[0]] == more


def test_a_row_that_may_still_change_holds_back_those_after_it() -> None:
    caller, (first,) = collector("2"), rows("2")
    (fresh,) = rows("2", minutes=0)
    rows("2")
    lines, cursor = read(caller)
    assert ([line["id"] for line in lines], cursor) == ([first], str(first))
    LogRead.objects.filter(pk=fresh).update(at=timezone.now() - timedelta(minutes=3))
    assert len(read(caller, f"?after={cursor}")[0]) == 2


def test_only_rows_of_its_scopes_are_told() -> None:
    load(job(), job(bk_scope_id="3"))
    (own, other) = rows("2", "3")
    assert [line["id"] for line in read(collector("2"))[0]] == [own]
    app_tokens.revoke(code="collector", name="t")
    assert [line["id"] for line in read(collector(every=True))[0]] == [own, other]


def test_a_token_of_one_scope_tells_that_scope() -> None:
    load(job(), job(bk_scope_id="3"))
    (_, other) = rows("2", "3")
    collector("2", "3")
    token = app_tokens.create(code="collector", name="narrow", scope=("biz", "3"))
    caller = {"Authorization": f"Bearer {token}"}
    assert [line["id"] for line in read(caller)[0]] == [other]


def test_without_the_right_nothing_is_told() -> None:
    rows("2")
    writer = credentials("both", write=True)
    access.create_app(code="collector", scopes=[("biz", "2")], read=True, write=False, audit=True)
    reader = app_tokens.create(code="collector", name="r", rights=frozenset({"read"}))
    for caller in (writer, {"Authorization": f"Bearer {reader}"}):
        response = Client().get(PATH, headers=caller)
        assert (response.status_code, response.json()["code"]) == (403, 9900403)
    assert Client().get(PATH).status_code == 400


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", "?length=0", "?length=10001", "?x=1"])
def test_what_is_wrong_is_named(query: str) -> None:
    response = Client().get(PATH + query, headers=collector("2"))
    assert (response.status_code, response.json()["code"]) == (400, 1240003)


def test_reads_are_events_of_our_own_log_where_that_is_json(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    load(job(), step(), result(), script_log("hello\n"))
    caller = credentials("granted")
    caplog.set_level(logging.INFO, "joblogs.audit")
    for form, count in (("line", 0), ("json", 1)):
        settings.LOG_FORMAT = form
        Client().post(BATCH, json.dumps(asking()), "application/json", headers=caller)
        events = [event for event in caplog.records if event.name == "joblogs.audit"]
        assert len(events) == count
    (event,) = events
    fields: dict[str, Any] = event.fields  # type: ignore[attr-defined]
    assert (fields["user"], fields["app"], fields["bytes"]) == ("zoe", "granted", 6)
    assert "hello" not in repr(event.__dict__)
