"""Errors: their order, their two languages, what they hide (docs/api.md, Error codes)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from joblogs.logtext.pieces import Hole
from joblogs.models import HostResult, LogChunk
from tests.builders import asking, credentials, job, load, result, script_log, step

Ask = Callable[..., Any]
CodeAndMessage = Callable[..., tuple[int, str]]

MANY: dict[str, Any] = {"host_id_list": list(range(1, 502))}
NOWHERE: dict[str, Any] = {"job": 404, "step": 404}
UNREADABLE: dict[str, Any] = {"job": 0, "step": 0, "host_id_list": ["x"] * 501}
NO_JOB = ("作业实例不存在", "Task instance does not exist")
LIST = (
    "请求参数[host_id_list/ip_list]缺失或不合法",
    "Missing or invalid request parameter [host_id_list/ip_list]",
)


# Every body makes the mistake of its line and all that are decided after it.
IN_ORDER: list[tuple[Any, int, tuple[str, str]]] = [
    ([asking(**UNREADABLE)], 1240003, ("错误的请求", "Bad Request")),
    (
        asking(**UNREADABLE, bk_scope_type=None, bk_scope_id="404"),
        1240003,
        ("非法的资源范围类型", "Invalid bk_scope_type"),
    ),
    (
        asking(**UNREADABLE, bk_scope_type="planet", bk_scope_id=True),
        1240003,
        ("非法的资源范围 ID", "Invalid bk_scope_id"),
    ),
    (
        asking(**UNREADABLE, bk_scope_type=None, bk_scope_id=None, bk_biz_id="x"),
        1240003,
        ("非法的业务 ID", "Invalid bk_biz_id"),
    ),
    (
        asking(**UNREADABLE, bk_scope_type="planet", bk_scope_id="404"),
        1241005,
        ("请求参数[bk_scope_type]不合法", "Invalid request parameter [bk_scope_type]"),
    ),
    (
        asking(**UNREADABLE, bk_scope_id="404"),
        1243049,
        ("业务/业务集不存在或已被归档", "Business/Business Set not exist or archived"),
    ),
    (
        asking(**UNREADABLE, bk_scope_id="3"),
        9900403,
        (
            "用户(zoe)权限不足，请前往权限中心确认并申请补充后重试",
            "User (zoe) permission not allowed",
        ),
    ),
    (
        asking(**UNREADABLE),
        1240003,
        ("任务实例ID必须为正整数", "Job instance id must be a positive number"),
    ),
    (
        asking(**UNREADABLE | {"job": 404}),
        1240003,
        ("步骤实例ID必须为正整数", "Step instance id must be a positive number"),
    ),
    (asking(**UNREADABLE | NOWHERE), 1240003, ("非法的主机 ID", "Invalid host id")),
    (asking(**NOWHERE, length=0), 1240003, ("错误的请求 [length]", "Bad Request [length]")),
    (asking(**NOWHERE, **MANY), 1241007, LIST),
    (asking(**NOWHERE, ip_list=[{"bk_host_id": 1}] * 501), 1241007, LIST),
    (asking(**NOWHERE), 1244006, NO_JOB),
    (asking(step=404), 1244006, NO_JOB),
    (asking(job=101, step=202), 1244006, NO_JOB),
]


@pytest.mark.parametrize("number", range(len(IN_ORDER)))
def test_the_first_mistake_is_the_one_that_is_told(
    code_and_message: CodeAndMessage, elsewhere: dict[str, str], number: int
) -> None:
    body, code, messages = IN_ORDER[number]
    load(job(), step(), step(202), job(101), step(201, job=101))
    for language, message in zip(("", "en"), messages, strict=True):
        headers = {"Blueking-Language": language}
        assert code_and_message(body, headers=headers) == (code, message)


@pytest.mark.parametrize(
    ("fields", "messages"),
    [
        ({"ip_list": [{}]}, ("主机 ID 不能为空", "Host id must not be null")),
        ({"ip_list": [{"ip": "10.0.0.1"}]}, ("管控区域 ID 非法", "Invalid BK-Net")),
        ({"ip_list": [{"bk_cloud_id": 0, "ip": "?"}]}, ("IP 非法", "Invalid IP")),
        ({"ip_list": [{"bk_host_id": 0}]}, ("非法的主机 ID", "Invalid host id")),
        ({"ip_list": [None]}, ("错误的请求 [ip_list]", "Bad Request [ip_list]")),
        ({"host_id_list": 5}, ("错误的请求 [host_id_list]", "Bad Request [host_id_list]")),
        ({"start": -1}, ("错误的请求 [start]", "Bad Request [start]")),
    ],
)
def test_every_bad_field_is_told_in_both_languages(
    code_and_message: CodeAndMessage, fields: dict[str, Any], messages: tuple[str, str]
) -> None:
    for language, message in zip(("zh-cn", "en"), messages, strict=True):
        headers = {"Blueking-Language": language}
        assert code_and_message(asking(**fields), headers=headers) == (1240003, message)


@pytest.mark.parametrize(
    ("headers", "english"),
    [
        ({}, False),
        ({"Blueking-Language": "en"}, True),
        ({"blueking-language": "EN"}, True),
        ({"Blueking-Language": "zh-cn"}, False),
        ({"Blueking-Language": "fr"}, False),
        ({"Blueking-Language": "en-us"}, False),
        ({"Blueking-Language": ""}, False),
        ({"Accept-Language": "en"}, False),
        ({"Accept-Language": "en", "Cookie": "blueking_language=en; django_language=en"}, False),
    ],
)
def test_only_blueking_language_en_is_english(
    code_and_message: CodeAndMessage, headers: dict[str, str], english: bool
) -> None:
    assert code_and_message(asking(), headers=headers) == (1244006, NO_JOB[english])


def test_an_error_has_these_keys_in_this_order(ask: Ask) -> None:
    response = ask(asking())
    envelope = {"result": False, "code": 1244006, "message": NO_JOB[0], "data": None}
    envelope["job_request_id"] = response["X-Bk-Job-Request-Id"]
    assert response.content.decode() == json.dumps(
        envelope, ensure_ascii=False, separators=(",", ":")
    )


def test_a_job_of_another_scope_cannot_be_told_from_none(
    ask: Ask, elsewhere: dict[str, str]
) -> None:
    scope: dict[str, Any] = {"bk_scope_type": "biz", "bk_scope_id": "3"}
    load(job(**scope), step(**scope), result(**scope), script_log("secret", **scope), job(103))
    answers = set()
    for body in (
        asking(),
        asking(job=404),
        asking(job=103),
        asking(host_id_list=[101]),
    ):
        response = ask(body)
        ids = {response["X-Bkapi-Request-Id"], response["X-Bk-Job-Request-Id"]}
        text = str(sorted(response.items())) + response.content.decode()
        for one in ids:
            text = text.replace(one, "-")
        answers.add((response.status_code, text))
    assert len(answers) == 1
    assert "secret" not in answers.pop()[1]


@pytest.mark.parametrize("which", ["granted", "elsewhere", "unknown"])
def test_only_the_granted_app_reads_the_log(
    ask: Ask, which: str, request: pytest.FixtureRequest
) -> None:
    load(job(), step(), result(), script_log("hello\n"))
    response = ask(asking(), caller=request.getfixturevalue(which))
    expected = {"granted": (200, 0), "elsewhere": (200, 9900403), "unknown": (400, 1640001)}
    assert (response.status_code, response.json()["code"]) == expected[which]
    assert (b"hello" in response.content) == (which == "granted")


NAMES = {
    "biz": ("biz", "业务", "Business"),
    "biz_set": ("business_set", "业务集", "Business Set"),
    "tenant_set": ("tenant_set", None, None),
}


@pytest.mark.parametrize("english", [False, True])
@pytest.mark.parametrize("scope_type", NAMES)
def test_a_missing_grant_is_told_with_what_it_takes(
    ask: Ask, elsewhere: dict[str, str], scope_type: str, english: bool
) -> None:
    load(job(bk_scope_type=scope_type, bk_scope_id="8", scope_name="Shop <8>"), step())
    headers = {"Blueking-Language": "en" if english else ""}
    body = asking(bk_scope_type=scope_type, bk_scope_id="8")
    envelope = ask(body, caller=elsewhere, headers=headers).json()
    keys = ["result", "code", "message", "data", "job_request_id", "permission"]
    assert list(envelope) == keys
    kind, *type_names = NAMES[scope_type]
    (instance,) = envelope["permission"]["actions"][0]["related_resource_types"][0]["instances"][0]
    type_name = type_names[english] or instance["type_name"]
    resource = {
        "system_id": "bk_cmdb",
        "system_name": "Cmdb" if english else "配置平台",
        "type": "biz",
        "type_name": "Business" if english else "业务",
        "instances": [[{"id": "8", "type": kind, "type_name": type_name, "name": "Shop <8>"}]],
    }
    action = {"id": "access_business", "name": "Access Business" if english else "业务访问"}
    permission = {
        "system_id": "bk_job",
        "system_name": "Job" if english else "作业平台",
        "actions": [action | {"related_resource_types": [resource]}],
    }
    assert json.dumps(envelope["permission"]) == json.dumps(permission)


def test_a_missing_grant_is_the_apps_where_no_user_is_named(ask: Ask) -> None:
    nobody = credentials("robot", scopes=(), user="")
    message = ask(asking(), caller=nobody).json()["message"]
    assert message == "用户(robot)权限不足，请前往权限中心确认并申请补充后重试"


def load_two_chunks(host: int = 101, text: str = "the log's own words ") -> None:
    load(result(host), script_log(text, host=host))
    load(script_log("end", host=host, offset=len(text.encode())))


def lose(host: int, *, first: bool) -> None:
    """Break the database: a chunk of a host's log is gone."""
    log = HostResult.objects.get(host_id=host)
    chunks = LogChunk.objects.filter(day=log.day, host_result_id=log.pk)
    lost = chunks.filter(offset=0) if first else chunks.exclude(offset=0)
    assert lost.delete()[0] == 1


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("english", [False, True])
def test_a_hole_in_a_log_is_an_error_never_a_shorter_text(
    ask: Ask, caplog: pytest.LogCaptureFixture, first: bool, english: bool
) -> None:
    load(job(), step(), result(100), script_log("words of another host", host=100))
    load_two_chunks()
    lose(101, first=first)
    response = ask(asking(), headers={"Blueking-Language": "en" if english else ""})
    envelope = response.json()
    assert response.status_code == 200
    assert "X-Bkapi-Error-Code" not in response
    assert (envelope["code"], envelope["data"]) == (1240002, None)
    assert envelope["message"] == ("Internal Server Error" if english else "内部服务器异常")
    assert b"words" not in response.content
    assert envelope["job_request_id"] in caplog.text
    assert not re.search("words|hello", caplog.text)


@pytest.mark.parametrize("table", ["app", "scope", "stepinstance", "hostresult", "logchunk"])
def test_a_database_that_cannot_answer_is_1240002_without_its_words(
    code_and_message: CodeAndMessage, caplog: pytest.LogCaptureFixture, table: str
) -> None:
    load(job(), step(), result(), script_log("words"))
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE joblogs_{table} RENAME TO gone")
    assert code_and_message(asking()) == (1240002, "内部服务器异常")
    assert not re.search("words|SELECT", caplog.text)
    transaction.set_rollback(True)


def test_a_large_answer_that_meets_a_hole_is_cut(ask: Ask) -> None:
    load(job(), step(), result(1))
    text = "0123456789abcdef" * (5 * 64 * 1024)
    load(script_log(text, host=1))
    load(script_log(text, host=1, offset=len(text)))
    load_two_chunks(2)
    lose(2, first=False)
    response = ask(asking())
    assert response.status_code == 200 and response.streaming
    parts = []
    with pytest.raises(Hole):
        for part in response.streaming_content:
            parts.append(part)
    with pytest.raises(json.JSONDecodeError):
        json.loads(b"".join(parts))
