"""The text that explains a step to an agent: bounded for any step, with what matters first."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from joblogs.mcp.summary_text import summary_text
from tests import builders
from tests.builders import CREATED, file_log, job, load, result, script_log, step

URL = "/api/v1/biz/2/jobs/100/steps/200/summary"


def explained(language: str, most: int) -> str:
    answer = Client().get(URL, {"max_chars": 24_000}, headers=builders.credentials()).json()
    with translation.override(language):
        return summary_text(answer["data"], job=100, step=200, most=most)


def plant(hosts: int) -> None:
    """A step that fails on a third of its hosts in 39 ways, each with long lines."""
    records: list[Any] = [job(status=4), step(status=4)]
    for host in range(1, hosts + 1):
        code = host % 40 if host % 3 == 0 else 0
        name = f"web-{host * 7919 % 100_003:06}.dc-{host % 17}.example.com"
        status = 104 if code else 9
        records.append(result(host, host_name=name, status=status, exit_code=code))
        text = f"start\nfault {code} " + "of a long line " * 12 + "\n" if code else "start\ndone\n"
        records.append(script_log(text, host=host))
    load(*records)


@pytest.mark.parametrize(("language", "most"), [("en", 6_000), ("zh-hans", 3_000)])
def test_it_is_as_long_as_it_may_be_for_any_number_of_hosts(
    db: None, language: str, most: int
) -> None:
    plant(400)
    text = explained(language, most)
    assert most * 0.8 < len(text) <= most
    assert re.search("> 2: fault [0-9]+ of a long line", text)
    assert "    1: start" in text


def test_what_is_left_out_is_counted(db: None) -> None:
    plant(400)
    text = explained("en", 3_000)
    headings = [line for line in text.splitlines() if line.startswith("Group ")]
    shown = sum(int(line.split(", ")[1].split()[0]) for line in headings)
    (left_out,) = [line for line in text.splitlines() if line.startswith("Left out")]
    hosts = int(left_out.split(" groups of ")[1].split()[0])
    assert shown + hosts == 400
    assert headings[-1].endswith("the output of most")


def test_hosts_without_output_and_not_ended_are_named(db: None) -> None:
    load(
        *(job(status=2), step(status=2)),
        *(result(1, host_name="silent", status=9), result(2, host_name="late", status=7)),
        *(result(3, host_name="fine", status=9), script_log("done\n", host=3)),
    )
    text = explained("en", 6_000)
    assert "3 hosts: 2 succeeded, 0 failed, 1 not ended." in text
    assert "Ended without output: 1 (silent)" in text
    assert "Not ended: late" in text


def test_of_hosts_that_transferred_files_no_output_is_named(db: None) -> None:
    load(job(), step(step_type=2), result(1, status=9), result(2, status=104, exit_code=1))
    load(file_log(1, offset=0, content="done\n"), file_log(2, offset=0, content="failed\n"))
    text = explained("en", 3_000)
    assert "exit code 1, a new failure" in text
    assert "output" not in text


def test_a_value_unlike_others_comes_with_the_usual_one(db: None) -> None:
    records: list[Any] = [job(status=3), step(status=3)]
    for host in range(1, 31):
        version = "1.22.1" if host == 7 else "1.24.0"
        records.append(result(host, host_name=f"web-{host:02}", status=9))
        records.append(script_log(f"version {version}\nok\n", host=host))
    load(*records)
    text = explained("en", 6_000)
    assert "web-07 (host 7): succeeded, a value is unlike that of others" in text
    assert "version 1.22.1 (usual: 1.24.0, on 29 hosts)" in text


def test_it_says_which_failures_were_seen_before(db: None) -> None:
    for number, faults in (
        (98, ["disk full"]),
        (99, ["disk full"]),
        (100, ["disk full", "killed"]),
    ):
        step_id = 200 + number - 100
        here = {"job": number, "step": step_id}
        load(
            *(job(number, status=4, create_time=CREATED + number * 86_400_000),),
            *(step(step_id, job=number, status=4),),
            *(
                record
                for host, fault in enumerate([*faults, "", ""], start=1)
                for record in (
                    result(host, **here, status=104 if fault else 9, exit_code=int(bool(fault))),
                    script_log(f"start\n{fault and 'E: '}{fault or 'done'}\n", host=host, **here),
                )
            ),
        )
    call_command("maintain_logs", "--every-day", stdout=io.StringIO())
    text = explained("en", 6_000)
    assert "Last run: job 99 (" in text
    assert "Failures new since then: 1; gone: 0." in text
    assert "failed, exit code 1, seen in 2 earlier runs since 2024-02-20" in text
    assert "failed, exit code 1, a new failure" in text


def test_folded_names_are_cut_between_two_of_them(db: None) -> None:
    records: list[Any] = [job(status=3), step(status=3)]
    for number in range(20):
        name = f"shop-{number * 7 + 100}.zone-{number:02}.example.com"
        records.append(result(number + 1, host_name=name, status=9))
        records.append(script_log("ok\n", host=number + 1))
    load(*records)
    names = explained("en", 6_000).partition("Group ")[2].partition("20 hosts: ")[2]
    *whole, rest = names.partition(" (one is")[0].split(",")
    assert whole and all(name.endswith(".example.com") for name in whole)
    assert rest == "…"
