"""Requests to version 4: what is answered holds no null, and its errors are a status and a word."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from tests.api.get_requests import SCOPE, Ask, leaves


def get_v4(ask: Ask, name: str, /, **query: Any) -> Any:
    """The data of a successful GET."""
    given = {key: value for key, value in (SCOPE | query).items() if value is not None}
    return _data(ask(b"", method="GET", path=f"/api/v4/{name}?{urlencode(given)}"))


def post_v4(ask: Ask, name: str, body: Any, **how: Any) -> Any:
    """The data of a successful POST."""
    return _data(ask(body, path=f"/api/v4/{name}", **how))


def _data(response: Any) -> Any:
    envelope = _envelope(response)
    assert response.status_code == 200, envelope
    assert list(envelope) == ["data", "job_request_id"]
    assert None not in leaves(envelope)
    return envelope["data"]


def failed_get(ask: Ask, name: str, /, **query: Any) -> tuple[int, str, str]:
    """Status, number and message of a GET that fails."""
    given = {key: value for key, value in (SCOPE | query).items() if value is not None}
    return _failure(ask(b"", method="GET", path=f"/api/v4/{name}?{urlencode(given)}"))


def failed_post(ask: Ask, name: str, body: Any) -> tuple[int, str, str]:
    """Status, number and message of a POST that fails."""
    return _failure(ask(body, path=f"/api/v4/{name}", headers={"Blueking-Language": "en"}))


def _failure(response: Any) -> tuple[int, str, str]:
    envelope = _envelope(response)
    assert list(envelope) == ["error", "job_request_id"], envelope
    [detail] = envelope["error"]["details"]
    return response.status_code, detail["code"], detail["message"]


def _envelope(response: Any) -> Any:
    content = b"".join(response) if response.streaming else response.content
    return json.loads(content)
