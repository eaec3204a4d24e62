"""The record language key by key: order, limits, null, NUL, what is dropped (RECORDS)."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs import record_json, records, times
from tests.builders import file_log, job, result, script_log, step

ARCHIVE = {"type": "archive", "format": "joblogs", "version": 1}
PLAIN = [ARCHIVE, job(), step(), result(), script_log(), file_log(), file_log(mode=0)]
BIG = 2**53
ENDS = {"bk_host_id": 102, "bk_cloud_id": 0, "ip": "10.0.0.2", "ipv6": "fd00::2"}
SOURCE = {"account": "mysql", "file_type": 3, "files": ["/a", "/b"], "hosts": [ENDS]}
PAGE = [
    # Every key of RECORDS, in the order of the page.
    {**ARCHIVE, "created": 1_700_000_000_000, "generator": "joblogs 1.0"},
    {
        **{"type": "job", "job_instance_id": 100, "bk_scope_type": "biz", "bk_scope_id": "2"},
        **{"name": "restart web", "operator": "admin", "source": "bk-job", "launch_mode": 2},
        **{"task_type": 1, "status": 3, "create_time": 1, "start_time": 2, "end_time": 3},
        **{"total_time": 1, "execute_count": 0, "scope_name": "蓝鲸", "update_time": 4},
        "expired": {"at": 9, "policy": "90 days"},
    },
    {
        **{"type": "step", "job_instance_id": 100, "step_instance_id": 200, "name": "restart"},
        **{"step_type": 1, "position": 1, "status": 3, "execute_count": 0, "create_time": 1},
        **{"start_time": 2, "end_time": 3, "total_time": 1, "update_time": 4},
        **{"script_language": 6, "account": "root", "timeout": 7200, "script_param": "-v"},
        **{"script_param_sensitive": False, "file_sources": [SOURCE], "file_target_path": "/srv"},
    },
    {
        **{"type": "host_result", "job_instance_id": 100, "step_instance_id": 200},
        **{"execute_count": 0, "batch": 0, "bk_host_id": 101, "bk_cloud_id": 0, "ip": "10.0.0.1"},
        **{"ipv6": "fd00::1", "host_name": "web-1", "status": 9, "tag": "ok", "exit_code": 0},
        **{"error_code": 0, "start_time": 1, "end_time": 2, "total_time": 1, "log_size": 42},
        **{"log_sha256": "ab" * 32, "role": "target", "actual_execute_count": 0},
        **{"update_time": 4, "received_size": 50, "truncated": True, "redacted": [[1, 2]]},
    },
    {
        **{"type": "script_log", "job_instance_id": 100, "step_instance_id": 200},
        **{"execute_count": 0, "batch": 0, "bk_host_id": 101, "offset": 0, "content": "日志\n"},
    },
    {
        **{"type": "script_log", "job_instance_id": 100, "step_instance_id": 200},
        **{"bk_host_id": 102, "offset": 7, "content_base64": "/wCB"},
    },
    {
        **{"type": "file_log", "job_instance_id": 100, "step_instance_id": 201},
        **{"execute_count": 0, "batch": 0, "bk_host_id": 102, "mode": 1, "task_key": "k"},
        **{"src": {**ENDS, "bk_host_id": 101}, "src_path": "/a", "dest": ENDS, "dest_path": "/b"},
        **{"status": 4, "size": "9.0 Bytes", "speed": "1 KB/s", "process": "100%", "offset": 0},
        **{"content": "x", "update_time": 4, "received_size": 50, "truncated": True},
        "redacted": [[0, 1]],
    },
]


def decode(said: dict[str, Any]) -> records.Record:
    return record_json.decode(json.dumps(said).encode())


def refusal(said: dict[str, Any] | bytes) -> str:
    """Why a line is refused."""
    line = said if isinstance(said, bytes) else json.dumps(said).encode()
    with pytest.raises(record_json.InvalidRecord) as error:
        record_json.decode(line)
    return str(error.value)


@pytest.mark.parametrize("said", PAGE, ids=lambda said: said["type"])
def test_a_record_is_written_with_its_keys_in_the_order_of_the_page(said: dict[str, Any]) -> None:
    shuffled = list(said.items())
    random.Random(1).shuffle(shuffled)  # noqa: S311 - the same in every run
    compact = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    assert record_json.encode(decode(dict(shuffled))) == compact


@pytest.mark.parametrize("said", PLAIN, ids=lambda said: said["type"])
def test_null_says_as_little_as_an_absent_key_and_is_not_written(said: dict[str, Any]) -> None:
    full = next(full for full in PAGE if full["type"] == said["type"])
    optional = {key: None for key in full if key not in said}
    assert decode({**said, **optional}) == decode(said)
    assert b"null" not in record_json.encode(decode({**said, **optional}))


@pytest.mark.parametrize(
    ("said", "key"),
    [
        *[(ARCHIVE, key) for key in ("format", "version")],
        *[(job(), key) for key in ("job_instance_id", "bk_scope_type", "bk_scope_id")],
        *[(job(), key) for key in ("name", "create_time")],
        *[(step(), key) for key in ("job_instance_id", "step_instance_id", "name", "step_type")],
        *[(result(), key) for key in ("job_instance_id", "step_instance_id", "bk_host_id")],
        *[(script_log(), key) for key in ("step_instance_id", "bk_host_id", "offset", "content")],
        *[(file_log(), key) for key in ("bk_host_id", "mode", "src_path", "dest", "dest_path")],
        *[(said, "type") for said in PLAIN],
    ],
)
def test_a_required_key_is_missed_by_name_when_absent_or_null(
    said: dict[str, Any], key: str
) -> None:
    assert key in refusal({name: value for name, value in said.items() if name != key})
    assert key in refusal(said | {key: None})


@pytest.mark.parametrize("said", PLAIN, ids=lambda said: said["type"])
def test_an_unknown_key_is_refused_by_name(said: dict[str, Any]) -> None:
    assert "colour" in refusal(said | {"colour": "red"})
    assert "colour" in refusal(said | {"colour": None, "x_colour": "red"})


@pytest.mark.parametrize("said", PLAIN, ids=lambda said: said["type"])
def test_keys_that_begin_with_x_are_dropped(said: dict[str, Any]) -> None:
    more = {"x_": None, "x_host": {"deep": [1, {"x_y": "\0"}]}, "x_n": 2**80}
    assert decode(said | more) == decode(said)


def test_a_key_that_begins_with_x_is_dropped_however_it_is_escaped() -> None:
    line = json.dumps(job()).encode()[:-1] + b', "\\u0078_note": 1}'
    assert record_json.decode(line) == decode(job())


@pytest.mark.parametrize(
    ("doubled", "name"),
    [
        (b'"name": "first", "name": "last"', "last"),
        (b'"name": "first", "name": "last", "x_note": 1', "last"),
        (b'"name": 5, "name": "last"', "last"),
    ],
)
def test_the_last_of_doubled_keys_wins(doubled: bytes, name: str) -> None:
    line = json.dumps(job()).encode().replace(b'"name": "restart web"', doubled)
    record = record_json.decode(line)
    assert isinstance(record, records.Job)
    assert record.name == name


@pytest.mark.parametrize(
    ("said", "key", "longest"),
    [
        *[(job(), key, 512) for key in ("name", "scope_name")],
        *[(job(), key, 256) for key in ("operator", "source")],
        (step(), "name", 512),
        *[(result(), key, 256) for key in ("tag", "host_name")],
        *[(file_log(), key, 256) for key in ("size", "speed", "process")],
        *[(file_log(), key, 8192) for key in ("src_path", "dest_path", "task_key")],
        (job(), "bk_scope_id", 64),
    ],
)
def test_a_text_is_as_long_as_its_column_in_characters(
    said: dict[str, Any], key: str, longest: int
) -> None:
    assert getattr(decode(said | {key: "志" * longest}), key) == "志" * longest
    assert key in refusal(said | {key: "a" * (longest + 1)})


@pytest.mark.parametrize("said", [step(), result(), script_log(), file_log()])
def test_half_a_scope_is_no_scope(said: dict[str, Any]) -> None:
    assert decode(said | {"bk_scope_type": "biz", "bk_scope_id": "2"})
    assert "bk_scope_id" in refusal(said | {"bk_scope_type": "biz"})
    assert "bk_scope_type" in refusal(said | {"bk_scope_id": "2"})


INT32 = (-(2**31), 2**31 - 1)
COUNT = (0, 2**31 - 1)
AMOUNT = (0, BIG - 1)
TIMES = (0, times.TIME_MAX)
IDS = (1, BIG - 1)


@pytest.mark.parametrize(
    ("said", "key", "limits"),
    [
        (job(), "job_instance_id", IDS),
        (step(), "step_instance_id", IDS),
        (result(), "bk_host_id", IDS),
        *[(job(), key, INT32) for key in ("launch_mode", "task_type", "status")],
        *[(step(), key, INT32) for key in ("position", "status")],
        *[(result(), key, INT32) for key in ("status", "exit_code", "error_code")],
        *[(result(), key, COUNT) for key in ("execute_count", "batch", "actual_execute_count")],
        *[(job(), key, TIMES) for key in ("start_time", "end_time")],
        *[(result(), key, AMOUNT) for key in ("bk_cloud_id", "log_size", "total_time")],
        (script_log(), "offset", AMOUNT),
    ],
)
def test_an_integer_fits_its_column(
    said: dict[str, Any], key: str, limits: tuple[int, int]
) -> None:
    for value in limits:
        assert getattr(decode(said | {key: value}), key) == value
    for wrong in (limits[0] - 1, limits[1] + 1, 2**70, 1.5, True, "1"):
        assert key in refusal(said | {key: wrong})


def test_only_log_content_may_hold_nul() -> None:
    record = decode(script_log("a\0b"))
    assert isinstance(record, records.ScriptLog)
    assert record.data() == b"a\0b"
    assert decode(file_log(offset=0, content="a\0b"))
    assert decode(script_log("\\u0000", x_note="\0"))
    for said in (
        *(job() | {key: "a\0"} for key in ("name", "operator", "source", "bk_scope_id")),
        job(scope_name="a\0"),
        job(expired={"at": 1, "policy": "a\0"}),
        step(name="a\0"),
        *(result() | {key: "a\0"} for key in ("host_name", "tag", "ip", "ipv6")),
        *(file_log() | {key: "a\0"} for key in ("src_path", "dest_path", "task_key", "process")),
        file_log(src={"bk_host_id": 102, "ip": "10.0.0.2\0"}),
        script_log(bk_scope_type="biz", bk_scope_id="2\0"),
    ):
        assert refusal(said)


@given(st.binary(max_size=50))
def test_base64_brings_any_bytes(data: bytes) -> None:
    record = decode(script_log(None, content_base64=base64.b64encode(data).decode()))
    assert isinstance(record, records.ScriptLog)
    assert record.data() == data


@given(st.text(max_size=50))
def test_content_brings_the_utf_8_of_its_text(text: str) -> None:
    record = decode(script_log(text))
    assert isinstance(record, records.ScriptLog)
    assert record.data() == text.encode()


@pytest.mark.parametrize("content", ["=", "/wC", "/wCB!", "/w CB", 5, ["/wCB"]])
def test_what_is_not_base64_is_refused(content: Any) -> None:
    assert "content_base64" in refusal(script_log(None, content_base64=content))


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"{", b"null", b"[]", b"5", b'"job"', b"{}", b'{"type": 5}', b'{"type": "job"} x'),
        json.dumps(job()).encode("utf-16"),
        json.dumps(job(name="\xff"), ensure_ascii=False).encode("latin-1"),
        json.dumps(job(x_note="\xff"), ensure_ascii=False).encode("latin-1"),
        json.dumps(job(name="\ud800")).encode(),
        json.dumps(job()).encode().replace(b"restart", b"re\0start"),
        b'{"type": "job", "x_deep": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_object_in_utf_8_is_refused_and_never_crashes(line: bytes) -> None:
    assert refusal(line)


def test_a_file_log_belongs_to_its_target_or_for_an_upload_to_its_source() -> None:
    assert "bk_host_id" in refusal(file_log(bk_host_id=999))
    assert "bk_host_id" in refusal(file_log(mode=0, bk_host_id=999))
    assert decode(file_log(src=None))
    assert "dest" in refusal(file_log(mode=0, dest_path="/tmp/2.log"))  # noqa: S108
    assert "mode" in refusal(file_log(mode=2))


@pytest.mark.parametrize("ranges", [[[2, 2]], [[3, 2]], [[-1, 2]], [[1]], [[1, 2, 3]], "1-2"])
def test_masked_ranges_are_pairs_that_ascend(ranges: Any) -> None:
    assert refusal(result(redacted=ranges))
    assert refusal(file_log(redacted=ranges))


def test_a_digest_is_64_hexadecimal_digits() -> None:
    assert decode(result(log_sha256="Ab" * 32))
    for digest in ("ab" * 31, "zz" * 32, "ab" * 32 + "\n", "ab" * 33):
        assert "log_sha256" in refusal(result(log_sha256=digest))
