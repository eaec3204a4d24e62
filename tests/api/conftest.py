"""The three recurring people, and how they call the batch endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests import builders

Headers = dict[str, str]


@pytest.fixture
def granted(db: None) -> Headers:
    """An app that may read biz:2."""
    return builders.credentials()


@pytest.fixture
def elsewhere(db: None) -> Headers:
    """An app that may read biz:3, and only that."""
    return builders.credentials("elsewhere", scopes=(("biz", "3"),))


@pytest.fixture
def unknown(db: None) -> Headers:
    """An app that nobody made."""
    keys = {"bk_app_code": "unknown", "bk_app_secret": "guessed"}
    return {"X-Bkapi-Authorization": json.dumps(keys)}


@pytest.fixture
def ask(granted: Headers) -> Callable[..., Any]:
    """Post a body, as the granted app unless `caller` says otherwise; its answer."""
    client = Client(enforce_csrf_checks=True)

    def ask(
        body: Any,
        *,
        path: str = builders.BATCH,
        method: str = "POST",
        caller: Headers | None = None,
        headers: Headers | None = None,
        content_type: str = "application/json",
        **environ: Any,
    ) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        said = {**(granted if caller is None else caller), **(headers or {})}
        return client.generic(method, path, data, content_type, headers=said, **environ)

    return ask


@pytest.fixture
def data(ask: Callable[..., Any]) -> Callable[..., Any]:
    """The `data` of a successful answer to `builders.asking(**fields)`."""

    def data(**fields: Any) -> Any:
        envelope = ask(builders.asking(**fields)).json()
        assert envelope["code"] == 0, envelope
        return envelope["data"]

    return data


@pytest.fixture
def texts(data: Callable[..., Any]) -> Callable[..., dict[int, str]]:
    """Each host's script log, in the order of the answer."""

    def texts(**fields: Any) -> dict[int, str]:
        entries = data(**fields)["script_task_logs"]
        return {entry["bk_host_id"]: entry["log_content"] for entry in entries}

    return texts


@pytest.fixture
def code_and_message(ask: Callable[..., Any]) -> Callable[..., tuple[int, str]]:
    """What a business error says; everything else about it is asserted."""

    def code_and_message(body: Any, **how: Any) -> tuple[int, str]:
        response = ask(body, **how)
        envelope = response.json()
        assert response.status_code == 200
        assert (envelope["result"], envelope["data"]) == (False, None)
        assert "X-Bkapi-Error-Code" not in response.headers
        return envelope["code"], envelope["message"]

    return code_and_message
