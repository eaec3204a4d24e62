"""Guessing passwords at the login."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from joblogs import logins
from joblogs.models import FailedLogins

pytestmark = pytest.mark.django_db
RIGHT, WRONG = "swordfish", "guessed"


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


def _try(name: str, password: str, address: str = "10.0.0.9") -> str:
    said = {"username": name, "password": password, "next": "/logs/"}
    answer = Client(REMOTE_ADDR=address).post("/admin/login/", said)
    if answer.status_code == 302:
        return "in"
    return "refused" if b"Too many failed logins" in answer.content else "wrong"


def test_after_some_failures_not_even_the_right_password_is_looked_at(
    clock: list[float],
) -> None:
    assert [_try("root", WRONG) for _ in range(logins.FAILURES_MAX)] == ["wrong"] * 10
    assert _try("root", RIGHT) == _try("ROOT", RIGHT) == "refused"
    assert _try("yan", RIGHT) == "in"
    assert _try("root", RIGHT, address="10.0.0.10") == "in"
    clock[0] += logins.SPAN_SECONDS
    assert _try("root", RIGHT) == "in"


def test_names_that_nobody_has_are_counted_alike_and_kept_no_longer(clock: list[float]) -> None:
    for guess in range(12):
        assert _try(f"nobody-{guess}", WRONG) == "wrong"
    assert [_try("nobody", WRONG) for _ in range(11)][-2:] == ["wrong", "refused"]
    assert FailedLogins.objects.count() == 13
    assert b"nobody" not in b"".join(bytes(row.key) for row in FailedLogins.objects.all())
    clock[0] += logins.SPAN_SECONDS
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
    (record,) = [r for r in caplog.records if r.name == "joblogs.admin.login"]
    assert record.getMessage() == "too many failed logins of one name from 10.0.0.9"
