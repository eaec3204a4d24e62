"""The raw log of one host over HTTP."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client

from joblogs.models import JobInstance, LogRead
from tests import builders
from tests.builders import job, load, result, script_log, step

URL = "/api/v1/biz/2/jobs/100/steps/200/hosts/101/log"
TEXT = "one\ntwo\r\n三\nend".encode()

pytestmark = pytest.mark.django_db


@pytest.fixture
def get() -> Any:
    headers = builders.credentials()
    client = Client()

    def get(query: str = "", method: str = "GET", path: str = URL, **fields: str) -> Any:
        return client.generic(method, path + query, headers=headers | fields)

    return get


@pytest.fixture(autouse=True)
def _log(db: None) -> None:
    said = {"status": 9, "log_size": len(TEXT)}
    load(job(), step(), result(**said))
    load(script_log(TEXT[:9].decode()), script_log(TEXT[9:].decode(), offset=9))


def _body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_bytes_come_as_they_were_printed(get: Any, slash: str) -> None:
    response = get(path=URL + slash)
    assert _body(response) == TEXT
    assert (response.status_code, response["Content-Type"]) == (200, "text/plain")
    assert response["Content-Length"] == response["X-Log-Size"] == str(len(TEXT))
    assert response["X-Log-State"] == "complete"
    assert response["Accept-Ranges"] == "bytes"


def test_head_tells_the_size_and_reads_nothing(get: Any) -> None:
    response = get(method="HEAD")
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Length"] == str(len(TEXT))
    assert LogRead.objects.count() == 0


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-3", 0, 4),
        ("bytes=4-", 4, len(TEXT)),
        ("bytes=-3", len(TEXT) - 3, len(TEXT)),
        ("bytes=8-11", 8, 12),
        ("bytes=0-999999", 0, len(TEXT)),
        ("bytes=-999999", 0, len(TEXT)),
    ],
)
def test_a_range_is_that_part(get: Any, asked: str, start: int, stop: int) -> None:
    response = get(Range=asked)
    assert _body(response) == TEXT[start:stop]
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {start}-{stop - 1}/{len(TEXT)}"
    assert response["Content-Length"] == str(stop - start)


@pytest.mark.parametrize("asked", ["bytes=99-", "bytes=-0"])
def test_a_range_beyond_the_log_is_416_with_its_size(get: Any, asked: str) -> None:
    response = get(Range=asked)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(TEXT)}"
    assert response.json()["code"] == 1240003


@pytest.mark.parametrize("asked", ["bytes=3-1", "lines=1-2", "bytes=0-1,3-4", "bytes=-", "x"])
def test_what_is_no_single_range_gives_the_whole(get: Any, asked: str) -> None:
    response = get(Range=asked)
    assert (response.status_code, _body(response)) == (200, TEXT)


def test_the_entity_tag_saves_a_second_transfer_until_the_log_grows(get: Any) -> None:
    load(job(2), step(job=2), result(job=2), script_log("a", job=2))
    path = URL.replace("/100/", "/2/")
    tag = get(path=path)["ETag"]
    assert get(path=path, **{"If-None-Match": tag}).status_code == 304
    load(script_log("b", job=2, offset=1))
    assert get(path=path, **{"If-None-Match": tag}).status_code == 200
    assert get(path=path, Range="bytes=1-", **{"If-Range": tag}).status_code == 200
    assert get(path=path)["ETag"] != tag


def test_the_tail_is_the_last_bytes(get: Any) -> None:
    assert _body(get("?tail=3")) == b"end"
    assert _body(get("?tail=0")) == b""


def test_a_follower_goes_on_where_it_was(get: Any) -> None:
    assert _body(get("?offset=4")) == TEXT[4:]
    assert _body(get(f"?offset={len(TEXT)}&wait=9")) == b""  # finished: nothing to wait for


@pytest.mark.django_db(transaction=True)
def test_a_follower_waits_for_what_comes(get: Any) -> None:
    load(job(3), step(job=3), result(job=3, status=7), script_log("a", job=3))
    path = URL.replace("/100/", "/3/")

    def later() -> None:
        load(script_log("bc\n", job=3, offset=1))
        connections.close_all()

    writer = threading.Timer(0.2, later)
    writer.start()
    response = get("?offset=1&wait=10", path=path)
    writer.join()
    assert _body(response) == b"bc\n"
    assert response["X-Log-State"] == "receiving"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("had", "answer"), [(1, (416, "0")), (0, (200, "0"))])
def test_a_log_that_expires_while_a_follower_waits_ends_the_wait_and_says_so(
    get: Any, had: int, answer: tuple[int, str]
) -> None:
    load(job(3), step(job=3), result(job=3, status=7))
    if had:
        load(script_log("a", job=3))

    def later() -> None:
        JobInstance.objects.filter(job_instance_id=3).update(expired_at=1)
        connections.close_all()

    writer = threading.Timer(0.2, later)
    writer.start()
    response = get(f"?offset={had}&wait=10", path=URL.replace("/100/", "/3/"))
    writer.join()
    assert (response.status_code, response["X-Log-Size"]) == answer
    assert response["X-Log-State"] == "expired"
    assert response["X-Log-Attempt"] == "0"


@pytest.mark.django_db(transaction=True)
def test_a_job_that_is_removed_while_a_follower_waits_is_not_found(get: Any) -> None:
    load(job(3), step(job=3), result(job=3, status=7), script_log("a", job=3))

    def later() -> None:
        call_command("remove_jobs", "--scope=biz:2", "--job=3", stdout=io.StringIO())
        connections.close_all()

    writer = threading.Timer(0.2, later)
    writer.start()
    response = get("?offset=1&wait=10", path=URL.replace("/100/", "/3/"))
    writer.join()
    assert response.status_code == 404


@pytest.mark.parametrize(
    "query", ["?tail=x", "?tail=-1", "?offset=1.5", "?tail=1&offset=1", "?batch=99999999999999999"]
)
def test_a_bad_number_is_named(get: Any, query: str) -> None:
    response = get(query, **{"Blueking-Language": "en"})
    assert (response.status_code, response.json()["code"]) == (400, 1240003)
    assert response.json()["message"].startswith("Bad Request [")


def test_earlier_attempts_can_be_asked_for(get: Any) -> None:
    load(result(execute_count=1, status=9), script_log("again\n", execute_count=1))
    assert _body(get()) == b"again\n"
    assert _body(get("?execute_count=0")) == TEXT


def test_an_expired_log_is_empty_and_says_so(get: Any) -> None:
    JobInstance.objects.update(expired_at=1)
    response = get()
    assert (response.status_code, _body(response)) == (200, b"")
    assert response["X-Log-State"] == "expired"


@pytest.mark.parametrize(
    "path",
    [
        URL.replace("/101/", "/102/"),
        URL.replace("/200/", "/201/"),
        URL.replace("/100/", "/101/"),
        URL.replace("/100/", "/9999999999999999/"),
        URL.replace("biz/2", "biz/7"),
    ],
)
def test_what_is_not_there_is_404_with_an_envelope(get: Any, path: str) -> None:
    response = get(path=path)
    assert response.status_code == 404
    assert response.json()["code"] in (1244006, 1243049)


def test_a_stranger_gets_403_and_an_unknown_app_the_gateways_400() -> None:
    stranger = builders.credentials("elsewhere", scopes=(("biz", "3"),))
    assert Client().get(URL, headers=stranger).status_code == 403
    assert Client().get(URL).status_code == 400


def test_reads_are_recorded_with_the_bytes_sent(get: Any) -> None:
    response = get(Range="bytes=0-3")
    _body(response)
    read = LogRead.objects.get()
    assert (read.who, read.channel, read.host_count, read.size) == ("zoe", "raw log", 1, 4)


def test_an_answer_names_the_attempt_and_the_batch_of_its_text_and_the_latest(get: Any) -> None:
    names = ("X-Log-Attempt", "X-Log-Batch", "X-Log-Latest-Attempt", "X-Log-Latest-Batch")
    assert [get()[name] for name in names] == ["0", "0", "0", "0"]
    load(result(execute_count=1, status=7), script_log("again\n", execute_count=1))
    assert [get()[name] for name in names] == ["1", "0", "1", "0"]
    assert [get("?execute_count=0")[name] for name in names] == ["0", "0", "1", "0"]
    load(result(execute_count=1, batch=2, status=7))
    assert [get("?execute_count=1&batch=0", method="HEAD")[name] for name in names] == [
        *("1", "0", "1", "2")
    ]


def test_a_host_that_was_not_run_again_keeps_the_attempt_of_its_text(get: Any) -> None:
    load(result(execute_count=1, actual_execute_count=0, status=9))
    assert (_body(get()), get()["X-Log-Attempt"]) == (TEXT, "0")


def test_an_offset_in_a_text_that_a_retry_replaced_is_refused(get: Any) -> None:
    load(result(execute_count=1, status=7), script_log("new\n", execute_count=1))
    answer = get(f"?offset={len(TEXT)}&wait=10", **{"Blueking-Language": "en"})
    assert (answer.status_code, answer.json()["code"]) == (416, 1245416)
    said = f"Offset {len(TEXT)} is beyond the end of the log (attempt 1, batch 0: 4 bytes,"
    assert answer.json()["message"] == f"{said} receiving)"
    assert (answer["X-Log-Attempt"], answer["X-Log-Size"]) == ("1", "4")
    assert answer["Content-Range"] == "bytes */4"
    assert _body(get(f"?execute_count=0&batch=0&offset={len(TEXT)}")) == b""


def test_an_offset_in_a_log_that_has_expired_is_refused_and_says_so(get: Any) -> None:
    JobInstance.objects.update(expired_at=1)
    answer = get(f"?execute_count=0&offset={len(TEXT)}&wait=10")
    assert (answer.status_code, answer["X-Log-State"]) == (416, "expired")
    assert _body(get("?offset=0")) == b""


def test_a_follower_gets_the_beginning_of_a_secret_only_as_it_ends(get: Any) -> None:
    path = URL.replace("101", "102")
    load(result(102, status=7), script_log("start\nexport DB_PASSW", host=102))
    first = _body(get("?offset=0", path=path))
    assert b"start\n" in first
    load(script_log("ORD=Hunter2Hunter2x\nnext\n", host=102, offset=21))
    rest = _body(get(f"?offset={len(first)}", path=path))
    assert first + rest == _body(get(path=path))
    assert b"Hunter2" not in first + rest


def test_what_has_not_settled_when_a_log_ends_comes_then(get: Any) -> None:
    path = URL.replace("101", "102")
    load(result(102, status=7), script_log("the end: PASSW", host=102))
    first = _body(get("?offset=0", path=path))
    assert len(first) < 14
    load(result(102, status=9))
    assert first + _body(get(f"?offset={len(first)}", path=path)) == b"the end: PASSW"


def test_more_parameters_than_are_read_are_a_bad_request(get: Any) -> None:
    response = get("?" + "&".join(f"x{number}=1" for number in range(1_500)))
    assert (response.status_code, response.json()["code"]) == (400, 1240003)
