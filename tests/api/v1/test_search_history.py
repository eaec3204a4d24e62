"""GET …/search_history: in which steps a text was printed, who asked, and what they were shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from joblogs import maintenance, search_audit
from joblogs.models import HostResult, JobInstance, LogRead, SearchRead, StepInstance
from tests.builders import CREATED, credentials, job, load, result, script_log, step

pytestmark = pytest.mark.django_db
SPAN = {"since": "2023-11-01", "until": "2023-11-30"}


def load_run(number: int, text: str, *, scope: str = "2", **fields: Any) -> None:
    load(
        job(number, status=3, bk_scope_id=scope, create_time=CREATED + number),
        *(step(number, job=number, status=3), result(job=number, step=number, status=9)),
        script_log(text, job=number, step=number),
    )


@pytest.fixture(autouse=True)
def store() -> None:
    load_run(1, "No space left\n")
    load_run(2, "all is well\n")
    load_run(3, "cp: no space left on device\n")
    load_run(4, "No space left\n", scope="3")
    maintenance.maintain(every_day=True)


def ask(q: str = "no space left", scope: str = "2", headers: Any = None, **query: Any) -> Any:
    path = f"/api/v1/biz/{scope}/search_history"
    return Client().get(path, {"q": q} | SPAN | query, headers=headers or credentials()).json()


def test_the_newest_step_comes_first_with_its_first_line() -> None:
    data = ask()["data"]
    assert [one["step_instance_id"] for one in data["steps"]] == [3, 1]
    assert data["steps"][0]["line"] == {
        "number": 1,
        "text": "cp: no space left on device",
        "matches": True,
    }
    assert (data["steps_searched"], data["steps_read"], data["cursor"]) == (3, 2, None)


def test_never_is_an_answer_for_which_nothing_was_read() -> None:
    data = ask("f81d4fae-7dec")["data"]
    assert (data["steps"], data["steps_searched"], data["bytes_read"]) == ([], 3, 0)


def test_a_cursor_goes_on() -> None:
    first = ask(length=1)["data"]
    second = ask(length=1, cursor=first["cursor"])["data"]
    assert [one["step_instance_id"] for one in first["steps"] + second["steps"]] == [3, 1]
    assert (second["cursor"], second["steps_searched"] + first["steps_searched"]) == (None, 3)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"q": ""}, "错误的请求 [q]"),
        ({"q": "(", "regex": "true"}, "错误的请求 [q]"),
        ({"since": "x"}, "错误的请求 [since]"),
        ({"since": "2023-12-01"}, "错误的请求 [since]"),
        ({"since": "2020-01-01"}, "错误的请求 [since]"),
        ({"cursor": "x"}, "错误的请求 [cursor]"),
        ({"status": "x"}, "错误的请求 [status]"),
        ({"length": 0}, "错误的请求 [length]"),
        ({"more": "x"}, "错误的请求 [more]"),
    ],
)
def test_it_refuses(query: dict[str, Any], message: str) -> None:
    answer = ask(**query)
    assert (answer["code"], answer["message"]) == (1240003, message)


def test_what_no_signature_answers_must_be_narrowed() -> None:
    assert ask("ab")["message"].startswith("请缩小范围")
    assert ask("ab", name="restart")["code"] == 0


def test_an_app_without_the_scope_is_refused() -> None:
    assert ask(headers=credentials("stranger", scopes=(("biz", "3"),)))["code"] != 0
    assert not SearchRead.objects.exists()


def test_the_search_and_each_step_that_was_shown_are_recorded() -> None:
    ask()
    (search,) = SearchRead.objects.all()
    assert (search.who, search.app_code, search.channel) == ("zoe", "granted", "search_history")
    assert (search.scopes, search.steps, search.read_steps, search.found_steps) == (
        "biz:2",
        3,
        2,
        2,
    )
    assert list(search_audit.searched_steps(search)) == [("biz:2", n, n) for n in (1, 2, 3)]
    assert search_audit.searches_of(2) == [search.pk]
    assert search_audit.searches_of(4) == []
    reads = LogRead.objects.order_by("pk").values_list("step_instance_id", "channel", "host_count")
    assert list(reads) == [(3, "search_history", 1), (1, "search_history", 1)]


def test_only_the_latest_searches_are_looked_through_for_a_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search_audit, "LATEST_SEARCHES", 2)
    for _ in range(3):
        ask()
    latest = SearchRead.objects.order_by("-pk").values_list("pk", flat=True)[:2]
    assert search_audit.searches_of(2) == list(latest)


def test_superusers_find_who_searched_a_job_in_the_admin() -> None:
    ask()
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    for number, found in ((2, True), (4, False)):
        html = browser.get("/admin/joblogs/searchread/", {"q": number}).content.decode()
        assert ("over history by an app<" in html and "biz:2" in html) is found
    browser.force_login(User.objects.create_user("zoe", is_staff=True))
    assert browser.get("/admin/joblogs/searchread/").status_code == 403


def test_what_was_searched_for_is_kept_as_a_keyed_digest_only() -> None:
    for text in ("hunter2hunter2", "hunter2hunter2", "another text"):
        ask(text)
    first, second, other = SearchRead.objects.order_by("pk")
    assert bytes(first.question) == bytes(second.question) != bytes(other.question)
    assert "hunter2" not in str(SearchRead.objects.values())


def test_days_at_both_ends_of_the_calendar_are_asked() -> None:
    for until in ("0001-01-01", "9999-12-31"):
        path = "/api/v1/biz/2/search_history"
        answer = Client().get(path, {"q": "abc", "until": until}, headers=credentials()).json()
        data = answer["data"]
        assert (data["steps"], data["until"], data["cursor"]) == ([], until, None)


def test_a_cursor_of_others_or_with_other_content_tells_only_of_the_callers_scope() -> None:
    own, other = credentials(), credentials("stranger", scopes=(("biz", "3"),))
    load_run(5, "No space left\n", scope="3")
    theirs = ask(scope="3", headers=other, length=1)["data"]["cursor"]
    day, create_time, mark, host = theirs.split(".")
    last = 10**18 - 1
    cursors = [
        theirs,
        *(f"{day}.{create_time}.{other_mark}.{host}" for other_mark in ("0" * 16, mark[::-1])),
        *(f"{day}.{at}.{mark}.{host}" for at in (0, int(create_time) + 100, last)),
        *(f"{day}.{create_time}.{mark}.{at}" for at in (1, 10**19 - 1)),
        *("9999-12-31", "0001-01-01", f"2023-11-20.{create_time}.{mark}.{host}", day),
    ]
    every = {one["step_instance_id"] for one in ask(headers=own)["data"]["steps"]}
    for cursor in cursors:
        data = ask(headers=own, cursor=cursor)["data"]
        assert {one["step_instance_id"] for one in data["steps"]} <= every, cursor
        assert data["steps_searched"] <= 3, cursor
        assert (data["steps_expired"], data["logs_unreadable"]) == (0, 0), cursor


def test_a_cursor_has_no_key_of_the_database() -> None:
    cursor = ask(length=1)["data"]["cursor"]
    key = StepInstance.objects.get(job__scope__scope_id="2", step_instance_id=1).pk
    assert str(key) not in cursor.split(".")


def test_counts_tell_nothing_of_other_scopes() -> None:
    before = ask()["data"]
    for number in range(10, 15):
        load_run(number, "No space left\n", scope="3")
    maintenance.maintain(every_day=True)
    JobInstance.objects.filter(job_instance_id=10).update(expired_at=1)
    HostResult.objects.filter(step__step_instance_id=11).update(held_size=99)
    assert ask()["data"] == before
