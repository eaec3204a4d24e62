"""Guessing passwords, at the login and where one is changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from joblogs import login_throttle
from joblogs.models import FailedLogins

pytestmark = pytest.mark.django_db
RIGHT, WRONG = "swordfish", "guessed"
CHANGE = "/admin/password_change/"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A clock that stands still unless it is moved."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    yield now


@pytest.fixture(autouse=True)
def people(db: None) -> None:
    for name in ("root", "yan"):
        User.objects.create_superuser(name, password=RIGHT)


def _post(name: str, password: str, client: Client) -> Any:
    said = {"username": name, "password": password, "next": "/logs/"}
    return client.post("/admin/login/", said)


def _try(name: str, password: str, address: str = "10.0.0.9", **environ: Any) -> str:
    answer = _post(name, password, Client(REMOTE_ADDR=address, **environ))
    if answer.status_code == 429:
        assert b"Too many failed logins" in answer.content
        return f"refused {answer['Retry-After']}"
    return {302: "in", 200: "wrong"}[answer.status_code]


@pytest.mark.parametrize(
    "next_url", ["//elsewhere.example", "https://elsewhere.example/", "javascript:alert(1)", ""]
)
def test_a_login_leads_to_no_other_site_but_to_the_admin(next_url: str, client: Client) -> None:
    said = {"username": "root", "password": RIGHT, "next": next_url}
    answer = client.post("/admin/login/", said, follow=True)
    assert answer.redirect_chain == [("/admin/", 302)]
    assert answer.status_code == 200


def test_after_some_failures_not_even_the_right_password_is_looked_at(
    clock: list[float],
) -> None:
    assert [_try("root", WRONG) for _ in range(login_throttle.FAILURES_MAX)] == ["wrong"] * 10
    assert _try("root", RIGHT) == _try("ROOT", RIGHT) == "refused 1"
    assert _try("yan", RIGHT) == "in"
    assert _try("root", RIGHT, address="10.0.0.10") == "in"
    clock[0] += 1
    assert _try("root", RIGHT) == "in"


def test_the_wait_grows_to_a_minute_and_refused_tries_do_not_make_it_longer(
    clock: list[float],
) -> None:
    for _ in range(login_throttle.FAILURES_MAX):
        _try("root", WRONG)
    waits = []
    for _ in range(9):
        told = [_try("root", WRONG) for _ in range(5)]
        assert len(set(told)) == 1
        waits.append(int(told[0].removeprefix("refused ")))
        clock[0] += waits[-1]
        assert _try("root", WRONG) == "wrong"
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    clock[0] += 60
    assert _try("root", RIGHT) == "in"
    assert FailedLogins.objects.count() == 0


@pytest.mark.parametrize(
    ("proxies", "forwarded", "same"),
    [
        (1, "10.0.0.1", True),
        (1, "198.51.100.7, 10.0.0.1", True),  # what stands before is the client's own writing
        (1, "10.0.0.2", False),
        (2, "10.0.0.1, 192.0.2.3", True),
        (2, "9.9.9.9, 10.0.0.1, 192.0.2.4", True),
        (2, "10.0.0.2, 192.0.2.3", False),
        (0, "10.0.0.2", None),  # nobody is believed: all are the proxy's
    ],
)
def test_behind_proxies_clients_are_told_apart_by_what_the_outermost_saw(
    settings: Any, proxies: int, forwarded: str, same: bool | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    first = "10.0.0.1" if proxies < 2 else "10.0.0.1, 192.0.2.3"
    for _ in range(login_throttle.FAILURES_MAX):
        _try("root", WRONG, address="127.0.0.1", HTTP_X_FORWARDED_FOR=first)
    told = _try("root", RIGHT, address="127.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert told == ("in" if same is False else "refused 1")


def test_an_address_of_ipv6_is_its_network_and_one_that_is_mapped_its_ipv4() -> None:
    for last in range(login_throttle.FAILURES_MAX):
        _try("root", WRONG, address=f"2001:db8::{last}")
        _try("yan", WRONG, address="::ffff:10.0.0.9")
    assert _try("root", RIGHT, address="2001:db8::ffff") == "refused 1"
    assert _try("root", RIGHT, address="2001:db8:0:1::1") == "in"
    assert _try("yan", RIGHT, address="10.0.0.9") == "refused 1"


def test_a_browser_that_logged_in_before_is_not_refused_for_what_others_do() -> None:
    browser = Client(REMOTE_ADDR="10.0.0.9")
    assert _post("root", RIGHT, browser).status_code == 302
    browser.post("/admin/logout/")
    for _ in range(20):
        _try("root", WRONG)
    assert _try("root", RIGHT) == "refused 1"
    assert _post("root", RIGHT, browser).status_code == 302
    # For the name by which it logged in, and with a limit of its own.
    browser.post("/admin/logout/")
    codes = [_post("root", WRONG, browser).status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]
    for _ in range(10):
        _try("yan", WRONG)
    assert _post("yan", RIGHT, browser).status_code == 429


def test_a_cookie_that_somebody_made_up_is_no_known_browser() -> None:
    for _ in range(10):
        _try("root", WRONG)
    browser = Client(REMOTE_ADDR="10.0.0.9")
    browser.cookies["known_browser"] = "x.4813494d137e1631bba301d5acab6e7b:1rLkFR:abc"
    assert _post("root", RIGHT, browser).status_code == 429


def test_the_cookie_is_for_this_site_and_no_script_reads_it() -> None:
    answer = _post("root", RIGHT, Client())
    cookie = answer.cookies["known_browser"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/admin/")
    assert "root" not in cookie.value


def test_the_change_of_a_password_has_the_same_limit(clock: list[float]) -> None:
    client = Client()
    client.force_login(User.objects.get(username="root"))
    new = {"new_password1": "correct-horse-9", "new_password2": "correct-horse-9"}

    def change(old: str) -> Any:
        return client.post(CHANGE, {"old_password": old} | new)

    assert [change(WRONG).status_code for _ in range(11)] == [200] * 10 + [429]
    refused = change(RIGHT)
    assert (refused.status_code, refused["Retry-After"]) == (429, "1")
    assert b"Try again in 1 second." in refused.content
    clock[0] += 1
    assert change(RIGHT).status_code == 302
    assert User.objects.get(username="root").check_password("correct-horse-9")
    assert client.get(CHANGE).status_code == 200


def test_names_that_nobody_has_are_counted_alike_and_kept_no_longer(clock: list[float]) -> None:
    for guess in range(12):
        assert _try(f"nobody-{guess}", WRONG) == "wrong"
    assert [_try("nobody", WRONG) for _ in range(11)][-2:] == ["wrong", "refused 1"]
    assert FailedLogins.objects.count() == 13
    assert b"nobody" not in b"".join(bytes(row.key) for row in FailedLogins.objects.all())
    clock[0] += login_throttle.FORGET_SECONDS + 2
    _try("nobody", WRONG)
    assert FailedLogins.objects.count() == 1


def test_success_costs_nobody_anything() -> None:
    for _ in range(12):
        assert _try("root", RIGHT) == "in"
    assert FailedLogins.objects.count() == 0


def test_the_refusal_is_said_in_our_own_log_without_the_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(11):
        _try("root", WRONG)
    (record,) = [r for r in caplog.records if r.name == "joblogs.pages.login_site"]
    assert record.getMessage() == "too many failed logins of one name from 10.0.0.9"


@pytest.mark.django_db(transaction=True)
def test_tries_at_once_are_no_more_tries() -> None:
    admitted: list[int] = []

    def guess() -> None:
        for _ in range(2):
            admitted.append(login_throttle.seconds_to_wait(bucket, now=1_800_000_000.0))
        connection.close()

    bucket = login_throttle.address_bucket("root", "10.0.0.9")
    threads = [threading.Thread(target=guess) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(admitted), admitted.count(0)) == (32, login_throttle.FAILURES_MAX)
