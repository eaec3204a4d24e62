"""RATE_LIMIT (docs/api.md, Limits)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests import builders
from tests.builders import asking

ESB_PATH = "/api/c/compapi/v2/jobv3/batch_get_job_instance_ip_log/"

pytestmark = pytest.mark.django_db


def _ask(client: Client, headers: dict[str, str], path: str = builders.BATCH) -> Any:
    body = json.dumps(asking())
    return client.post(path, body, content_type="application/json", headers=headers)


@pytest.fixture(autouse=True)
def _clock(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMIT = 2
    monkeypatch.setattr("joblogs.api.base.time.time", lambda: 60_000_015.0)


def test_an_app_beyond_its_rate_is_told_when_to_come_back(client: Client) -> None:
    headers = builders.credentials()
    assert [_ask(client, headers).status_code for _ in range(3)] == [200, 200, 429]
    refused = _ask(client, headers)
    assert refused["Retry-After"] == "45"
    assert refused["X-Bkapi-Error-Code"] == "1642902"
    assert refused.json()["code_name"] == "RATE_LIMIT_RESTRICTION"


def test_the_next_minute_begins_anew(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = builders.credentials()
    assert [_ask(client, headers).status_code for _ in range(3)][-1] == 429
    monkeypatch.setattr("joblogs.api.base.time.time", lambda: 60_000_060.0)
    assert _ask(client, headers).status_code == 200


def test_one_app_does_not_use_up_anothers_rate(client: Client) -> None:
    first, second = builders.credentials("first"), builders.credentials("second")
    assert [_ask(client, first).status_code for _ in range(3)][-1] == 429
    assert _ask(client, second).status_code == 200


def test_the_esb_form_says_it_with_200(client: Client) -> None:
    headers = builders.credentials()
    for _ in range(2):
        _ask(client, headers)
    refused = _ask(client, headers, ESB_PATH)
    assert (refused.status_code, refused.json()["code"]) == (200, 1306401)
    assert refused["Retry-After"] == "45"


def test_no_limit_means_none(client: Client, settings: Any) -> None:
    settings.RATE_LIMIT = 0
    headers = builders.credentials()
    assert {_ask(client, headers).status_code for _ in range(5)} == {200}
