"""Notices through restarts: how many come, how often, and in what order."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tests.builders import job, lines, result, script_log, step
from tests.notices.receivers import Receiver, receiving
from tests.serving import ROOT, Server

JOBS_OF_A_BODY = 200
PATIENCE_SECONDS = 120
FIRST_JOB = 1_000_000
"""Of what other faults sent there is nothing to be told."""
_MAKE_SEARCH = """
from django.contrib.auth.models import User
from joblogs import notices
from joblogs.models import SavedSearch, Scope
user, _ = User.objects.get_or_create(username="notices", is_staff=True, is_superuser=True)
scope, _ = Scope.objects.get_or_create(scope_type="biz", scope_id="2")
search = SavedSearch.objects.create(
    name="failed", owner=user, scope=scope, statuses=[4], target={target!r})
notices.new_secret(search)
"""


class Delivered(NamedTuple):
    """What came: the numbers of the jobs in the order in which they were first taken, and how many
    messages came more than once."""

    jobs: list[int]
    ids: int
    repeated: int
    kills: int


def deliver(
    server: Server, *, events: int, kills: int, failures: tuple[int, ...] = ()
) -> Delivered:
    """Send so many jobs that fail, and wait until the receiver has a message of each. The requests
    of these numbers are answered with 500."""
    environment = os.environ | server.environment | {"NOTICE_PRIVATE_TARGETS": "on"}
    with receiving(lambda number: 500 if number in failures else 200) as receiver:
        code = _MAKE_SEARCH.format(target=receiver.address)
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        sending = threading.Thread(target=_send, args=(server, events))
        sending.start()
        killed = 0
        for number in itertools.count(1):
            with _notices(environment) as process:
                # Each one is killed in the midst of its messages, the last one at their end.
                until = events * number // (kills + 1) if number <= kills else events
                _wait(receiver, until)
                process.kill()
                killed += number <= kills
            if len(_jobs(receiver)) >= events:
                break
        sending.join()
        taken = receiver.taken
    counts = Counter(message["id"] for message in taken)
    return Delivered(
        _jobs_of(taken), len(counts), sum(count > 1 for count in counts.values()), killed
    )


def _jobs(receiver: Receiver) -> list[int]:
    return _jobs_of(receiver.taken)


def _jobs_of(taken: list[dict[str, object]]) -> list[int]:
    first: dict[object, object] = {}
    for message in taken:
        first.setdefault(message["id"], message["job_instance_id"])
    return [int(str(number)) for number in first.values()]


def _wait(receiver: Receiver, taken: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    had = -1
    while len(receiver.requests) < taken or len(_jobs(receiver)) < taken:
        if len(receiver.requests) != had:
            had, deadline = len(receiver.requests), time.monotonic() + PATIENCE_SECONDS
        assert time.monotonic() < deadline, (len(receiver.requests), taken)
        time.sleep(0.05)


@contextlib.contextmanager
def _notices(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "manage.py", "send_notices", "--loop", "--interval", "1"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def _send(server: Server, events: int) -> None:
    for start in range(1, events + 1, JOBS_OF_A_BODY):
        records = []
        for number in range(start, min(start + JOBS_OF_A_BODY, events + 1)):
            place = {"job": FIRST_JOB + number, "step": number}
            ended = {"status": 4, "job": FIRST_JOB + number}
            records += [
                *(job(FIRST_JOB + number, status=4), step(number, **ended)),
                result(1, status=104, exit_code=1, **place),
                script_log(f"error {number}\n", host=1, **place),
            ]
        assert server.post(lines(*records))["data"]["refused_total"] == 0
