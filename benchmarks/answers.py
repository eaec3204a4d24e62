"""What the answers for agents cost: `python -m benchmarks.answers [--database sqlite]`.

A step of 500, 2,000 and 20,000 hosts with failures planted: the summary's characters, its
statements, and the CPU time that it takes, against the page of the same step. Then 200 followers of
a running step of 500 hosts, of whom each asks once after a second's output has come, against 200
views of its page. One process; both contestants by Django's test client, in turn.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import django

from .databases import DATABASES, own_database
from .measuring import interleaved

HOSTS = (500, 2_000, 20_000)
FOLLOWERS, FOLLOWED_HOSTS, SECONDS = 200, 500, 3
JOB, RUNNING_JOB = 1, 90
HEAD = "| hosts | characters | statements | of the page | CPU, ms | of the page | ratio |\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answers", description=__doc__)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="joblogs-answers-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with own_database(arguments.database, folder) as url:
            os.environ |= {
                "DATABASE_URL": url,
                "DJANGO_SETTINGS_MODULE": "jobplatform.settings",
                "SECRET_KEY": "of a benchmark",
                "ALLOWED_HOSTS": "testserver",
            }
            django.setup()
            measure()


def measure() -> None:
    """Fill the store and print both tables."""
    import logging

    from django.core.management import call_command

    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)
    write = sys.stdout.write
    write(f"{HEAD}|{'---|' * 7}\n")
    for place, hosts in enumerate(HOSTS):
        write(_summary_row(JOB + place, hosts))
    write("\n" + _follow_sentence())


def _summary_row(job: int, hosts: int) -> str:
    from tests import builders

    builders.load(*_planted(job, hosts))
    api, page = _api(f"/api/v1/biz/2/jobs/{job}/steps/{job}0/"), _page(job)
    summary: Callable[[], bytes] = lambda: api("summary")  # noqa: E731
    while (answer := summary()) and b'"compared":%d,' % hosts not in answer:
        pass  # outputs that nobody compared yet are compared for two seconds at a time
    ours_count, page_count = _statements(summary), _statements(page)
    taken = interleaved({"summary": _cpu(summary), "page": _cpu(page)}, rounds=5)
    ours, theirs = median(taken["summary"]) * 1000, median(taken["page"]) * 1000
    characters = len(answer.decode())
    return (
        f"| {hosts:,} | {characters:,} | {ours_count} | {page_count} | {ours:.0f} | {theirs:.0f} "
        f"| {ours / theirs:.2f} |\n"
    )


def _follow_sentence() -> str:
    from joblogs.models import LogRead
    from tests import builders
    from tests.builders import job, result, script_log, step

    here = {"job": RUNNING_JOB, "step": RUNNING_JOB * 10}
    builders.load(
        *(job(RUNNING_JOB, status=2), step(here["step"], job=RUNNING_JOB, status=2)),
        *(result(host, status=7, **here) for host in range(1, FOLLOWED_HOSTS + 1)),
    )
    post, page = _api(f"/api/v1/biz/2/jobs/{RUNNING_JOB}/steps/{here['step']}/"), _page(RUNNING_JOB)
    cursors = [_cursor(post("follow", {})) for _ in range(FOLLOWERS)]
    polls = views = 0.0
    line = "2026-11-30 10:00:00 INFO request handled in 12 ms\n"
    for second in range(SECONDS):
        builders.load(
            *(
                script_log(line, host=host, offset=second * len(line), **here)
                for host in range(1, FOLLOWED_HOSTS + 1)
            )
        )
        began = time.process_time()
        cursors = [_cursor(post("follow", {"cursor": cursor})) for cursor in cursors]
        polls += time.process_time() - began
        began = time.process_time()
        for _ in range(FOLLOWERS):
            page()
        views += time.process_time() - began
    idle = time.process_time()
    for cursor in cursors:
        post("follow", {"cursor": cursor})
    idle = time.process_time() - idle
    rows = LogRead.objects.filter(channel="follow").count()
    return (
        f"{FOLLOWERS} followers of {FOLLOWED_HOSTS} hosts that all print: "
        f"{polls / SECONDS:.2f} s of CPU a second, {polls / views:.2f} × {FOLLOWERS} views of the "
        f"page ({views / SECONDS:.2f} s); with nothing new {idle:.2f} s. Rows of audit: {rows}.\n"
    )


def _planted(job_number: int, hosts: int) -> Iterator[Any]:
    """A step of which one host in fifty fails, in eight ways, and one in a hundred deviates."""
    from tests.builders import job, result, script_log, step

    here = {"job": job_number, "step": job_number * 10}
    yield from (job(job_number, status=4), step(here["step"], job=job_number, status=4))
    for host in range(1, hosts + 1):
        failed = host % 50 == 0
        outcome = {"status": 104, "exit_code": 1} if failed else {"status": 9, "exit_code": 0}
        text = f"start on web-{host:05}\n" + "".join(
            f"2026-11-30 10:{n:02}:{host % 60:02} INFO step {n} took {host * n % 90} ms\n"
            for n in range(20)
        )
        text += "version 1.22.1\n" if host % 100 == 1 else "version 1.24.0\n"
        text += f"E: fault {'abcdefgh'[host // 50 % 8] * 3} in module\n" if failed else "done\n"
        yield result(host, host_name=f"web-{host:05}", **here, **outcome)
        yield script_log(text, host=host, **here)


def _api(root: str) -> Callable[..., bytes]:
    """Function that asks an endpoint below `root`, by POST if there is a body."""
    import json

    from django.test import Client

    from tests import builders

    client, headers = Client(), builders.credentials()

    def ask(path: str, body: Any = None) -> bytes:
        if body is None:
            return bytes(client.get(root + path, headers=headers).content)
        text = json.dumps(body)
        return bytes(client.post(root + path, text, "application/json", headers=headers).content)

    return ask


def _page(job: int) -> Callable[[], bytes]:
    """Function that asks for the page of a step."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    user, _ = get_user_model().objects.get_or_create(
        username="bench", defaults={"is_staff": True, "is_superuser": True}
    )
    client = Client()
    client.force_login(user)

    def ask() -> bytes:
        answer = client.get(f"/logs/biz/2/jobs/{job}/steps/{job}0/")
        if answer.status_code != 200:
            raise SystemExit(f"the page answered {answer.status_code}")
        return bytes(answer.content)

    return ask


def _cursor(answer: bytes) -> str:
    import json

    return str(json.loads(answer)["data"]["cursor"])


def _statements(request: Callable[[], bytes]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        request()
    return len(queries)


def _cpu(request: Callable[[], bytes]) -> Callable[[], float]:
    def run() -> float:
        began = time.process_time()
        request()
        return time.process_time() - began

    return run


if __name__ == "__main__":
    main()
