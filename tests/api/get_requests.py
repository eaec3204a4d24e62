"""Requests to the endpoints of version 3 that are read by GET."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from tests.builders import CREATED, JOB, STEP

Ask = Callable[..., Any]

BOTH = ["get_job_instance_status", "get_job_instance_list", "get_job_instance_ip_log"]
GET_ONLY = ["get_step_instance_status", "get_step_instance_detail"]
EVERY = [*BOTH, *GET_ONLY]
SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "2"}
WANTED: dict[str, dict[str, Any]] = {
    "get_job_instance_status": {"job_instance_id": JOB},
    "get_job_instance_list": {
        "create_time_start": CREATED - 1000,
        "create_time_end": CREATED + 1000,
    },
    "get_job_instance_ip_log": {
        "job_instance_id": JOB,
        "step_instance_id": STEP,
        "bk_host_id": 101,
    },
    "get_step_instance_status": {"job_instance_id": JOB, "step_instance_id": STEP},
    "get_step_instance_detail": {"job_instance_id": JOB, "step_instance_id": STEP},
}


def wanted(name: str, /, **fields: Any) -> dict[str, Any]:
    """The parameters of a valid request; fields that are None are left out."""
    given = SCOPE | WANTED[name] | fields
    return {key: value for key, value in given.items() if value is not None}


def get(ask: Ask, name: str, /, *, form: str = "/api/v3/", **fields: Any) -> Any:
    """The response to a GET."""
    return ask(b"", method="GET", path=f"{form}{name}?{urlencode(wanted(name, **fields))}")


def data_of(ask: Ask, name: str, /, **fields: Any) -> Any:
    """The data of a successful GET."""
    response = get(ask, name, **fields)
    content = b"".join(response) if response.streaming else response.content
    assert response.status_code == 200, content
    envelope = response.json() if not response.streaming else None
    assert envelope is None or envelope["code"] == 0, envelope
    return envelope["data"] if envelope else content


def error_of(ask: Ask, name: str, /, **fields: Any) -> tuple[int, str]:
    """Code and message of a GET that fails."""
    response = get(ask, name, **fields)
    envelope = response.json()
    assert (response.status_code, envelope["result"], envelope["data"]) == (200, False, None)
    assert "X-Bkapi-Error-Code" not in response.headers
    return envelope["code"], envelope["message"]


def leaves(value: Any) -> Iterator[Any]:
    """Every value in JSON that holds no others."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value
