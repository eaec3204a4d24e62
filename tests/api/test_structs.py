"""Answers are what their structs say: read into them and encoded whole they are the same bytes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.urls import resolve

from joblogs.api.base import ApiView
from joblogs.api.exchange import Success, V4Success
from tests.api_examples import EXAMPLES, Example, app_of_the_examples, stored
from tests.builders import asking, file_log, load, result, step

OTHERS = {
    "object_files": Example(
        path="/api/v4/batch_get_job_instance_execute_object_log",
        body=asking(step=201, host_id_list=[101, 102]),
    ),
    "object_approval": Example(
        path="/api/v4/batch_get_job_instance_execute_object_log",
        body=asking(step=202, host_id_list=[101]),
    ),
    "esb": Example(path="/api/c/compapi/v2/jobv3/batch_get_job_instance_ip_log", body=asking()),
}
ALL = EXAMPLES | OTHERS


def answer_struct(example: Example) -> Any:
    """The struct of an example's endpoint and method, None if it does not answer with one."""
    view: type[ApiView] = resolve(example.path).func.cls  # type: ignore[attr-defined]
    operation = view.operations.get(example.method.lower())
    return operation.answer if operation is not None else None


@pytest.mark.django_db
@pytest.mark.parametrize("name", list(ALL))
def test_an_answer_is_its_struct_encoded(name: str) -> None:
    example = ALL[name]
    struct = answer_struct(example)
    if struct is None:
        pytest.skip("not a struct")
    keys = app_of_the_examples()
    load(
        *stored(),
        step(202, step_type=3),
        result(103, step=201, ip=None, ipv6="fd00::1"),
        file_log(103, step=201, src=None, src_path="bucket:x"),
    )
    body = json.dumps(example.body) if example.body else b""
    path = example.target
    response = Client().generic(example.method, path, body, "application/json", headers=keys)
    answer = b"".join(response)
    envelope = (V4Success if "/v4/" in path else Success)[struct]
    if b'"error"' not in answer and b'"result":false' not in answer:
        assert msgspec.json.encode(msgspec.json.decode(answer, type=envelope)) == answer
