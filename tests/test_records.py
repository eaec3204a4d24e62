"""The record types (docs/records.md)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs import record_json, records, times
from joblogs.record_json import InvalidRecord, decode, decode_all, encode
from tests.builders import Fields, file_log, job, result, script_log, step

EVERY: list[Fields] = [
    {"type": "archive", "format": "joblogs", "version": 1, "created": 1, "generator": "x"},
    job(operator="a", status=3, execute_count=1, scope_name="二", update_time=5),
    step(position=-3, execute_count=2),
    result(execute_count=1, batch=2, host_name="w", tag="", exit_code=-1, role="source"),
    script_log("a\0b\n", execute_count=0, batch=0),
    file_log(status=0, size="1 KB", offset=0, content="x"),
]


def _line(record: Fields) -> bytes:
    return json.dumps(record).encode()


@pytest.mark.parametrize("record", EVERY, ids=lambda record: record["type"])
def test_what_was_read_is_written_with_the_same_values(record: Fields) -> None:
    assert json.loads(encode(decode(_line(record)))) == {
        key: value for key, value in record.items() if value is not None
    }


def test_keys_are_written_in_the_order_of_the_page() -> None:
    assert list(json.loads(encode(decode(_line(EVERY[3]))))) == [
        *("type", "job_instance_id", "step_instance_id", "execute_count", "batch"),
        *("bk_host_id", "ip", "host_name", "tag", "exit_code", "role"),
    ]


def test_bytes_that_are_no_text_come_as_base64() -> None:
    record: Any = decode(_line(script_log(None, content_base64="/wCB")))
    assert record.data() == b"\xff\x00\x81"
    assert json.loads(encode(record))["content_base64"] == "/wCB"


def test_the_last_of_doubled_keys_wins() -> None:
    line = _line(job()).replace(b'"name"', b'"name": "first", "name"')
    assert decode(line).name == "restart web"  # type: ignore[union-attr]


def test_keys_that_begin_with_x_are_dropped_wherever_they_stand() -> None:
    record = file_log(x_trace=[1]) | {"src": {"bk_host_id": 102, "x_rack": {"a": 1}}}
    assert "x_" not in encode(decode(_line(record))).decode()


def test_the_last_day_of_the_calendar_and_the_largest_ids_are_records() -> None:
    largest, last = 2**53 - 1, times.TIME_MAX
    record = job(largest, start_time=last, end_time=last, expired={"at": last, "policy": "p"})
    assert decode(_line(record)).job_instance_id == largest  # type: ignore[union-attr]


@pytest.mark.parametrize("at", [times.TIME_MAX + 1, 1_700_000_000_000_000, 2**53 - 1, 2**80, -1])
@pytest.mark.parametrize(
    ("record", "key"),
    [
        *[(job(), key) for key in ("create_time", "start_time", "end_time", "update_time")],
        *[(step(), key) for key in ("create_time", "start_time", "end_time", "update_time")],
        *[(result(), key) for key in ("start_time", "end_time", "update_time")],
        (file_log(), "update_time"),
        ({"type": "archive", "format": "joblogs", "version": 1}, "created"),
    ],
)
def test_a_time_that_no_calendar_has_is_refused_naming_unit_and_clock(
    record: dict[str, Any], key: str, at: int
) -> None:
    with pytest.raises(InvalidRecord, match=rf"{key}.*milliseconds.*server's time is \d+"):
        decode(_line(record | {key: at}))
    assert decode_all([_line(record | {key: at})]) is None


@pytest.mark.parametrize(
    ("record", "key"),
    [
        *[(job(), key) for key in ("create_time", "update_time")],
        *[(record, "update_time") for record in (step(), result(), file_log())],
    ],
)
def test_a_time_that_orders_rows_is_at_most_7_days_ahead(record: dict[str, Any], key: str) -> None:
    now, day = int(time.time() * 1000), 24 * 60 * 60 * 1000
    near, far = (_line(record | {key: now + days * day}) for days in (6, 8))
    assert getattr(decode(near), key) == now + 6 * day
    assert decode_all([near]) is not None
    with pytest.raises(InvalidRecord, match=rf"{key}.*7 days.*milliseconds.*time is \d+"):
        decode(far)
    assert decode_all([far]) is None


def test_the_end_of_a_run_may_be_planned_far_ahead() -> None:
    far = int(time.time() * 1000) + 10**10
    for record in (job(end_time=far), step(create_time=far), result(start_time=far)):
        assert decode_all([_line(record)]) is not None


BAD: list[tuple[bytes, str]] = [
    (_line(job(surprise=1)), "surprise"),
    (_line(job(0)), "job_instance_id"),
    (_line(job(2**53)), "job_instance_id"),
    (_line(job(True)), "job_instance_id"),
    (_line(job(1.0)), "job_instance_id"),  # type: ignore[arg-type]
    (_line(job("1")), "job_instance_id"),  # type: ignore[arg-type]
    (_line(job(None)), "job_instance_id"),  # type: ignore[arg-type]
    (_line(job(bk_scope_type="shop")), "bk_scope_type"),
    (_line(job(bk_scope_id="")), "bk_scope_id"),
    (_line(job(bk_scope_id="x" * 65)), "bk_scope_id"),
    (_line(job(name="x" * 513)), "name"),
    (_line(job(operator="x" * 257)), "operator"),
    (_line(job(operator="a\0")), "operator"),
    (_line(job(status=2**31)), "status"),
    (_line(job(create_time=-1)), "create_time"),
    (_line(step(step_type=5)), "step_type"),
    (_line(step(position=2**31)), "position"),
    (_line(step(bk_scope_id="2")), "bk_scope_type"),
    (_line(result(ip="10.0.0.300")), "ip"),
    (_line(result(ip="fd00::7")), "ip"),
    (_line(result(ip=None, ipv6="10.0.0.1")), "ipv6"),
    (_line(result(tag="x" * 257)), "tag"),
    (_line(result(host_name="a\0b")), "host_name"),
    (_line(result(batch=-1)), "batch"),
    (_line(result(log_sha256="abc")), "log_sha256"),
    (_line(result(role="both")), "role"),
    (_line(result(redacted=[[5, 5]])), "redacted"),
    (_line(script_log(None)), "content"),
    (_line(script_log("a", content_base64="YQ==")), "content_base64"),
    (_line(script_log(None, content_base64="!")), "content_base64"),
    (_line(script_log(offset=-1)), "offset"),
    (_line(file_log(mode=2)), "mode"),
    (_line(file_log(dest=None)), "dest"),
    (_line(file_log(dest_path=None)), "dest_path"),
    (_line(file_log(mode=0, dest_path="/x")), "dest"),
    (_line(file_log(status=6)), "status"),
    (_line(file_log(src_path="x" * 8193)), "src_path"),
    (_line(file_log(content="x")), "offset"),
    (_line(file_log(dest={"bk_host_id": 7})), "bk_host_id"),
    (_line(file_log(src={"bk_host_id": 1, "ip": "x"})), "ip"),
    (_line({"type": "other"}), "type"),
    (b"{}", "type"),
    (b"[]", "object"),
    (b"nonsense", "JSON"),
    (b'{"type": "job"', "truncated"),
    (_line(job(name="NAME")).replace(b"NAME", b"\xff"), "UTF-8"),
    (_line(job(name="NAME")).replace(b"NAME", b"\\ud800"), "."),
    (b'{"type": "job", "x_deep": ' + b"[" * 100_000, "."),
]


@pytest.mark.parametrize(("line", "named"), BAD, ids=range(len(BAD)))
def test_what_is_no_record_is_refused_and_the_key_named(line: bytes, named: str) -> None:
    with pytest.raises(InvalidRecord, match=named):
        decode(line)


def test_a_refused_line_still_tells_its_type_if_it_has_one() -> None:
    with pytest.raises(InvalidRecord) as refused:
        decode(_line(job(surprise=1)))
    assert refused.value.type == "job"


READABLE = [_line(record) for record in EVERY[1:]]
ODD = [
    *(line for line, _ in BAD),
    _line(EVERY[0]),
    _line(job(x_own=1)),
    _line(script_log(bk_scope_type="biz", bk_scope_id="2\0")),
    READABLE[0] + READABLE[1],
]


@given(
    st.lists(st.sampled_from([*READABLE, *ODD]), max_size=4), st.lists(st.sampled_from(READABLE))
)
def test_lines_are_read_at_once_only_if_all_of_them_are_records(
    any_lines: list[bytes], readable: list[bytes]
) -> None:
    assert decode_all(readable) == [decode(line) for line in readable]
    if any(line in ODD for line in any_lines):
        assert decode_all(any_lines + readable) is None


def test_the_task_key_is_made_as_bk_job_makes_it() -> None:
    upload: Any = decode(_line(file_log(102, mode=0)))
    download: Any = decode(_line(file_log(101)))
    assert upload.key() == "0_102_/data/1.log"
    assert download.key() == "1_102_/data/1.log_101_/tmp/1.log"
    third_party: Any = decode(_line(file_log(101, src=None)))
    assert third_party.key() == "1__/data/1.log_101_/tmp/1.log"


def test_every_type_is_named_once() -> None:
    assert [record_json.type_name(decode(_line(record))) for record in EVERY] == list(records.TYPES)


def test_what_is_wrong_is_said_in_a_sentence_however_long_the_value() -> None:
    with pytest.raises(InvalidRecord) as refused:
        decode(_line(result(ip="x" * 1_000_000)))
    assert len(str(refused.value)) <= 500
