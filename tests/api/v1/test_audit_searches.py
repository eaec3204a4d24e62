"""`/api/v1/audit/searches`: who searched the logs of many jobs, for a collector (docs/api.md)."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from joblogs import access, app_tokens
from joblogs.models import SearchRead
from joblogs.search import SearchedStep
from joblogs.search_audit import compressed
from tests.builders import credentials, job, load, result, script_log, step

pytestmark = pytest.mark.django_db
PATH = "/api/v1/audit/searches"


@pytest.fixture(autouse=True)
def store() -> None:
    for scope in ("2", "3"):
        number = 100 + int(scope)
        load(
            job(number, bk_scope_id=scope, status=3),
            *(step(number, job=number, status=3), result(job=number, step=number, status=9)),
            script_log("hello\n", job=number, step=number),
        )


def collector(*scopes: str, every: bool = False) -> dict[str, str]:
    """An app that may audit these scopes and nothing else."""
    own = [("biz", scope) for scope in scopes]
    access.create_app(
        code="collector", scopes=own, all_scopes=every, read=False, write=False, audit=True
    )
    return {"Authorization": f"Bearer {app_tokens.create(code='collector', name='t')}"}


def search(*scopes: str, minutes: float = 5) -> int:
    """A record of a search through the job of each of these scopes."""
    names = {int(scope): f"biz:{scope}" for scope in scopes}
    steps = [SearchedStep(number, 100 + number, 100 + number) for number in names]
    return SearchRead.objects.create(
        at=timezone.now() - datetime.timedelta(minutes=minutes),
        who="zoe",
        channel="history",
        scopes=", ".join(names.values()),
        since=datetime.date(2023, 11, 1),
        until=datetime.date(2023, 11, 30),
        question=bytes(32),
        steps=len(steps),
        read_steps=1,
        found_steps=1,
        size=7,
        searched=compressed(steps, names),
    ).pk


def read(caller: dict[str, str], query: str = "") -> tuple[list[dict[str, Any]], str]:
    response = Client().get(PATH + query, headers=caller)
    assert response.status_code == 200, response.content
    return [json.loads(line) for line in response.content.splitlines()], response["X-Next-Cursor"]


def ids(caller: dict[str, str], query: str = "") -> list[int]:
    return [line["id"] for line in read(caller, query)[0]]


def test_a_search_is_told_as_one_line_without_what_was_asked() -> None:
    path = "/api/v1/biz/2/search_history"
    asked = {"q": "hello", "since": "2023-11-01", "until": "2023-11-30"}
    assert Client().get(path, asked, headers=credentials("granted")).json()["code"] == 0
    SearchRead.objects.update(at="2026-01-02T03:04:05.678Z")
    ((line,), cursor) = read(collector("2"))
    assert len(line.pop("question")) == 64
    assert line == {
        "id": int(cursor),
        "time": "2026-01-02T03:04:05.678Z",
        "user": "zoe",
        "user_verified": False,
        "app": "granted",
        "token": "",
        "channel": "search_history",
        "scopes": [{"bk_scope_type": "biz", "bk_scope_id": "2", "steps": 1}],
        "since": "2023-11-01",
        "until": "2023-11-30",
        "steps": 1,
        "steps_read": 1,
        "steps_found": 1,
        "bytes": 6,
    }


def test_of_scopes_that_it_may_not_audit_nothing_is_told() -> None:
    own, other, both = search("2"), search("3"), search("2", "3")
    lines, cursor = read(collector("2"))
    assert [line["id"] for line in lines] == [own, both]
    assert int(cursor) == both > other
    assert lines[1]["scopes"] == [{"bk_scope_type": "biz", "bk_scope_id": "2", "steps": 1}]
    assert [lines[1][name] for name in ("steps", "steps_read", "steps_found", "bytes")] == [
        *(1, None, None, None)
    ]
    assert "biz:3" not in json.dumps(lines)
    app_tokens.revoke(code="collector", name="t")
    lines, _ = read(collector(every=True))
    assert [line["bytes"] for line in lines] == [7, 7, 7]


def test_a_job_names_the_searches_that_went_through_it() -> None:
    own, _, both = search("2"), search("3"), search("2", "3")
    caller = collector("2")
    assert ids(caller, "?job_instance_id=102") == [own, both]
    # One of another scope is as one that nobody searched.
    assert ids(caller, "?job_instance_id=103") == ids(caller, "?job_instance_id=9") == []


def test_a_cursor_gives_every_search_once_past_those_of_others() -> None:
    made = [search("2"), search("3"), search("3"), search("2")]
    caller, found, cursor = collector("2"), list[int](), "0"
    while True:
        lines, after = read(caller, f"?after={cursor}&length=1")
        found += [line["id"] for line in lines]
        if after == cursor:
            break
        cursor = after
    assert (found, cursor) == ([made[0], made[3]], str(made[3]))


def test_a_search_comes_when_those_before_it_are_settled() -> None:
    first, fresh = search("2"), search("2", minutes=0)
    search("2")
    caller = collector("2")
    assert ids(caller) == [first]
    SearchRead.objects.filter(pk=fresh).update(at=timezone.now() - datetime.timedelta(minutes=3))
    assert len(ids(caller)) == 3


def test_without_the_right_nothing_is_told() -> None:
    search("2")
    response = Client().get(PATH, headers=credentials("both", write=True))
    assert (response.status_code, response.json()["code"]) == (403, 9900403)
    assert Client().get(PATH).status_code == 400
    response = Client().get(f"{PATH}?job_instance_id=x", headers=collector("2"))
    assert (response.status_code, response.json()["code"]) == (400, 1240003)
