"""The two examples of the API specification, reproduced from records."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Fields, credentials, file_log, job, load, result, script_log, step

SPECIFICATION = Path(__file__).with_name("batch_get_job_instance_ip_log.zh.md")
REQUEST, SCRIPT, FILE = re.findall(r"```json\n(.*?)```", SPECIFICATION.read_text(), re.DOTALL)
OURS = ("job_request_id", "host_id", "ipv6")


def bare(text: str) -> str:
    """A JSON text without the keys that the specification does not have, the others in order."""

    def plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {key: value for key, value in pairs if key not in OURS}

    return json.dumps(json.loads(text, object_pairs_hook=plain), ensure_ascii=False, indent=1)


def content(mode: int) -> str:
    """The specification's log of a download or an upload."""
    found = re.findall(r'"mode": (\d).*?"log_content": "(.*?)"', FILE, re.DOTALL)
    return dict(found)[str(mode)]


@pytest.mark.parametrize("path", ["/api/v3/", "/api/bk-job/prod/api/v3/"])
def test_the_script_example_comes_out_of_records_letter_by_letter(
    ask: Callable[..., Any], path: str
) -> None:
    caller = credentials(scopes=(("biz", "1"),))
    load(
        job(bk_scope_id="1"),
        step(),
        result(101, ip="10.0.0.1"),
        script_log("[2018-03-15 14:39:30][PID:56875] job_start\n", host=101),
        result(102, ip="10.0.0.2"),
        script_log("[2018-03-15 14:39:30][PID:16789] job_start\n", host=102),
    )
    name = "batch_get_job_instance_ip_log"
    response = ask(REQUEST.encode(), path=path + name, caller=caller)
    assert bare(response.content.decode()) == bare(SCRIPT)


def test_the_file_example_comes_out_of_records_letter_by_letter(ask: Callable[..., Any]) -> None:
    caller = credentials(scopes=(("biz", "1"),))
    source: Fields = {"bk_host_id": 102, "ip": "10.0.0.2"}
    known: Fields = {
        "status": 4,
        "size": "1.0 Bytes",
        "speed": "0 KB/s",
        "process": "100%",
        "offset": 0,
    }
    load(
        job(bk_scope_id="1"),
        step(step_type=2),
        result(101, ip="10.0.0.1"),
        result(102, ip="10.0.0.2", role="source"),
        file_log(
            101,
            mode=1,
            src=source,
            dest={"bk_host_id": 101, "ip": "10.0.0.1"},
            content=content(1),
            **known,
        ),
        file_log(102, mode=0, src=source, content=content(0), **known),
    )
    response = ask(REQUEST.encode(), caller=caller)
    assert bare(response.content.decode()) == bare(FILE)


def test_keys_of_ours_come_after_those_of_the_seed(ask: Callable[..., Any]) -> None:
    caller = credentials(scopes=(("biz", "1"),))
    load(job(bk_scope_id="1"), step(), result(101), script_log(host=101))
    envelope = ask(REQUEST.encode(), caller=caller).json()
    assert list(envelope) == ["result", "code", "message", "data", "job_request_id"]
    data = ["log_type", "job_instance_id", "step_instance_id", "script_task_logs"]
    assert list(envelope["data"]) == data
    entry = ["bk_host_id", "ip", "bk_cloud_id", "log_content", "host_id", "ipv6"]
    assert list(envelope["data"]["script_task_logs"][0]) == entry
