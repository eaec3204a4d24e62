"""Servers that live as long as a benchmark."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.serving import ROOT, manage

OURS, FLOOR, NAIVE = (
    "jobplatform.wsgi:application",
    "benchmarks.floor:application",
    "benchmarks.naive.wsgi:application",
)
THREADS = 4


class Server(NamedTuple):
    """A running gunicorn with one worker."""

    port: int
    master: int

    @property
    def worker(self) -> int:
        """The process that answers (Linux only)."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children")
        while not (pids := children.read_text("ascii").split()):
            time.sleep(0.01)
        return int(pids[0])


@contextlib.contextmanager
def serving(application: str, *, url: str = "") -> Iterator[Server]:
    """One worker of `application`, all with the same settings; `url`: on another database."""
    with tempfile.TemporaryFile() as log, socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"]
        if application == OURS:
            command += ["-c", "python:jobplatform.gunicorn"]
        else:
            command += ["--worker-class", "gthread", "--no-control-socket"]
        command += ["--workers", "1", "--threads", str(THREADS), "--timeout", "600"]
        command += ["--keep-alive", "60", "--log-level", "warning", application]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | ({"DATABASE_URL": url} if url else {}),
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        port = listener.getsockname()[1]
        try:
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait()
            log.seek(0)
            lines = log.read().decode(errors="replace").splitlines()
            # What it says of each request is part of what is measured, and of no interest here.
            for line in [line for line in lines if " INFO " not in line][-50:]:
                sys.stderr.write(f"{application}: {line}\n")


def make_app() -> dict[str, str]:
    """The headers of an app that may read and write everywhere."""
    command = ("create_app", "bench", "--all-scopes", "--read", "--write")
    manage(dict(os.environ), *command)
    # Another secret: only an app that is there has one to rotate, and this one may be older.
    secret = manage(dict(os.environ), *command, "--rotate").splitlines()[-1]
    keys = {"bk_app_code": "bench", "bk_app_secret": secret, "bk_username": "zoe"}
    return {"X-Bkapi-Authorization": json.dumps(keys)}


def make_naive_user(environment: dict[str, str]) -> dict[str, str]:
    """The headers of a user who may read the scope, to the textbook's service."""
    code = (
        "from django.contrib.auth.models import User; "
        "from rest_framework.authtoken.models import Token; "
        "from benchmarks.naive.models import Grant; "
        "user = User.objects.create(username='naive'); "
        "Grant.objects.create(user=user, bk_scope_id='2'); "
        "print(Token.objects.create(user=user).key)"
    )
    key = manage(environment, "shell", "-c", code).splitlines()[-1]
    return {"Authorization": f"Token {key}"}


def memory(pid: int, what: str) -> int:
    """Bytes that a process has (VmRSS), or had at most (VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields[what].split()[0]) * 1024


def forget_peak(pid: int) -> None:
    """Let VmHWM begin again at what the process has now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def cpu_seconds(pid: int) -> float:
    """What a process and its threads have computed so far."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks) / 1e9
