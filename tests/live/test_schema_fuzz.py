"""schemathesis over the served OpenAPI document: nothing is answered that it does not say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from joblogs.api.openapi import OPERATIONS
from tests.builders import lines
from tests.live.fuzzing import (
    JOB,
    SAID,
    SCRIPTS,
    Saying,
    field_names,
    overlay,
    sayings,
    stored,
    with_closed_answers,
)
from tests.serving import Server

EXAMPLES, EXAMPLES_AT_THE_DOOR = 40, 5
CONFIG = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
FUZZING: dict[str, Any] = {
    "database": None,
    "phases": [Phase.generate],  # making a failing request smaller takes minutes
    "suppress_health_check": list(HealthCheck),
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="session")
def document(running: Server) -> Any:
    """The document as a server gives it that has something to answer with."""
    report = running.post(lines(*stored()))
    assert report["result"], report
    # The key of a group is the store's to make, so it is asked for.
    with running.answer("GET", f"/api/v1/biz/2/jobs/{JOB}/steps/{SCRIPTS}/summary") as response:
        SAID["group"] = st.just(json.load(response)["data"]["groups"][0]["key"])
    with running.answer("GET", "/api/v1/schema") as response:
        return schemathesis.openapi.from_dict(
            with_closed_answers(json.load(response)), config=CONFIG
        )


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize(("path", "method"), list(OPERATIONS))
def test_no_answer_is_outside_of_the_document(
    document: Any, server: Server, session: requests.Session, path: str, method: str
) -> None:
    names = field_names(OPERATIONS[path, method])
    every = set().union(*names.values())
    cases = document[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = document[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE)
    root = f"http://127.0.0.1:{server.port}"
    answered = []

    @settings(max_examples=EXAMPLES, **FUZZING)
    @given(case=cases | cases | wrong, said=sayings(every))
    def check(case: Case, said: Saying) -> None:
        overlay(case, said, names)
        response = case.call(base_url=root, session=session, headers=server.headers)
        if response.status_code == HTTPStatus.REQUEST_URI_TOO_LONG:
            return  # the web server's own answer: the store never saw it
        case.validate_response(response, checks=CHECKS)
        answered.append(response.status_code < 300 and b'"result":false' not in response.content)

    check()
    assert any(answered), "nothing but refusals was seen"


@pytest.mark.parametrize(("path", "method"), list(OPERATIONS))
def test_nor_is_one_at_the_door(
    document: Any, server: Server, session: requests.Session, path: str, method: str
) -> None:
    root = f"http://127.0.0.1:{server.port}"

    @settings(max_examples=EXAMPLES_AT_THE_DOOR, **FUZZING)
    @given(case=document[path][method].as_strategy())
    def check(case: Case) -> None:
        response = case.call(base_url=root, session=session)
        case.validate_response(response, checks=CHECKS)

    check()
