"""X-Joblogs-Fallback: a proxy asks BlueKing JOB what the store does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.get_requests import EVERY, Ask, get
from tests.builders import BATCH, asking, job, load, result, script_log, step

ESB = "/api/c/compapi/v2/jobv3/"
PROXIED = {"X-Forwarded-For": "192.0.2.1", "X-Joblogs-Fallback": "1"}


@pytest.fixture(autouse=True)
def _behind_a_proxy(db: None, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    load(job(), step(), result(), script_log())


def asked(ask: Ask, body: Any, path: str = BATCH, **headers: str) -> tuple[int, Any]:
    response = ask(body, path=path, headers=headers)
    envelope = json.loads(b"".join(response) if response.streaming else response.content)
    return response.status_code, envelope | dict.fromkeys(("job_request_id", "request_id"))


@pytest.mark.parametrize("path", [BATCH, "/esb/api/v3/batch_get_job_instance_ip_log",
                                  ESB + "batch_get_job_instance_ip_log"])  # fmt: skip
@pytest.mark.parametrize(
    "unknown", [{"job": 404}, {"step": 404}, {"bk_scope_id": "404"}], ids=lambda one: str(one)
)
def test_what_is_unknown_is_answered_404_with_the_same_body(
    ask: Ask, path: str, unknown: dict[str, Any]
) -> None:
    plain, body = asked(ask, asking(**unknown), path)
    status, same = asked(ask, asking(**unknown), path, **PROXIED)
    assert (plain, status) == (200, 404)
    assert same == body
    assert body["result"] is False


@pytest.mark.parametrize("name", [name for name in EVERY if name != "get_job_instance_list"])
def test_every_read_of_a_job_does_so_by_get(ask: Ask, name: str) -> None:
    def proxied(*args: Any, **how: Any) -> Any:
        return ask(*args, **how, headers=PROXIED)

    assert get(proxied, name, job_instance_id=404).status_code == 404
    assert get(proxied, name).status_code == 200


def test_a_job_of_another_scope_is_unknown_too(ask: Ask) -> None:
    load(job(300, bk_scope_id="3"), step(job=300))
    assert asked(ask, asking(job=300), **PROXIED)[0] == 404


def test_what_is_known_or_refused_is_answered_as_ever(ask: Ask) -> None:
    assert asked(ask, asking(), **PROXIED)[0] == 200
    assert asked(ask, asking(job=0), **PROXIED)[0] == 200
    load(job(300, bk_scope_id="3"))
    status, body = asked(ask, asking(job=300, bk_scope_id="3"), **PROXIED)
    assert (status, body["code"]) == (200, 9900403)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Joblogs-Fallback": "1"},
        {**PROXIED, "X-Joblogs-Fallback": "0"},
        {**PROXIED, "X-Joblogs-Fallback": "yes"},
        {**PROXIED, "X-Forwarded-For": ""},
        {"X-Forwarded-For": "192.0.2.1"},
    ],
)
def test_nobody_but_a_trusted_proxy_asks_for_it(ask: Ask, headers: dict[str, str]) -> None:
    assert asked(ask, asking(job=404), **headers)[0] == 200


def test_without_a_trusted_proxy_it_is_not_looked_at(ask: Ask, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 0
    assert asked(ask, asking(job=404), **PROXIED)[0] == 200
    settings.TRUSTED_PROXIES = 2
    assert asked(ask, asking(job=404), **PROXIED)[0] == 200
