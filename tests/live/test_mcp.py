"""An agent's client of the MCP SDK, through `manage.py mcp`, against a running store."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent

from tests.builders import job, lines, result, script_log, step
from tests.serving import ROOT, Server, manage

pytestmark = pytest.mark.live
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def token(running: Server) -> str:
    """A token that may read business 2."""
    assert running.post(lines(job(999)))["result"]
    limits = ("--scope", "biz:2", "--read", "--expires", "1")
    made = manage(running.environment, "create_app", "live", "--token", "mcp", *limits)
    return made.splitlines()[-1]


@pytest.fixture
def ask(server: Server, token: str, tmp_path: Path) -> Iterator[Ask]:
    """Calls tools of one session, one after another; gives their texts, errors beginning so."""
    errors = tmp_path / "stderr"

    def ask(
        *calls: tuple[str, dict[str, Any]],
        token: str = token,
        language: str = "en",
    ) -> Any:
        environment = {
            "JOBLOGS_URL": f"http://127.0.0.1:{server.port}",
            "JOBLOGS_TOKEN": token,
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "jobplatform.settings",
        }
        program = StdioServerParameters(
            command=sys.executable,
            args=[str(ROOT / "manage.py"), "mcp", "--language", language],
            env=environment,
        )

        async def answers() -> list[str]:
            with errors.open("w") as log:
                async with Client(stdio_client(program, errlog=log)) as client:
                    results = [await client.call_tool(name, given) for name, given in calls]
            return [
                ("error: " if one.is_error else "")
                + "".join(part.text for part in one.content if isinstance(part, TextContent))
                for one in results
            ]

        texts = anyio.run(answers)
        assert token not in "".join(texts) + errors.read_text()
        return texts

    yield ask


def plant(server: Server, number: int) -> dict[str, int]:
    """A step of four hosts, one of which ran out of space; the arguments that name it."""
    records: list[Any] = [job(number, status=4, name=f"roll out {number}")]
    records.append(step(number * 10, job=number, status=4, name="restart"))
    for host in range(1, 5):
        failed = host == 1
        text = f"start {host}\nversion 1.24.0\n" + ("E: No space left\n" if failed else "done\n")
        outcome = {"status": 104, "exit_code": 2} if failed else {"status": 9, "exit_code": 0}
        name = f"web-{host:02}"
        here = {"job": number, "step": number * 10}
        records.append(result(host, host_name=name, **here, **outcome))
        records.append(script_log(text, host=host, **here))
    assert server.post(lines(*records))["result"]
    return {"job": number, "step": number * 10}


def test_from_the_job_to_the_line(ask: Ask, server: Server, number: int) -> None:
    named = plant(server, number)
    jobs, steps, explained, hits, compared, line, end, last = ask(
        ("list_jobs", {"until": "2023-11-14", "name": f"roll out {number}"}),
        ("list_steps", {"job": number, "scope": "biz:2"}),
        ("explain_step", named),
        ("search_step", named | {"text": "no space"}),
        ("compare_hosts", named | {"host": 1}),
        ("read_log", named | {"host": 1, "from_line": 2, "lines": 1}),
        ("read_log", named | {"host": 1, "from_byte": -6, "length": 10}),
        ("read_log", named | {"host": 1, "from_line": -1}),
    )
    assert f"{number}  2023-11-14 22:13:20Z  failed  roll out {number}" in jobs
    assert f"{named['step']}  script  failed  restart" in steps
    assert "4 hosts: 3 succeeded, 1 failed, 0 not ended." in explained
    assert "1 host: web-01 (host 1): failed, exit code 2" in explained
    assert "> 3: E: No space left" in explained
    assert "3 hosts: web-[02-04] (one is host 2): succeeded" in explained
    assert "1 host: web-01 (host 1): 1 line each" in hits
    assert "> 3: E: No space left" in hits
    assert "- 3: E: No space left\n+ 3: done" in compared
    assert line.splitlines()[1:] == [
        "2: version 1.24.0",
        "There is more: go on with from_line=3.",
    ]
    assert end.endswith("Bytes 34 to 40:\n left\n")
    assert last.splitlines()[1:] == ["The last lines (1):", "E: No space left"]


def test_hosts_and_refusals_in_chinese(ask: Ask, server: Server, number: int) -> None:
    named = plant(server, number)
    explained, english, unknown, foreign, malformed, beside = ask(
        ("explain_step", named),
        ("explain_step", named | {"language": "en"}),
        ("explain_step", {"job": number, "step": 5}),
        ("explain_step", named | {"scope": "biz:77"}),
        ("explain_step", named | {"scope": "77"}),
        ("compare_hosts", named | {"host": 99}),
        language="zh",
    )
    assert "共 4 台主机：成功 3，失败 1，未结束 0。" in explained
    assert "E: No space left" in explained
    assert "4 hosts: 3 succeeded" in english
    assert unknown.startswith("error: ")
    assert unknown.endswith("作业实例不存在 (1244006)")
    assert foreign.startswith("error: ")
    assert foreign.endswith("业务/业务集不存在或已被归档 (1243049)")
    assert malformed.startswith("error: ")
    assert malformed.endswith("77 不是 TYPE:ID，如 biz:2。")
    assert beside.endswith("作业实例不存在 (1244006)")


def test_hosts_of_a_group_and_its_refusal(ask: Ask, server: Server, number: int) -> None:
    named = plant(server, number)
    with server.answer("GET", f"/api/v1/biz/2/jobs/{number}/steps/{number}0/summary") as answer:
        groups = json.load(answer)["data"]["groups"]
    (key,) = [group["key"] for group in groups if group["host_count"] == 3]
    hosts, gone = ask(
        ("list_hosts", named | {"group": key}),
        ("list_hosts", named | {"group": "0" * 12}),
    )
    assert hosts.splitlines()[0] == "Hosts 1 to 3 of 3:"
    assert [line.split()[:2] for line in hosts.splitlines()[1:]] == [
        [str(host), f"web-{host:02}"] for host in (2, 3, 4)
    ]
    assert gone.startswith("error: ")
    assert "(1240003)" in gone


def test_a_wrong_token_is_an_error(ask: Ask) -> None:
    (refused,) = ask(("list_jobs", {"scope": "biz:2"}), token="jlt_" + "x" * 43)
    assert refused.startswith("error: ")
    assert "access_token is invalid or has expired" in refused
