"""Records over HTTP (docs/records.md, Over HTTP)."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from backports import zstd
from django.test import Client

from joblogs.models import HostResult, JobInstance
from tests import builders
from tests.builders import file_log, job, lines, load, result, script_log, step

URL = "/api/v1/records"
BODY = lines(job(), step(), result(), script_log("hello\n"))

pytestmark = pytest.mark.django_db


@pytest.fixture
def headers() -> dict[str, str]:
    """An app that may write biz:2, and read nothing."""
    return builders.credentials("producer", read=False, write=True)


def _post(body: bytes, headers: dict[str, str], path: str = URL, **fields: str) -> Any:
    client = Client(enforce_csrf_checks=True)
    kind = fields.pop("content_type", "application/x-ndjson")
    return client.post(path, body, content_type=kind, headers=headers | fields)


@pytest.mark.parametrize("path", [URL, URL + "/"])
def test_records_go_in_and_a_second_time_change_nothing(headers: Any, path: str) -> None:
    first = _post(BODY, headers, path).json()
    assert list(first) == ["result", "code", "message", "data", "job_request_id"]
    report = {"accepted": 4, "duplicates": 0, "refused_total": 0, "refused": []}
    assert (first["result"], first["code"], first["data"]) == (True, 0, report)
    assert _post(BODY, headers, path).json()["data"] == report | {"accepted": 0, "duplicates": 4}


def test_what_was_refused_is_told_with_200_and_its_own_code(headers: Any) -> None:
    response = _post(BODY + b"\n" + lines(script_log("x", offset=99)), headers)
    envelope = response.json()
    assert (response.status_code, envelope["result"], envelope["code"]) == (200, False, 1245409)
    (entry,) = envelope["data"]["refused"]
    assert list(entry) == ["line", "type", "reason", "expected_offset", "message"]
    assert (entry["line"], entry["reason"], entry["expected_offset"]) == (5, "gap", 6)
    assert HostResult.objects.get().received_size == 6


def test_with_a_public_address_it_says_where_the_jobs_can_be_seen(
    headers: Any, settings: Any
) -> None:
    assert "pages" not in _post(BODY, headers).json()["data"]
    settings.PUBLIC_URL = "https://logs.example.com"
    forbidden = job(8, bk_scope_id="9")
    body = BODY + b"\n" + lines(job(), forbidden, script_log("x", offset=99))
    # Whoever sends chooses the Host.
    told = _post(body, headers, Host="localhost").json()["data"]
    root = "https://logs.example.com/logs/biz/2/jobs"
    assert told["pages"] == [{"job_instance_id": 100, "url": f"{root}/100/"}]
    more = lines(*(job(number) for number in range(200, 230)))
    told = _post(more, headers).json()["data"]
    assert told["pages"] == [
        {"job_instance_id": number, "url": f"{root}/{number}/"} for number in range(200, 220)
    ]
    assert _post(lines({"type": "step"}), headers).json()["data"]["pages"] == []


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_a_body_may_be_packed(headers: Any, encoding: str, pack: Any) -> None:
    envelope = _post(pack(BODY), headers, **{"Content-Encoding": encoding}).json()
    assert envelope["data"]["accepted"] == 4


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", {}),
        (b"\n\n", {}),
        (lines({"type": "archive", "format": "joblogs", "version": 1}), {}),
        (BODY, {"Content-Encoding": "br"}),
        (BODY, {"content_type": "text/html"}),
    ],
)
def test_what_is_no_body_of_records_is_a_bad_request(
    headers: Any, body: bytes, said: dict[str, str]
) -> None:
    response = _post(body, headers, **said)
    assert (response.status_code, response.json()["code"]) == (200, 1240003)
    assert JobInstance.objects.count() == 0


def test_a_decoded_body_over_the_limit_is_413(headers: Any, settings: Any) -> None:
    settings.RECORDS_MAX_BYTES = 1000
    response = _post(gzip.compress(BODY + b"\n" * 5000), headers, **{"Content-Encoding": "gzip"})
    assert response.status_code == 413
    assert response["X-Bkapi-Error-Code"] == "1641301"


def test_a_bomb_is_413(headers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblogs.ingest.stream.BOMB_AFTER_BYTES", 100_000)
    bomb = zstd.compress(b"\n" * 50_000_000)
    assert _post(bomb, headers, **{"Content-Encoding": "zstd"}).status_code == 413


def test_an_app_that_may_write_nowhere_is_told_so() -> None:
    reader = builders.credentials("reader", write=False)
    assert _post(BODY, reader).json()["code"] == 9900403
    assert _post(BODY, {}).status_code == 400
    assert JobInstance.objects.count() == 0


def test_a_scope_beyond_the_grant_is_refused_record_by_record(headers: Any) -> None:
    envelope = _post(BODY + b"\n" + lines(job(5, bk_scope_id="3")), headers).json()
    assert [entry["reason"] for entry in envelope["data"]["refused"]] == ["forbidden"]
    assert envelope["data"]["accepted"] == 4


def test_the_store_says_what_it_reads(headers: Any) -> None:
    data = Client().get(URL, headers=headers).json()["data"]
    assert (data["format"], data["versions"]) == ("joblogs", [1])
    assert "script_log" in data["types"]


def test_offsets_say_where_each_log_goes_on(headers: Any) -> None:
    load(job(), step(), result(), script_log("hello\n"), result(102))
    load(step(201, step_type=2), result(step=201), file_log(step=201, offset=0, content="abc"))
    path = "/api/v1/biz/2/jobs/100/steps/{}/offsets"
    data = json.loads(b"".join(Client().get(path.format(200), headers=headers)))["data"]
    assert data["offsets"] == [
        {"bk_host_id": 101, "execute_count": 0, "batch": 0, "expected_offset": 6},
        {"bk_host_id": 102, "execute_count": 0, "batch": 0, "expected_offset": 0},
    ]
    streamed = b"".join(Client().get(path.format(201), headers=headers))
    (entry,) = json.loads(streamed)["data"]["offsets"]
    assert entry["task_key"] == "1_102_/data/1.log_101_/tmp/1.log"
    assert entry["expected_offset"] == 3


@pytest.mark.parametrize("place", ["biz/3", "biz/2", "biz/%00"])
def test_offsets_of_a_scope_that_one_may_not_write_are_those_of_no_job(
    place: str, headers: Any
) -> None:
    load(job(), step(), job(7, bk_scope_id="3"), step(job=7))
    number = 7 if place == "biz/3" else 8
    answer = Client().get(f"/api/v1/{place}/jobs/{number}/steps/200/offsets", headers=headers)
    assert answer.json()["code"] == 1244006


def test_a_large_body_is_applied_in_slices_in_bounded_memory(headers: Any) -> None:
    hosts = range(1, 301)
    body = lines(job(), step(), *(result(host) for host in hosts))
    pieces = (script_log("x" * 99, host=host, offset=99 * n) for n in range(30) for host in hosts)
    envelope = _post(body + b"\n" + lines(*pieces), headers).json()
    assert envelope["data"]["accepted"] == 2 + 300 + 9000
    assert set(HostResult.objects.values_list("held_size", flat=True)) == {2970}


def test_the_report_is_json_that_names_no_log_text(headers: Any) -> None:
    load(job(), step(), result(), script_log("hello\n"))
    response = _post(lines(script_log("secret-token", offset=0)), headers)
    assert "secret-token" not in json.dumps(response.json())
