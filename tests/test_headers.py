"""What every answer says about itself, whoever asked for whatever."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jobplatform.middleware import HEADERS, POLICY
from tests.builders import credentials, file_log, job, load, result, script_log, step
from tests.channels.security_world import APP, NOBODY, STAFF_ELSEWHERE, SUPERUSER, make_world
from tests.channels.table import ROWS
from tests.pages.page_helpers import page, staff

pytestmark = pytest.mark.django_db


def test_nothing_inline_and_nothing_from_elsewhere_is_allowed() -> None:
    assert "unsafe" not in POLICY
    assert not re.search(r"[*]|http|//", POLICY)
    assert POLICY.startswith("default-src 'none';")


def test_every_answer_has_every_header_and_is_kept_by_no_cache() -> None:
    world = make_world()
    tried = 0
    for row in ROWS:
        for ask in row.asks(world.here)[:1]:
            for name in (SUPERUSER, STAFF_ELSEWHERE, APP, NOBODY):
                answer = world.callers[name].send(ask)
                told = (row.title, name, ask)
                assert HEADERS.keys() <= answer.headers.keys(), told
                assert answer.headers["Content-Security-Policy"] == POLICY, told
                assert answer.headers["X-Content-Type-Options"] == "nosniff", told
                cached = answer.headers["Cache-Control"]
                static = ask.path.startswith("/static/") and answer.status == 200
                assert static or "no-store" in cached.split(", "), told
                tried += 1
    assert tried == 4 * len(ROWS)


@pytest.mark.parametrize(
    ("path", "said", "status"),
    [
        ("/logs/", {"host": "elsewhere.example"}, 400),
        ("/api/v3/x", {"host": "elsewhere.example"}, 400),
        ("/no/such/page", {}, 404),
        ("/healthz", {}, 200),
    ],
)
def test_refusals_have_them_too(path: str, said: dict[str, str], status: int) -> None:
    answer = Client().get(path, headers=said)
    assert answer.status_code == status
    assert HEADERS.keys() <= answer.headers.keys()


def test_a_mistake_that_nobody_foresaw_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("a text that was printed")

    monkeypatch.setattr("joblogs.pages.jobs.pages.jobs_page", fail)
    client = staff()
    client.raise_request_exception = False
    answer = client.get("/logs/")
    assert (answer.status_code, b"printed" in answer.content) == (500, False)
    assert HEADERS.keys() <= answer.headers.keys()


def test_only_with_debug_djangos_own_error_pages_are_without_a_policy(settings: Any) -> None:
    settings.DEBUG = True
    assert "Content-Security-Policy" not in staff().get("/no/such/page").headers
    assert "Content-Security-Policy" in staff("yan").get("/logs/").headers


def test_a_part_and_an_unchanged_answer_are_not_cached_either() -> None:
    load(job(), step(), result(status=9), script_log("printed\n"))
    path, keys = "/api/v1/biz/2/jobs/100/steps/200/hosts/101/log", credentials()
    part = Client().get(path, headers=keys | {"Range": "bytes=0-3"})
    same = Client().get(path, headers=keys | {"If-None-Match": part["ETag"]})
    assert [part.status_code, same.status_code] == [206, 304]
    assert part["Cache-Control"] == same["Cache-Control"] == "private, no-store"


HOSTILE = 'a"; filename="x.exe\r\nX-Owned: 1\n/../..\\ü\u202e\x00.log'


def test_no_name_breaks_out_of_a_download(db: None) -> None:
    name = HOSTILE.replace("\x00", "")
    load(
        job(),
        step(),
        result(status=9, host_name=name),
        script_log("printed\n"),
        step(201, step_type=2),
        result(step=201, status=9, host_name=name),
        file_log(step=201, status=4, content="moved\n", offset=0, dest_path=f"/tmp/{name}"),  # noqa: S108
    )
    client = staff()
    for number in (200, 201):
        answer = client.get(page("log-download", place=("biz", "2", 100, number)))
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/octet-stream"
        said = answer["Content-Disposition"]
        assert said.startswith("attachment; filename")
        assert not set("\r\n\\/\u202e") & set(said)
        assert "X-Owned" not in answer.headers
        assert said.count('"') in (0, 2)


def test_cookies_are_for_this_site_and_no_script(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.LANGUAGE_COOKIE_SECURE = True
    client = staff()
    client.get("/logs/")
    client.post(reverse("set_language"), {"language": "zh-hans"})
    client.cookies.pop("sessionid")
    client.get("/admin/login/")
    assert {"csrftoken", "django_language"} <= client.cookies.keys()
    for cookie in client.cookies.values():
        assert (cookie["secure"], cookie["httponly"]) == (True, True)
        assert cookie["samesite"] == "Lax"
        assert not cookie["domain"]
