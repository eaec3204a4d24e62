"""Waiting, searching and sending hold at most half of the threads, and of one caller a quarter."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client

from joblogs import slow_work
from joblogs.access import Caller
from joblogs.models import App, LogRead
from tests import builders
from tests.builders import BATCH, asking, job, load, result, script_log, step
from tests.pages.page_helpers import page, staff

RAW = "/api/v1/biz/2/jobs/100/steps/200/hosts/{}/log"
HOSTS = (101, 102, 103, 104)
EXPORT = "/api/v1/biz/2/export?format=txt&job=100"
STATUS = "/api/v3/get_step_instance_status?" + urlencode(asking(keyword="one"))

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _log(db: None, settings: Any) -> None:
    settings.SERVER_THREADS = 4
    load(job(), step(), *(result(host, status=7) for host in HOSTS))
    load(*(script_log("one\n", host=host) for host in HOSTS))


class Sending:
    """Another thread that holds slow work of an app, or of a person, until it is `over`."""

    def __init__(self, app: str = "", *, person: str = "") -> None:
        self.request: Any = SimpleNamespace()
        slow_work.end(slow_work.send(self.request))  # what was not read here is over
        if app:
            if not App.objects.filter(app_code=app):
                builders.credentials(app)
            self.request.user = Caller(App.objects.get(app_code=app), "zoe")
        else:
            self.request._cached_user = User.objects.get(username=person)
        self.begun, self.ended = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._hold, daemon=True)
        self.thread.start()
        assert self.begun.wait(20)

    def _hold(self) -> None:
        slow_work.begin(self.request)
        self.begun.set()
        self.ended.wait()
        slow_work.end(slow_work.send(self.request))

    def over(self) -> None:
        self.ended.set()
        self.thread.join()


def _asker(app: str) -> Any:
    headers, client = builders.credentials(app), Client()

    def ask(path: str, body: Any = None, **fields: str) -> Any:
        if body is None:
            return client.get(path, headers=headers | fields)
        return client.post(path, json.dumps(body), "application/json", headers=headers | fields)

    return ask


def _read(answer: Any) -> bytes:
    """All of an answer, so that it is over."""
    return b"".join(answer)


def _refused(answer: Any) -> bool:
    if answer.status_code != 429:
        return False
    assert answer["Retry-After"] == "1"
    assert answer.json()["code"] == 1642902
    return True


def test_a_wait_that_is_too_much_is_answered_at_once_and_empty() -> None:
    ask, other = _asker("granted"), _asker("another")
    sending = Sending("granted")
    answer = ask(RAW.format(103) + "?offset=4&wait=10")
    assert (answer.status_code, _read(answer)) == (200, b"")
    assert (answer["Retry-After"], answer["X-Log-State"]) == ("1", "receiving")
    sending.over()
    assert "Retry-After" not in other(RAW.format(103) + "?offset=4&wait=1")


def test_who_asks_again_for_the_same_log_too_soon_is_refused(settings: Any) -> None:
    settings.SERVER_THREADS = 1
    ask, again = _asker("granted"), RAW.format(101) + "?offset=4&wait=10"
    assert ask(again)["Retry-After"] == "1"
    assert _refused(ask(again))
    assert _refused(ask(RAW.format("00101") + "/?offset=0&wait=1"))
    assert ask(RAW.format(102) + "?offset=4&wait=10").status_code == 200
    assert ask(RAW.format(101)).status_code == 200
    assert _asker("another")(again).status_code == 200


def test_text_that_is_there_is_sent_whoever_else_waits() -> None:
    ask = _asker("granted")
    sending = Sending("granted")
    answer = ask(RAW.format(104) + "?offset=0&wait=10")
    assert (_read(answer), answer.get("Retry-After")) == (b"one\n", None)
    sending.over()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (BATCH, asking(grep="one")),
        (STATUS, None),
        ("/prod" + BATCH, asking(grep="one")),
        (EXPORT, None),
    ],
)
def test_what_would_begin_beyond_a_quarter_is_refused_to_that_app_alone(
    path: str, body: Any
) -> None:
    ask, other = _asker("granted"), _asker("another")
    sending = Sending("granted")
    assert _refused(ask(path, body))
    answer = other(path, body)
    assert answer.status_code == 200
    _read(answer)
    sending.over()
    assert ask(path, body).status_code == 200


def test_a_body_without_a_search_is_not_refused() -> None:
    ask = _asker("granted")
    sending = Sending("granted")
    assert ask(BATCH, asking()).json()["result"]
    assert ask(BATCH, asking(grep="one")).status_code == 429
    sending.over()


def test_all_together_have_half_of_the_threads() -> None:
    sending = [Sending(app) for app in ("granted", "another")]
    assert _refused(_asker("third")(EXPORT))
    sending.pop().over()
    assert _asker("third")(EXPORT).status_code == 200
    sending.pop().over()


def test_a_large_log_is_refused_before_any_of_it_is_read() -> None:
    load(script_log("x" * 300_000, offset=4))
    ask = _asker("granted")
    sending = Sending("granted")
    assert _refused(ask(RAW.format(101)))
    assert ask(RAW.format(101) + "?tail=10").status_code == 200
    sending.over()
    assert not LogRead.objects.filter(channel="raw log", size__gt=10)


@pytest.mark.parametrize("asked", ["search", "error", "export"])
def test_a_person_is_told_on_a_page(asked: str) -> None:
    client = staff()
    place = {"search": page("search", host=None) + "?q=one", "error": page("log") + "?error=0"}
    place["export"] = page("log") + "export?format=txt"
    sending = Sending(person="zoe")
    answer = client.get(place[asked])
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert "Too many searches and downloads at once" in answer.content.decode()
    assert client.get(page("log")).status_code == 200
    sending.over()
    answer = client.get(place[asked])
    assert answer.status_code == 200
    _read(answer)


def test_the_esb_says_it_in_its_own_way() -> None:
    ask = _asker("granted")
    sending = Sending("granted")
    path = "/api/c/compapi/v2/jobv3/batch_get_job_instance_ip_log/"
    answer = ask(path, asking(grep="one"))
    assert (answer.status_code, answer["Retry-After"]) == (200, "1")
    assert answer.json()["code"] == 1306401
    sending.over()
