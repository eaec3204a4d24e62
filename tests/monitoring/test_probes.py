"""`/healthz` and `/readyz`, as a load balancer asks them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

# A machine's own address, by plain HTTP, whatever the store's public name is.
BALANCER = {"host": "10.1.2.3:8000"}


@pytest.fixture(autouse=True)
def production(settings) -> None:
    settings.ALLOWED_HOSTS = ["logs.example.com"]
    settings.SECURE_SSL_REDIRECT = True


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the database is, nothing is. Only connections made from now on notice."""
    elsewhere = {"sqlite": {"NAME": "/no/such/folder/file"}, "postgresql": {"PORT": "1"}}
    for key, value in elsewhere[connection.vendor].items():
        monkeypatch.setitem(connection.settings_dict, key, value)


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the database is, one without tables is."""
    name = {"sqlite": str(tmp_path / "empty.sqlite3"), "postgresql": "postgres"}[connection.vendor]
    monkeypatch.setitem(connection.settings_dict, "NAME", name)


def test_a_process_is_alive_without_any_database(client) -> None:
    # No mark of pytest-django: a statement would fail the test.
    answer = client.get("/healthz", headers=BALANCER)
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_it_is_ready_when_the_database_answers_and_is_migrated(client) -> None:
    answer = client.get("/readyz", headers=BALANCER)
    assert (answer.status_code, answer.content) == (200, b"ready\n")


@pytest.mark.django_db
def test_it_is_not_ready_without_the_database_and_tells_nothing_about_it(
    client, unreachable
) -> None:
    answer = client.get("/readyz", headers=BALANCER)
    assert answer.status_code == 503
    assert answer.content == b"not ready: the database does not answer\n"


@pytest.mark.django_db
def test_it_is_not_ready_before_migrate(client, empty) -> None:
    answer = client.get("/readyz", headers=BALANCER)
    assert answer.status_code == 503
    assert answer.content == b"not ready: migrations are not applied\n"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_sets_no_cookie_and_is_never_cached(client, path) -> None:
    client.cookies["sessionid"] = "made up"
    answer = client.get(path, headers=BALANCER)
    assert not answer.cookies
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_only_looks(client, path) -> None:
    assert client.post(path, headers=BALANCER).status_code == 405


def test_a_stage_of_a_gateway_may_have_a_probes_name(client) -> None:
    path = "/healthz/api/v3/batch_get_job_instance_ip_log"
    answer = client.post(path, headers={"host": "logs.example.com"}, secure=True)
    assert answer["X-Bkapi-Request-Id"]
    assert answer.json()["code_name"] == "INVALID_ARGS"


def test_everybody_else_still_needs_a_name_of_the_store(client) -> None:
    assert client.get("/logs/", headers=BALANCER, secure=True).status_code == 400
