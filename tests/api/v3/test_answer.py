"""Successful answers: script logs, and the envelope around them (docs/api.md, Answers)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from joblogs.logtext import store
from joblogs.models import JobInstance
from tests.builders import CREATED, asking, file_log, job, load, result, script_log, step

Ask = Callable[..., Any]
Data = Callable[..., Any]
Texts = Callable[..., dict[int, str]]
MIB = 1024 * 1024


def raw_log(content: bytes, **fields: Any) -> dict[str, Any]:
    """A piece of script log that need not be text."""
    return script_log(None, content_base64=base64.b64encode(content).decode(), **fields)


def test_a_success_says_so_in_these_keys_whatever_the_language(ask: Ask) -> None:
    load(job(), step())
    for language in ("", "en", "zh-cn"):
        response = ask(asking(), headers={"Blueking-Language": language})
        request_id = response["X-Bk-Job-Request-Id"]
        data = {"log_type": 1, "job_instance_id": 100, "step_instance_id": 200}
        envelope = {"result": True, "code": 0, "message": "", "data": data}
        envelope["data"] = data | {"script_task_logs": []}
        expected = json.dumps(envelope | {"job_request_id": request_id}, separators=(",", ":"))
        assert response.content.decode() == expected


@pytest.mark.parametrize("kind", [1, 4])
def test_script_and_sql_steps_have_script_logs(data: Data, kind: int) -> None:
    load(job(), step(step_type=kind), result(), script_log("hello\n"))
    answered = data()
    assert answered["log_type"] == 1
    assert [entry["log_content"] for entry in answered["script_task_logs"]] == ["hello\n"]
    assert "file_task_logs" not in answered


def test_a_file_step_has_file_logs(data: Data) -> None:
    load(job(), step(step_type=2), result(), file_log())
    answered = data()
    assert answered["log_type"] == 2
    assert len(answered["file_task_logs"][0]["file_logs"]) == 1
    assert "script_task_logs" not in answered


@pytest.mark.parametrize("fields", [{}, {"host_id_list": [1]}, {"ip_list": [{"bk_host_id": 1}]}])
def test_an_approval_step_has_neither(data: Data, fields: dict[str, Any]) -> None:
    load(job(), step(step_type=3))
    ids = {"job_instance_id": 100, "step_instance_id": 200}
    assert data(**fields) == {"log_type": None, **ids}


@pytest.mark.parametrize("kind", [1, 2])
def test_a_list_is_empty_never_null_when_nothing_is_found(data: Data, kind: int) -> None:
    load(job(), step(step_type=kind))
    key = "script_task_logs" if kind == 1 else "file_task_logs"
    assert data(host_id_list=[404])[key] == []
    assert data()[key] == []
    assert data(start=0)[key] == []


@pytest.mark.parametrize(
    ("addresses", "ip", "ipv6"),
    [
        ({"ip": "10.0.0.1"}, "10.0.0.1", None),
        ({"ip": "10.0.0.1", "ipv6": "FD00:0::1"}, "10.0.0.1", "fd00::1"),
        ({"ip": None, "ipv6": "fd00::1"}, None, "fd00::1"),
        ({"ip": None, "host_name": "web-1"}, None, None),
    ],
)
def test_an_entry_shows_the_host_and_its_addresses(
    data: Data, addresses: dict[str, Any], ip: str | None, ipv6: str | None
) -> None:
    load(job(), step(), result(101, bk_cloud_id=7, **addresses), script_log("x"))
    expected = {"bk_host_id": 101, "ip": ip, "bk_cloud_id": 7, "log_content": "x"}
    expected |= {"host_id": 101, "ipv6": ipv6}
    assert data(host_id_list=[101])["script_task_logs"] == [expected]


@pytest.mark.parametrize("status", [5, 7, 9, 11])
def test_a_host_without_a_log_has_an_entry(texts: Texts, status: int) -> None:
    load(job(), step(), result(1, status=status), result(2), script_log("x", host=2))
    assert texts() == {1: "", 2: "x"}
    assert texts(host_id_list=[2, 1]) == {2: "x", 1: ""}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n\n",
        "  blanks on both sides\t ",
        "no final newline",
        "CRLF\r\nand CR\r",
        "\ttabs\tand \x1b[31mcolour\x1b[0m\x07",
        "NUL\0inside\0",
        '<a href="x">&amp; & \' " \\ / \\n</a>',
        "<SOPS_VAR>a:1</SOPS_VAR>",
        "作业 日志 🚀 e\u0301 \u2028 \ufeff",
        "\ufeffbyte order mark first",
        "{'not': 'a template'} {0} %s %(x)s {{ x }}",
        "\x7f\x80\xa0",
    ],
)
def test_text_comes_back_as_it_came(ask: Ask, texts: Texts, text: str) -> None:
    load(job(), step(), result(), script_log(text))
    assert texts() == {101: text}
    assert b"&lt;" not in ask(asking()).content


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xff", "\ufffd"),
        (b"a\xc3", "a\ufffd"),
        (b"\xe4\xbd\n", "\ufffd\n"),
        ("日志".encode("gbk"), "\ufffd\ufffd\u05be"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\xc0\x80\xf5", "\ufffd\ufffd\ufffd"),
        (b"ok \xf0\x9f\x9a ok", "ok \ufffd ok"),
    ],
)
def test_bytes_that_are_not_utf8_become_replacement_characters(
    texts: Texts, content: bytes, text: str
) -> None:
    load(job(), step(), result(), raw_log(content))
    assert texts() == {101: text}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=strategies.lists(strategies.binary(max_size=6), max_size=6))
def test_pieces_join_in_offset_order_before_they_are_decoded(
    texts: Texts, pieces: list[bytes]
) -> None:
    number = JobInstance.objects.count() + 1
    load(job(number), step(job=number), result(job=number))
    offset = 0
    for piece in pieces:
        load(raw_log(piece, job=number, offset=offset))
        offset += len(piece)
    assert texts(job=number) == {101: b"".join(pieces).decode(errors="replace")}


def test_a_character_split_over_two_pieces_is_whole(texts: Texts) -> None:
    load(job(), step(), result())
    for offset, byte in enumerate("é🚀".encode()):
        load(raw_log(bytes([byte]), offset=offset))
    assert texts() == {101: "é🚀"}


def test_an_expired_log_is_empty_and_its_hosts_still_answer(texts: Texts, data: Data) -> None:
    load(job(), step(), result(1), result(2), script_log("gone", host=1))
    load(step(201, step_type=2), result(1, step=201), file_log(1, step=201, content="x", offset=0))
    JobInstance.objects.update(expired_at=CREATED, expired_policy="30 days")
    assert texts() == {1: "", 2: ""}
    assert texts(host_id_list=[2, 1]) == {2: "", 1: ""}
    entries = data(step=201)["file_task_logs"]
    assert [(entry["bk_host_id"], entry["file_logs"]) for entry in entries] == [(1, [])]


def test_a_truncated_log_is_what_is_kept_without_a_notice(texts: Texts, settings: Any) -> None:
    settings.LOG_MAX_BYTES = 8
    load(job(), step(), result(), script_log("0123456789"), script_log("abc", offset=10))
    assert texts() == {101: "01234567"}


def letters(answer: Any) -> list[tuple[int, str]]:
    entries = json.loads(b"".join(answer.streaming_content))["data"]["script_task_logs"]
    return [(entry["bk_host_id"], entry["log_content"]) for entry in entries]


def test_a_large_answer_is_streamed_and_the_same(ask: Ask) -> None:
    # Three bytes a character, one byte off: characters lie across every border there may be.
    large = "x" + ("\t日志<&>\n" * (MIB // 11))
    logs = {1: "first\n", 2: large * 9, 3: "", 4: "small\n", 5: large}
    load(job(), step(), *(result(host) for host in logs))
    for host, text in logs.items():
        offset = 0
        for start in range(0, len(text), 3 * MIB):
            piece = text[start : start + 3 * MIB]
            load(script_log(piece, host=host, offset=offset))
            offset += len(piece.encode())
    answer = ask(asking())
    assert answer.streaming
    assert answer["Content-Type"] == "application/json"
    assert letters(answer) == list(logs.items())
    backwards = ask(asking(host_id_list=[5, 4, 3, 2, 1], start=0))
    assert letters(backwards) == list(logs.items())[::-1]


def test_many_small_logs_make_one_large_answer(ask: Ask) -> None:
    text = "0123456789abcdef\n" * 4_000
    load(job(), step(), *(result(host) for host in range(1, 151)))
    load(*(script_log(f"{host}: {text}", host=host) for host in range(1, 151)))
    answer = ask(asking())
    assert answer.streaming and 150 * len(text) > store.GROUP_BYTES
    assert letters(answer) == [(host, f"{host}: {text}") for host in range(1, 151)]
