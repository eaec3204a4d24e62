"""Exports over HTTP: what the command writes, of the app's scopes, streamed and recorded."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client

from joblogs import errors
from joblogs.export import Format
from joblogs.logtext import store
from joblogs.logtext.pieces import Hole
from joblogs.models import LogRead
from tests.builders import credentials, job, load, result, script_log, step
from tests.export.exporting import export

URL = "/api/v1/biz/2/export"

pytestmark = pytest.mark.django_db


@pytest.fixture
def get() -> Any:
    headers = credentials()
    client = Client()

    def get(query: str = "", path: str = URL, method: str = "GET") -> Any:
        return client.generic(method, path + query, headers=headers)

    return get


@pytest.fixture(autouse=True)
def _logs(db: None) -> None:
    load(
        *(job(), step(), result(status=9, host_name="web-1"), result(102, status=11)),
        *(script_log("hello\n"), script_log("sorry\n", host=102)),
        *(job(101, bk_scope_id="3"), step(210, job=101), result(103, job=101, step=210)),
        script_log("of another scope\n", host=103, job=101, step=210),
    )


def _body(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    return response.getvalue()


def _reads() -> list[tuple[Any, ...]]:
    columns = ("who", "app_code", "channel", "step_instance_id", "host_count", "size")
    return list(LogRead.objects.order_by("pk").values_list(*columns))


@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize("slash", ["", "/"])
def test_each_format_is_what_the_command_writes_of_the_scope(
    get: Any, format: Format, slash: str
) -> None:
    response = get(f"?format={format}", URL + slash)
    body = _body(response)
    assert b"of another scope" not in body
    assert response["Content-Type"] == format.content_type
    assert response["Content-Disposition"] == f'attachment; filename="joblogs-biz-2.{format}"'
    assert "Content-Length" not in response
    assert response["X-Accel-Buffering"] == "no"
    assert _reads() == [("zoe", "granted", "export", 200, 2, 12)]
    if format is Format.ZIP:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert len(archive.namelist()) == 3
    if format is Format.NDJSON:
        whole = export(job=100, every_attempt=True)
        assert body.splitlines()[1:] == whole.splitlines()[1:]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("&host=101", "web-1 100/200 | hello\n"),
        ("&host=101&step=200&job=100", "web-1 | hello\n"),
        ("&ip=0:10.0.0.102&no_prefix=true", "sorry\n"),
        ("&host=101&host=102&no_prefix=1", "hello\nsorry\n"),
        ("&status=failed&no_prefix=1", "sorry\n"),
        ("&contains=ell&no_prefix=1", "hello\n"),
        ("&since=2023-11-14&until=2023-11-14&attempt=0&batch=0&no_prefix=1", "hello\nsorry\n"),
        ("&attempt=all&host=102&step=200", "10.0.0.102 #0 | sorry\n"),
        ("&status=&job=%20&contains=&no_prefix=1", "hello\nsorry\n"),
    ],
)
def test_every_parameter_narrows(get: Any, query: str, text: str) -> None:
    assert _body(get(f"?format=txt{query}")).decode() == text


def test_the_name_says_what_it_is_of(get: Any) -> None:
    response = get("?format=csv&job=100&step=200")
    assert _body(response)
    assert 'filename="joblogs-biz-2-100-200.csv"' in response["Content-Disposition"]


@pytest.mark.parametrize(
    "query",
    [
        *("", "?format=", "?format=pdf", "?format=txt&format=csv"),
        *("?format=txt&job=x", "?format=txt&job=0", "?format=txt&step=-1", "?format=txt&host=x"),
        *("?format=txt&host=", "?format=txt&host=101&host=%20", "?format=txt&ip="),
        *("?format=txt&ip=10.0.0.1", "?format=txt&ip=x:10.0.0.1", "?format=txt&ip=0:x"),
        *("?format=txt&status=9", "?format=txt&since=yesterday", "?format=txt&until=0"),
        *("?format=txt&attempt=-1", "?format=txt&attempt=first", "?format=txt&batch=x"),
        *("?format=csv&no_prefix=1", "?format=txt&no_prefix=maybe", "?format=txt&contains=%0A"),
        *("?format=txt&hosts=101", "?format=txt&" + "&".join(["host=1"] * 501)),
    ],
)
def test_what_cannot_be_read_is_400_and_nothing_is_exported(get: Any, query: str) -> None:
    response = get(query)
    assert (response.status_code, response.json()["code"]) == (400, 1240003)
    assert _reads() == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("&job=9", errors.JobNotFound.code),
        ("&job=101", errors.JobNotFound.code),
        ("&step=9", errors.StepNotFound.code),
        ("&step=210", errors.StepNotFound.code),
        ("&host=103", errors.NothingSelected.code),
        ("&ip=1:10.0.0.101", errors.NothingSelected.code),
        ("&contains=absent", errors.NothingSelected.code),
        ("&status=running", errors.NothingSelected.code),
    ],
)
@pytest.mark.parametrize("format", list(Format))
def test_what_is_not_there_is_404_whatever_other_scopes_have(
    get: Any, query: str, code: int, format: Format
) -> None:
    response = get(f"?format={format}{query}")
    assert (response.status_code, response.json()["code"]) == (404, code)


def test_the_refusal_names_the_host(get: Any) -> None:
    assert get("?format=csv&host=9").json()["message"] == "没有符合条件的日志 [host 9]"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/biz/3/export", 403), ("/api/v1/biz/4/export", 404), ("/api/v1/shop/2/export", 404)],
)
def test_scopes_that_are_not_granted_are_refused(get: Any, path: str, status: int) -> None:
    assert get("?format=txt", path).status_code == status
    assert _reads() == []


def test_it_is_only_read_and_only_by_apps(get: Any) -> None:
    assert get("?format=txt", method="POST").status_code == 405
    assert get("?format=txt", method="HEAD").status_code == 405
    assert Client().get(URL + "?format=txt").status_code == 400


def test_jobs_without_hosts_are_records_and_else_nothing(get: Any) -> None:
    load(job(102))
    assert len(_body(get("?format=ndjson&job=102")).splitlines()) == 2
    assert get("?format=zip&job=102").status_code == 404


def test_hosts_that_printed_nothing_are_an_empty_text(get: Any) -> None:
    load(step(201), result(104, step=201))
    assert _body(get("?format=txt&step=201")) == b""
    assert len(_reads()) == 0


def test_what_fails_on_its_way_does_not_end_well(get: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblogs.export.BLOCK_BYTES", 1)
    monkeypatch.setattr(store, "GROUP_BYTES", 6)
    response = get("?format=txt&no_prefix=1")
    parts = iter(response.streaming_content)
    assert next(parts) == b"hello\n"
    monkeypatch.setattr(store.chunks, "stored_chunks", lambda *_, **__: {0: []})
    with pytest.raises(Hole):
        list(parts)


def test_records_that_were_exported_can_be_sent_again(get: Any) -> None:
    body = _body(get("?format=ndjson"))
    keys = credentials("writer", write=True)
    sent = Client().generic("POST", "/api/v1/records", body, "application/x-ndjson", headers=keys)
    assert json.loads(sent.content)["data"] == {
        "accepted": 0,
        "duplicates": 6,
        "refused_total": 0,
        "refused": [],
    }
