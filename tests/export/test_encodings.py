"""A text is found in a log in whatever encoding the log is; so too by the API."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client

from joblogs.search import Pattern, occurs
from tests.builders import BATCH, Fields, asking, credentials, job, load, result, script_log, step
from tests.export.exporting import records

pytestmark = pytest.mark.django_db
CHINESE = "开始\r\n备份失败: 磁盘空间不足\r\nend\r\n"
JAPANESE = "バックアップに失敗しました\r\n"
KOREAN = "백업 실패: 디스크 공간 부족\r\n"
LOGS = {
    1: CHINESE.encode("gb18030"),
    2: CHINESE.encode(),
    3: JAPANESE.encode("cp932"),
    4: ("\ufeff" + CHINESE).encode("utf-16-le"),
    5: ("\ufeff" + CHINESE).encode("utf-16-be"),
    6: CHINESE.encode("utf-16-le"),
    7: KOREAN.encode("euc_kr"),
    8: JAPANESE.encode("utf-8") + CHINESE.encode("gb18030"),
    9: b"nothing\n",
    10: b"\x80 broken \xff\xfd\n" + CHINESE.encode("gb18030"),
    11: (JAPANESE + CHINESE).encode("cp932", errors="ignore"),
}
FOUND = {
    "磁盘空间不足": [1, 2, 4, 5, 6, 8, 10],
    "失敗しました": [3, 8, 11],
    "디스크": [7],
    "end": [1, 2, 4, 5, 6, 8, 10, 11],
    "ディスク": [],
}


@pytest.fixture
def stored() -> None:
    said: list[Fields] = [job(status=3), step(status=3)]
    for host, data in LOGS.items():
        content = base64.b64encode(data).decode()
        said += [result(host, status=9), script_log(None, content_base64=content, host=host)]
    load(*said)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(("text", "hosts"), FOUND.items())
def test_an_export_holds_the_hosts_whose_logs_hold_the_text(text: str, hosts: list[int]) -> None:
    found = records(contains=Pattern.of(text))
    assert [said["bk_host_id"] for said in found if said["type"] == "host_result"] == hosts


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(("text", "hosts"), FOUND.items())
def test_grep_and_keyword_find_the_same_hosts(client: Client, text: str, hosts: list[int]) -> None:
    headers: Any = credentials()
    body = asking(host_id_list=list(LOGS), grep=text)
    how = {"content_type": "application/json", "headers": headers}
    answer = client.post(BATCH, body, **how).json()["data"]["script_task_logs"]
    assert [entry["bk_host_id"] for entry in answer if entry["log_matches"]] == hosts
    asked = asking(keyword=text)
    result = client.get("/api/v3/get_step_instance_status", asked, headers=headers).json()
    told = [
        entry["bk_host_id"]
        for group in result["data"]["step_result_group_list"]
        for entry in group["host_result_list"]
    ]
    assert sorted(told) == hosts


@pytest.mark.usefixtures("stored")
def test_the_lines_that_match_come_as_text(client: Client) -> None:
    body = asking(host_id_list=[1, 6, 8], grep="磁盘")
    how: Any = {"content_type": "application/json", "headers": credentials()}
    answer = client.post(BATCH, body, **how).json()["data"]["script_task_logs"]
    assert {entry["log_content"].strip() for entry in answer} == {"备份失败: 磁盘空间不足"}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_however_a_log_is_cut_its_text_is_found(encoding: str, size: int) -> None:
    data = (CHINESE * 2000).encode(encoding)
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    assert occurs(Pattern.of("空间"), parts)
    assert not occurs(Pattern.of("空间足"), parts)
