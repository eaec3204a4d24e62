"""get_job_instance_ip_log: the log of one host."""

from __future__ import annotations

from typing import Any

import pytest

from joblogs.models import LogRead
from tests.api.get_requests import Ask, data_of, error_of, get, wanted
from tests.builders import HOST, file_log, job, load, result, script_log, step

NAME = "get_job_instance_ip_log"
BY_IP = {"bk_host_id": None, "bk_cloud_id": 0, "ip": "10.0.0.101"}


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


@pytest.fixture
def hello(granted: dict[str, str]) -> None:
    load(job(), step(), result(), script_log("hello\n"))


@pytest.mark.parametrize(
    "named",
    [
        {"bk_host_id": HOST},
        {"bk_host_id": f" +{HOST} "},
        {"bk_host_id": None, "host_id": HOST},
        {"bk_host_id": HOST, "host_id": 404},
        {"bk_host_id": HOST, "bk_cloud_id": 0},
        {"bk_host_id": HOST, "bk_cloud_id": "?", "ip": "?"},
        BY_IP,
    ],
)
def test_a_host_is_found_by_id_or_by_address(
    ask: Ask, hello: None, named: dict[str, Any]
) -> None:  # R21
    assert data_of(ask, NAME, **named) == {
        "log_type": 1,
        "bk_host_id": HOST,
        "bk_cloud_id": 0,
        "ip": "10.0.0.101",
        "log_content": "hello\n",
        "file_logs": None,
    }


def test_a_body_names_a_host_in_the_same_ways(ask: Ask, hello: None) -> None:  # R21
    for named in ({}, {"bk_cloud_id": 0}, BY_IP, {"bk_host_id": None, "host_id": str(HOST)}):
        answer = ask(wanted(NAME, **named), path="/api/v3/" + NAME).json()
        assert answer["data"]["log_content"] == "hello\n"


@pytest.mark.parametrize("spelled", ["fd00::7", "FD00:0:0::7"])
@pytest.mark.parametrize("field", ["ip", "ipv6"])
def test_an_ipv6_address_is_compared_as_one(ask: Ask, field: str, spelled: str) -> None:
    load(job(), step(), result(ip=None, ipv6="fd00::7"), script_log("six\n"))
    named = {"bk_host_id": None, "bk_cloud_id": 0, field: spelled}
    data = data_of(ask, NAME, **named)
    assert (data["bk_host_id"], data["ip"], data["log_content"]) == (HOST, None, "six\n")


def test_of_hosts_that_had_an_address_in_turn_the_last_is_meant(ask: Ask) -> None:
    load(
        job(),
        step(),
        result(101, ip="10.0.0.1"),
        result(101, ip="10.0.0.2", execute_count=1),
        result(102, ip="10.0.0.1"),
        script_log("of 102\n", host=102),
    )
    named = {"bk_host_id": None, "bk_cloud_id": 0, "ip": "10.0.0.1"}
    assert data_of(ask, NAME, **named)["log_content"] == "of 102\n"


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"host_id": ""},
        {"bk_cloud_id": 0},
        {"ip": "10.0.0.101"},
        {"bk_cloud_id": 0, "ip": " "},
        {"bk_cloud_id": "", "ip": "10.0.0.101"},
    ],
)
def test_a_host_must_be_named(ask: Ask, hello: None, named: dict[str, Any]) -> None:
    found = error_of(ask, NAME, **{"bk_host_id": None} | named)
    assert found == (1241007, "请求参数[host_id/(bk_cloud_id+ip)]缺失或不合法")


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"bk_host_id": "x"}, "非法的主机 ID"),
        ({"bk_host_id": 0}, "非法的主机 ID"),
        ({"bk_host_id": None, "host_id": "1.5"}, "非法的主机 ID"),
        ({**BY_IP, "bk_cloud_id": -1}, "管控区域 ID 非法"),
        ({**BY_IP, "ip": "10.0.0"}, "IP 非法"),
    ],
)
def test_a_host_must_be_named_well(
    ask: Ask, hello: None, named: dict[str, Any], message: str
) -> None:
    assert error_of(ask, NAME, **named) == (1240003, message)


def test_a_host_that_is_not_in_the_step_is_as_it_was_named(ask: Ask, hello: None) -> None:
    nothing = {"log_type": 1, "log_content": None, "file_logs": None}
    by_id = {"bk_host_id": 404, "bk_cloud_id": None, "ip": None}
    assert data_of(ask, NAME, bk_host_id=404) == nothing | by_id
    by_ip = {"bk_host_id": None, "bk_cloud_id": 3, "ip": "10.0.0.101"}
    assert data_of(ask, NAME, **by_ip) == nothing | by_ip


@pytest.mark.parametrize("text", [None, "", "\n", " \t\r\n\n"])
def test_a_text_of_blanks_is_null(ask: Ask, text: str | None) -> None:
    load(job(), step(), result())
    if text is not None:
        load(script_log(text))
    assert data_of(ask, NAME)["log_content"] is None


def test_blanks_before_a_text_belong_to_it(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    load(job(), step(), result(), script_log(" \n"), script_log("é\n ", offset=2))
    assert data_of(ask, NAME)["log_content"] == " \né\n "


def test_more_blanks_than_memory_should_hold_are_a_text(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("joblogs.api.v3.host_log.BUFFER_BYTES", 3)
    load(job(), step(), result(), script_log(" \n \n"))
    assert data_of(ask, NAME)["log_content"] == " \n \n"


def test_bytes_that_are_no_utf_8_are_replaced_here_too(ask: Ask) -> None:
    load(job(), step(), result(), script_log(None, content_base64="/2EA"))
    assert data_of(ask, NAME)["log_content"] == "\ufffda\0"


def test_a_log_stands_until_the_host_is_run_again(ask: Ask) -> None:
    load(
        job(),
        step(),
        result(),
        script_log("first\n"),
        result(execute_count=1, status=3, actual_execute_count=0),
    )
    assert data_of(ask, NAME)["log_content"] == "first\n"


def test_an_approval_has_no_log(ask: Ask) -> None:
    load(job(), step(step_type=3))
    data = data_of(ask, NAME)
    assert (data["log_type"], data["log_content"], data["file_logs"]) == (None, None, None)


DONE: dict[str, Any] = {
    "status": 4,
    "size": "9.0 Bytes",
    "speed": "1 KB/s",
    "process": "100%",
    "offset": 0,
}


def test_files_come_complete_the_hosts_own_before_what_other_sources_sent(ask: Ask) -> None:
    load(
        job(),
        step(step_type=2),
        result(101),
        result(103),
        result(102, role="source"),
        result(104, role="source"),
        file_log(101, content="down\n", dest_path="/srv/1.log", **DONE),
        file_log(103, content="not this one's\n", **DONE),
        file_log(104, mode=0, content="up 104\n", **DONE),
        file_log(102, mode=0, content="up 102\n", **DONE),
    )
    data = data_of(ask, NAME)
    assert (data["log_type"], data["log_content"], data["bk_host_id"]) == (2, None, 101)
    assert [log["log_content"] for log in data["file_logs"]] == ["down\n", "up 102\n", "up 104\n"]
    assert data["file_logs"][0] == {
        "mode": 1,
        "src_ip": {"bk_host_id": 102, "bk_cloud_id": 0, "ip": "10.0.0.102"},
        "src_path": "/data/1.log",
        "dest_ip": {"bk_host_id": 101, "bk_cloud_id": 0, "ip": "10.0.0.101"},
        "dest_path": "/srv/1.log",
        "status": 4,
        "log_content": "down\n",
        "size": "9.0 Bytes",
        "speed": "1 KB/s",
        "process": "100%",
    }


def test_a_source_is_not_told_twice(ask: Ask) -> None:
    load(job(), step(step_type=2), result(102, role="source"), file_log(102, mode=0))
    assert len(data_of(ask, NAME, bk_host_id=102)["file_logs"]) == 1


def test_a_file_step_without_files_or_host_has_an_empty_list(ask: Ask) -> None:
    load(job(), step(step_type=2), result(101), result(102, role="source"))
    assert data_of(ask, NAME)["file_logs"] == []
    load(file_log(102, mode=0))
    assert data_of(ask, NAME, bk_host_id=404)["file_logs"] == []


@pytest.mark.parametrize("missing", ["job_instance_id", "step_instance_id"])
def test_a_missing_job_and_a_missing_step_are_the_same(ask: Ask, hello: None, missing: str) -> None:
    assert error_of(ask, NAME, **{missing: 404}) == (1244006, "作业实例不存在")


def test_a_read_is_recorded_once_it_is_sent(ask: Ask, hello: None) -> None:
    get(ask, NAME)
    [read] = LogRead.objects.all()
    told = (read.channel, read.app_code, read.who, read.host_count, read.size)
    assert told == (NAME, "granted", "zoe", 1, 6)


def test_a_read_of_files_counts_all_that_was_told(ask: Ask) -> None:
    load(
        job(),
        step(step_type=2),
        result(101),
        result(102, role="source"),
        file_log(101, offset=0, content="1234"),
        file_log(102, mode=0, offset=0, content="56"),
    )
    get(ask, NAME)
    assert LogRead.objects.get().size == 6


def test_a_large_log_is_streamed_and_told_whole(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblogs.api.streaming.BUFFER_BYTES", 1000)
    text = "é" * 5000
    load(job(), step(), result(), script_log(text))
    response = get(ask, NAME)
    assert response.streaming
    body = b"".join(response).decode()
    assert f'"log_content":"{text}"' in body
    assert body.endswith("}")
