"""Asking the batch endpoint what came of a dump."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests import builders

Fields = dict[str, Any]


@pytest.fixture
def ask(db: None) -> Callable[..., Fields]:
    """The `data` of the batch endpoint for a step, all of its hosts unless some are named."""
    client, headers = Client(), builders.credentials()

    def ask(step: int, job: int = 1000, **fields: Any) -> Fields:
        body = json.dumps(builders.asking(job, step, **fields))
        answer = client.post(builders.BATCH, body, "application/json", headers=headers).json()
        assert answer["code"] == 0, answer
        data: Fields = answer["data"]
        return data

    return ask


@pytest.fixture
def texts(ask: Callable[..., Fields]) -> Callable[..., dict[int, str]]:
    """The script text of each host of a step."""

    def texts(step: int, job: int = 1000) -> dict[int, str]:
        logs = ask(step, job)["script_task_logs"]
        return {entry["bk_host_id"]: entry["log_content"] for entry in logs}

    return texts
