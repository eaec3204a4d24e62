"""v4_get_script_task_context and v4_get_file_task_context: facts for a language model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from joblogs.models import LogRead
from tests.api.get_requests import Ask
from tests.api.v4.asking import failed_post, post_v4
from tests.builders import Fields, asking, file_log, job, load, result, script_log, step

SCRIPT, FILE = "get_script_task_context", "get_file_task_context"


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


def wanted(host: int = 101, **fields: Any) -> dict[str, Any]:
    run = {"execute_count": 0, "execute_object_type": 1, "execute_object_resource_id": host}
    return asking(**run | fields)


def facts(ask: Ask, name: str, language: str = "en", **fields: Any) -> dict[str, str]:
    data = post_v4(ask, name, wanted(**fields), headers={"Blueking-Language": language})
    assert list(data) == ["field_list"]
    assert all(list(fact) == ["name", "value", "description"] for fact in data["field_list"])
    return {fact["name"]: fact["value"] for fact in data["field_list"]}


def test_a_script_has_what_producers_said_of_it_and_the_end_of_its_log(ask: Ask) -> None:
    load(job(), step(script_language=4, script_param="--all"), result(), script_log("failed\n"))
    assert facts(ask, SCRIPT) == {
        "scriptType": "python",
        "scriptContent": "",
        "secureParam": "false",
        "scriptParams": "--all",
        "errorLog": "failed\n",
    }
    (read,) = LogRead.objects.all()
    assert (read.channel, read.size, read.host_count) == ("v4_get_script_task_context", 7, 1)


def test_what_is_not_known_is_empty_and_sensitive_parameters_stay_hidden(ask: Ask) -> None:
    load(job(), step(), result())
    assert list(facts(ask, SCRIPT).values()) == ["", "", "false", "", ""]
    load(step(script_param="x", script_param_sensitive=True))
    assert facts(ask, SCRIPT)["scriptParams"] == "[Secure params ignored]"
    assert LogRead.objects.count() == 0
    load(step(201, step_type=4), result(step=201))
    assert facts(ask, SCRIPT, step=201)["scriptType"] == "sql"


def test_descriptions_follow_the_language(ask: Ask) -> None:
    load(job(), step(), result())
    for language, told in (("zh-cn", "脚本类型"), ("en", "Script Type")):
        data = post_v4(ask, SCRIPT, wanted(), headers={"Blueking-Language": language})
        assert data["field_list"][0]["description"] == told


@pytest.mark.parametrize("unit", ["x", "志", "\U0001f600"])
def test_of_a_long_log_whole_lines_of_the_last_50000_characters_are_given(
    ask: Ask, unit: str
) -> None:
    lines = [f"{number} {unit * 93}\n" for number in range(1000, 2000)]
    load(job(), step(), result(), script_log("".join(lines)))
    error = facts(ask, SCRIPT)["errorLog"]
    assert error == "".join(lines[-(50_000 // len(lines[0])) :])
    assert LogRead.objects.get().size <= 200_001


def test_a_line_longer_than_that_is_cut(ask: Ask) -> None:
    load(job(), step(), result(), script_log("a" * 60_000))
    assert facts(ask, SCRIPT)["errorLog"] == "a" * 50_000


def test_content_of_the_request_stands_for_the_log_which_is_not_read(ask: Ask) -> None:
    load(job(), step(), result(), script_log("secret\n"))
    assert facts(ask, SCRIPT, content="mine")["errorLog"] == "mine"
    assert LogRead.objects.count() == 0


def test_a_run_has_nothing_of_earlier_ones(ask: Ask) -> None:
    load(
        job(),
        step(),
        *(result(101, status=104), script_log("first\n")),
        *(result(101, execute_count=1, batch=2), script_log("second\n", execute_count=1, batch=2)),
    )
    assert facts(ask, SCRIPT)["errorLog"] == "first\n"
    for batch in (None, 0, 2):
        assert facts(ask, SCRIPT, execute_count=1, batch=batch)["errorLog"] == "second\n"
    gone = failed_post(ask, SCRIPT, wanted(execute_count=1, batch=1))
    assert gone[:2] == (400, "1264004")


FAILED: Fields = {"status": 5, "offset": 0}


def test_the_cause_of_a_failed_transfer_is_named(ask: Ask) -> None:
    load(job(), step(step_type=2), result(101), result(103), result(104, role="source"))
    failed: Fields = {"src_path": "/b", "content": "[1] one\n[2] no space\n", **FAILED}
    load(file_log(101, source=104, status=4), file_log(103, source=104, **failed))
    assert facts(ask, FILE, mode=1) == {
        "errorSource": "No error",
        "uploadFileErrorData": "[]",
        "downloadFileErrorData": "[]",
    }
    found = facts(ask, FILE, host=103, mode=1)
    assert found["errorSource"] == "Target execute object download file error"
    assert json.loads(found["downloadFileErrorData"]) == [
        {
            "sourceExecuteObjectType": "HOST",
            "sourceHostDescription": {"cloudIp": "0:10.0.0.104"},
            "sourceContainerDescription": None,
            "targetExecuteObjectType": "HOST",
            "targetHostDescription": {"cloudIp": "0:10.0.0.103"},
            "targetContainerDescription": None,
            "targetFilePath": "/tmp/1.log",  # noqa: S108
            "errorLog": "[2] no space",
        }
    ]
    (read,) = LogRead.objects.all()
    assert (read.channel, read.size) == ("v4_get_file_task_context", len("[2] no space"))


def test_a_download_whose_source_was_not_sent_is_explained_by_that(ask: Ask) -> None:
    load(job(), step(step_type=2), result(101), result(104, role="source"))
    load(
        file_log(104, mode=0, src_path="/a", content="[1] no such file\n", **FAILED),
        file_log(101, source=104, src_path="/a", content="x\n", dest_path="/x", **FAILED),
    )
    found = facts(ask, FILE, mode=1)
    assert found["errorSource"] == "Source execute object upload file error"
    assert found["downloadFileErrorData"] == "[]"
    (upload,) = json.loads(found["uploadFileErrorData"])
    assert (upload["sourceFilePath"], upload["errorLog"]) == ("/a", "[1] no such file")
    load(file_log(101, source=104, src_path="/b", content="y\n", dest_path="/y", **FAILED))
    found = facts(ask, FILE, mode=1, language="zh")
    assert found["errorSource"] == "源文件上传与目标执行对象下载文件均出错导致的任务失败"
    (download,) = json.loads(found["downloadFileErrorData"])
    assert download["errorLog"] == "y"


@pytest.mark.parametrize(
    ("name", "fields", "told"),
    [
        (SCRIPT, {"job": 404}, (404, "1244006")),
        (SCRIPT, {"step": 404}, (404, "1244007")),
        (SCRIPT, {"step": 203}, (400, "1264001")),
        (SCRIPT, {"step": 202}, (400, "1264004")),
        (FILE, {"mode": 1}, (400, "1264001")),
        (FILE, {"step": 202, "mode": 0}, (400, "1264004")),
        (FILE, {"step": 202}, (400, "1240003")),
        (SCRIPT, {"host": 999}, (400, "1264004")),
        (SCRIPT, {"execute_object_type": 2}, (400, "1264004")),
        (SCRIPT, {"execute_object_type": 3}, (400, "1241007")),
        (SCRIPT, {"execute_object_type": None}, (400, "1240003")),
        (SCRIPT, {"execute_count": None}, (400, "1240003")),
        (SCRIPT, {"execute_count": -1}, (400, "1240003")),
        (SCRIPT, {"host": 0}, (400, "1240003")),
    ],
)
def test_what_cannot_be_answered_says_why(
    ask: Ask, name: str, fields: dict[str, Any], told: tuple[int, str]
) -> None:
    load(job(), step(), result())
    load(step(202, step_type=2), result(step=202), file_log(101, step=202), step(203, step_type=3))
    assert failed_post(ask, name, wanted(**fields))[:2] == told
