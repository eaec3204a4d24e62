"""What our own log says of a request, in both formats, and what it never says."""

from __future__ import annotations

import json
import logging
import logging.config
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.http import StreamingHttpResponse
from django.test import RequestFactory
from prometheus_client import REGISTRY

from joblogs.middleware import Requests
from joblogs.monitoring.log_formats import Json, LineFormatter, WithoutQueries
from tests import builders
from tests.builders import BATCH, asking

pytestmark = pytest.mark.django_db
SECRET, TEXT = "hunter2-hunter2", "what the job printed"


@pytest.fixture
def fields(caplog: pytest.LogCaptureFixture) -> Callable[[], dict[str, Any]]:
    """What was logged about the one request of a test."""
    caplog.set_level(logging.INFO)

    def one() -> dict[str, Any]:
        (record,) = [record for record in caplog.records if record.name == "joblogs.requests"]
        told: dict[str, Any] = record.fields  # type: ignore[attr-defined]
        assert record.getMessage().startswith(f"request request_id={told['request_id']} ")
        return told

    return one


def test_it_tells_route_app_status_size_and_the_id_that_the_caller_got(client, fields) -> None:
    builders.load(builders.job(), builders.step(), builders.result(), builders.script_log(TEXT))
    headers = builders.credentials()
    answer = client.post(BATCH, asking(), "application/json", headers=headers)
    told = fields()
    assert answer.json()["result"] is True
    assert told.pop("ms") <= told.pop("sent_ms")
    assert told == {
        "request_id": answer.json()["job_request_id"],
        "method": "POST",
        "route": "batch_get_job_instance_ip_log",
        "app": "granted",
        "status": 200,
        "bytes": len(answer.content),
    }


def test_an_error_that_travels_with_200_is_told_by_its_code(client, fields) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("joblogs_failures_total", {"code": "1243049"}) or 0

    before = counted()
    body = asking(bk_scope_id="999")
    client.post(BATCH, body, "application/json", headers=builders.credentials())
    assert (fields()["status"], fields()["code"]) == (200, 1243049)
    assert counted() - before == 1


def test_latency_is_counted_by_route_and_status(client) -> None:
    def counted() -> float:
        labels = {"route": "records", "status": "200"}
        return REGISTRY.get_sample_value("joblogs_request_seconds_count", labels) or 0

    before = counted()
    client.get("/api/v1/records", headers=builders.credentials())
    assert counted() - before == 1


def test_a_page_has_an_id_too_and_nobody_is_looked_up_for_the_log(
    client, fields, django_assert_num_queries
) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/logs/")
    assert fields()["route"] == "staff:jobs"
    assert fields()["request_id"] == answer["X-Request-ID"]
    assert "app" not in fields()


@pytest.mark.parametrize("path", ["/no/such/page", "/static/joblogs/joblogs.css"])
def test_what_no_route_answers_is_one_series(client, fields, path) -> None:
    answer = client.get(path)
    b"".join(answer) if answer.streaming else None
    answer.close()
    assert fields()["route"] == "none"


def test_probes_are_not_logged(client, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    client.get("/healthz")
    assert caplog.records == []


@pytest.mark.parametrize("right", [True, False])
def test_neither_credentials_nor_text_nor_the_address_get_into_it(client, caplog, right) -> None:
    caplog.set_level(logging.DEBUG)
    builders.load(builders.job(), builders.step(), builders.result(), builders.script_log(TEXT))
    held = json.loads(builders.credentials()["X-Bkapi-Authorization"])["bk_app_secret"]
    secret = held if right else SECRET
    path = "/api/c/compapi/v2/jobv3/batch_get_job_instance_ip_log/"
    query = f"?bk_app_code=granted&bk_app_secret={secret}"
    answer = client.post(path + query, asking(), "application/json")
    assert answer.json()["result"] is right
    for form in (LineFormatter(), Json()):
        said = "\n".join(form.format(record) for record in caplog.records)
        assert "batch_get_job_instance_ip_log" in said
        for word in (secret, "bk_app_secret", TEXT, "compapi"):
            assert word not in said


def streamed(parts: Iterator[bytes]) -> StreamingHttpResponse:
    request = RequestFactory().get("/")
    answer = Requests(lambda request: StreamingHttpResponse(parts))(request)
    assert isinstance(answer, StreamingHttpResponse)
    return answer


def test_a_body_that_was_not_taken_to_its_end_was_cut(fields) -> None:
    answer = streamed(iter([b"one", b"two", b"three"]))
    body = iter(answer)
    assert [next(body), next(body)] == [b"one", b"two"]
    answer.close()
    assert (fields()["cut"], fields()["bytes"]) == (True, 3)


def test_a_body_that_failed_was_cut(fields) -> None:
    def parts() -> Iterator[bytes]:
        yield b"one"
        raise DatabaseError(TEXT)

    answer = streamed(parts())
    with pytest.raises(DatabaseError):
        b"".join(answer)
    answer.close()
    assert (fields()["cut"], fields()["bytes"]) == (True, 3)


def test_a_body_that_went_out_whole_was_not(fields) -> None:
    answer = streamed(iter([b"one", b"two"]))
    assert b"".join(answer) == b"onetwo"
    answer.close()
    assert fields()["bytes"] == 6
    assert "cut" not in fields()


def raised() -> logging.LogRecord:
    try:
        raise DatabaseError(TEXT)
    except DatabaseError:
        said = ("it failed for %s", ("zoe\nERROR joblogs: no line of its own",), sys.exc_info())
        return logging.LogRecord("joblogs.test", logging.ERROR, __file__, 1, *said)


@pytest.mark.parametrize("form", [LineFormatter(), Json()])
def test_an_exception_is_told_without_its_words(form: logging.Formatter) -> None:
    said = form.format(raised())
    assert "DatabaseError" in said
    assert "in raised" in said
    assert TEXT not in said


def test_json_is_one_object_a_line() -> None:
    (line,) = Json().format(raised()).splitlines()
    told = json.loads(line)
    assert told["message"].startswith("it failed for zoe\n")
    assert (told["level"], told["logger"]) == ("ERROR", "joblogs.test")
    assert told["time"].endswith("Z")


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("Error handling request %s %s", ("GET", f"/log?tail=1&bk_app_secret={SECRET}")),
        (f"Invalid HTTP request line: 'GET /log?bk_app_secret={SECRET} HTTP/9'", ()),
    ],
)
def test_what_the_server_says_of_a_request_loses_its_query_string(said, values) -> None:
    record = logging.LogRecord("gunicorn.error", logging.ERROR, __file__, 1, said, values, None)
    assert WithoutQueries().filter(record)
    assert "/log?…" in record.getMessage()
    assert SECRET not in record.getMessage()


def test_the_settings_make_both_formats() -> None:
    # Built, not installed: pytest keeps its own handlers.
    config = logging.config.DictConfigurator(settings.LOGGING)
    formats: Any = settings.LOGGING["formatters"]
    made = [config.configure_formatter(form) for form in formats.values()]
    assert [type(form) for form in made] == [LineFormatter, Json]
