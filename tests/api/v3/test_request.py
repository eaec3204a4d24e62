"""Bodies, integers and scopes: how a request may be written (docs/api.md, Requests)."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.builders import BATCH, asking, credentials, job, load, result, script_log, step

ESB = "/api/c/compapi/v2/jobv3/batch_get_job_instance_ip_log"
LIMIT = 2_621_440
FIELDS = ["bk_scope_type", "bk_scope_id", "bk_biz_id", "job_instance_id", "step_instance_id"]
FIELDS += ["host_id_list", "ip_list", "start", "length", "unknown"]

Ask = Callable[..., Any]
CodeAndMessage = Callable[..., tuple[int, str]]


def written(field: str, text: str, **fields: Any) -> bytes:
    """A body in which one field is this very JSON text."""
    body = {**asking(), **fields, field: "@"}
    return json.dumps(body).replace('"@"', text).encode()


@pytest.fixture
def hello(granted: dict[str, str]) -> None:
    load(job(), step(), result(), script_log("hello\n"))


def log_of(response: Any) -> str:
    envelope = response.json()
    assert envelope["code"] == 0, envelope
    return str(envelope["data"]["script_task_logs"][0]["log_content"])


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/json; charset=gbk",
        "text/plain",
        "text/plain; charset=utf-8",
        "",
    ],
)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_the_body_is_utf8_json_under_the_types_that_clients_send(
    ask: Ask, hello: None, kind: str, bom: bytes
) -> None:
    text = json.dumps(asking(unknown="作业"), ensure_ascii=False).encode()
    assert log_of(ask(bom + text, content_type=kind)) == "hello\n"


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "text/html",
        "application/x-ndjson",
        "*/*",
    ],
)
def test_any_other_type_is_a_bad_request_that_names_the_header(
    code_and_message: CodeAndMessage, kind: str
) -> None:
    for path in (BATCH, ESB, "/esb/api/v3/batch_get_job_instance_ip_log"):
        said = code_and_message(asking(), path=path, content_type=kind)
        assert said == (1240003, "错误的请求 [Content-Type]")


@pytest.mark.parametrize("encoding", ["gzip", "identity", "br"])
def test_an_encoded_body_is_a_bad_request(code_and_message: CodeAndMessage, encoding: str) -> None:
    headers = {"Content-Encoding": encoding}
    assert code_and_message(asking(), headers=headers) == (1240003, "错误的请求")


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"100"])
def test_json_that_is_no_object_is_a_bad_request(
    code_and_message: CodeAndMessage, body: bytes
) -> None:
    for path in (BATCH, ESB):
        assert code_and_message(body, path=path) == (1240003, "错误的请求")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "JSON 第 1 行第 1 列"),
        (b" ", "JSON 第 1 行第 2 列"),
        (b"{", "JSON 第 1 行第 2 列"),
        (b"{}{}", "JSON 第 1 行第 3 列"),
        (b'{\n "x": 1,\n}', "JSON 第 "),
        (b"{'job_instance_id': 100}", "JSON 第 1 行第 2 列"),
        (b"bk_scope_type=biz&bk_scope_id=2", "JSON 第 1 行第 1 列"),
        (b'{"x": NaN}', "JSON 第 1 行第 7 列"),
        (b'{"NaN\\"": "NaN",\n"x": -Infinity}', "JSON 第 2 行第 6 列"),
        (b'{"x": 01}', "JSON 第 1 行第 8 列"),
        (b'{"x": "\n"}', "JSON 第 1 行第 8 列"),
        (b'{"x": "\xff"}', "UTF-8 字节 7"),
        ('{"x": 1}'.encode("utf-16"), "UTF-8 字节 0"),
        ('{"x": "作业"}'.encode("gbk"), "UTF-8 字节 7"),
        (b"[" * 100_000, "JSON 嵌套过深"),
        (b'{"x":' * 100_000, "JSON 嵌套过深"),
        (b'{"x": ' + b"9" * 5_000 + b"}", "JSON 第 1 行第 7 列"),
    ],
)
def test_a_body_that_is_no_json_is_a_bad_request_that_says_where(
    code_and_message: CodeAndMessage, body: bytes, where: str
) -> None:
    for path in (BATCH, ESB):
        code, message = code_and_message(body, path=path)
        assert code == 1240003
        assert message.startswith(f"错误的请求 [{where}")


@pytest.mark.parametrize(
    "text",
    [
        "1e999999",
        "-1e-999999",
        "1" * 4_000,
        "9223372036854775808",
        '"\\ud800"',
        '"\\u0000"',
        '"' + "0" * 100_000 + '"',
        "[" * 500 + "]" * 500,
        '{"\\ud800": {}}',
    ],
)
def test_hostile_values_are_answered_with_a_code_of_the_callers_own_fault(
    ask: Ask, hello: None, text: str
) -> None:
    in_lists = [f"[{text}]", f'[{{"bk_cloud_id": 0, "ip": {text}}}]', f'[{{"bk_host_id": {text}}}]']
    for field in FIELDS:
        for value in [text, *(in_lists if field.endswith("_list") else [])]:
            response = ask(written(field, value))
            assert response.status_code == 200, (field, value[:40])
            assert response.json()["code"] in (0, 1240003, 1241005, 1243049), (field, value[:40])


def test_a_doubled_key_counts_as_it_was_said_last(ask: Ask, hello: None) -> None:
    body = json.dumps(asking(job=404)).encode()[:-1] + b', "job_instance_id": 100}'
    assert log_of(ask(body)) == "hello\n"


@pytest.mark.parametrize("length", [LIMIT - 1, LIMIT])
def test_a_body_up_to_the_limit_is_read(ask: Ask, hello: None, length: int) -> None:
    assert log_of(ask(json.dumps(asking()).encode().ljust(length))) == "hello\n"


def chunked(body: bytes) -> dict[str, Any]:
    """What a server that decodes chunks hands over: no length, and the end of the stream."""
    stream = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    return {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", **stream}


def test_a_chunked_body_is_read(ask: Ask, hello: None) -> None:
    assert log_of(ask(b"-", **chunked(json.dumps(asking()).encode()))) == "hello\n"


@pytest.mark.parametrize("chunks", [False, True])
def test_a_body_over_the_limit_is_413(ask: Ask, hello: None, chunks: bool) -> None:
    body = json.dumps(asking()).encode().ljust(LIMIT + 1)
    how = chunked(body) if chunks else {}
    response = ask(b"-" if chunks else body, **how)
    assert response.status_code == 413
    assert response.json() == {
        "code": 1641301,
        "code_name": "BODY_SIZE_LIMIT_EXCEED",
        "message": "Request body size too large.",
        "result": False,
        "data": None,
    }
    assert response["X-Bkapi-Error-Code"] == "1641301"


@pytest.mark.parametrize("caller", [None, {}])
def test_the_esb_says_413_with_200(ask: Ask, hello: None, caller: dict[str, str] | None) -> None:
    response = ask(b" " * (LIMIT + 1), path=ESB, caller=caller)
    body = response.json()
    assert response.status_code == 200
    assert (body["code"], body["message"]) == (1306401, "Request body size too large.")


INTEGERS = ["100", "100.0", "1e2", '"100"', '" 100 "', '"+100"', '"00100"', "1.00e+2", "10000e-2"]
NO_INTEGERS = [
    "true",
    "false",
    "100.9",
    '"100.0"',
    '"1e2"',
    '"abc"',
    '"１００"',
    "[]",
    "[100]",
    "{}",
]
NO_INTEGERS += ['"1_00"', '"0x64"', '"1 00"', '"- 1"', "1e400", "9223372036854775808"]
NO_INTEGERS += ['"9223372036854775808"', "1e30", '"100\\u0000"', '"\\ud800"']
ABSENT = ["null", '""', '"  "']

IDS = {
    "job_instance_id": "任务实例ID必须为正整数",
    "step_instance_id": "步骤实例ID必须为正整数",
    "host_id": "非法的主机 ID",
    "bk_host_id": "非法的主机 ID",
    "bk_cloud_id": "管控区域 ID 非法",
    "bk_biz_id": "非法的业务 ID",
}


def with_integer(field: str, text: str) -> bytes:
    """A body in which an integer field of any place is this very JSON text."""
    if field == "host_id":
        return written("host_id_list", f"[{text}]")
    if field == "bk_host_id":
        return written("ip_list", f'[{{"bk_host_id": {text}}}]')
    if field == "bk_cloud_id":
        return written("ip_list", f'[{{"bk_cloud_id": {text}, "ip": "10.0.0.1"}}]')
    scope = {"bk_scope_type": None, "bk_scope_id": None} if field == "bk_biz_id" else {}
    return written(field, text, **scope)


@pytest.mark.parametrize("text", INTEGERS)
def test_an_integer_may_be_written_in_several_ways(ask: Ask, text: str) -> None:
    caller = credentials(scopes=(("biz", "2"), ("biz", "100")))
    for scope_id in ("2", "100"):
        load(job(bk_scope_id=scope_id))
        for number in (200, 100):
            load(job(bk_scope_id=scope_id), step(number))
            load(
                job(bk_scope_id=scope_id), result(100, step=number, ip="10.0.0.1", bk_cloud_id=100)
            )
            log = script_log(f"{scope_id} {number}", host=100, step=number)
            load(job(bk_scope_id=scope_id), log)
    for field in IDS:
        expected = {"bk_biz_id": "100 200", "step_instance_id": "2 100"}.get(field, "2 200")
        assert log_of(ask(with_integer(field, text), caller=caller)) == expected, field


@pytest.mark.parametrize("text", NO_INTEGERS)
def test_whatever_else_is_no_integer(code_and_message: CodeAndMessage, text: str) -> None:
    for field, message in IDS.items():
        assert code_and_message(with_integer(field, text)) == (1240003, message), field


@pytest.mark.parametrize("field", ["job_instance_id", "step_instance_id", "bk_cloud_id"])
@pytest.mark.parametrize("text", [*ABSENT, "-1", '"-100"', "-1e2", "-9223372036854775808"])
def test_a_required_integer_is_stated_and_not_negative(
    code_and_message: CodeAndMessage, field: str, text: str
) -> None:
    assert code_and_message(with_integer(field, text)) == (1240003, IDS[field])


@pytest.mark.parametrize("field", ["job_instance_id", "step_instance_id", "bk_host_id"])
@pytest.mark.parametrize("text", ["0", '"0"', "-0.0"])
def test_an_id_is_at_least_one(code_and_message: CodeAndMessage, field: str, text: str) -> None:
    assert code_and_message(with_integer(field, text)) == (1240003, IDS[field])


def test_fields_that_no_rule_names_are_ignored(ask: Ask, hello: None) -> None:
    unknown: dict[str, Any] = {
        "operator": "x",
        "bk_username": 5,
        "host_ids": ["?"],
        "return_ip_result": "True",
    }
    assert log_of(ask(asking(**unknown))) == "hello\n"
