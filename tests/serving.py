"""The store as an operator runs it: gunicorn in processes of its own, on a database of its own.

The database is a file in a folder, or one made for it in the server that DATABASE_URL names. All of
it is gone when the block ends, and nothing else is touched.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import http.client
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.builders import BATCH, asking

ROOT = Path(__file__).resolve().parent.parent
RECORDS = "/api/v1/records"
TIMEOUT_SECONDS = 120
STOP_SECONDS = 20

Body = bytes | Iterable[bytes]
"""Bytes go out with a length; what is read piece by piece goes out chunked, without one."""


@dataclass(frozen=True)
class Server:
    """A running server: where it is, how to speak to it, and what others need to work beside it."""

    port: int
    headers: dict[str, str]
    environment: dict[str, str]
    log: Path
    master: int

    @contextlib.contextmanager
    def answer(
        self, method: str, path: str, body: Body | None = None, **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to a request, to be read within the block."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body, self.headers | headers)
            with connection.getresponse() as response:
                yield response

    def post(self, body: Body, path: str = RECORDS, **headers: str) -> dict[str, Any]:
        """The envelope that a body is answered with."""
        with self.answer("POST", path, body, **headers) as response:
            envelope: dict[str, Any] = json.load(response)
            return envelope

    def logs(self, *, job: int, step: int) -> dict[int, str]:
        """What each host of a step printed, as the batch endpoint tells it."""
        envelope = self.post(json.dumps(asking(job, step)).encode(), BATCH)
        assert envelope["result"], envelope
        return {
            entry["bk_host_id"]: entry["log_content"]
            for entry in envelope["data"]["script_task_logs"]
        }

    def expected_offsets(self, *, job: int, step: int) -> dict[int, int]:
        """Where each host's log goes on, as a producer is told after a break."""
        path = f"/api/v1/biz/2/jobs/{job}/steps/{step}/offsets"
        with self.answer("GET", path) as response:
            envelope = json.load(response)
        assert envelope["result"], envelope
        return {
            entry["bk_host_id"]: entry["expected_offset"] for entry in envelope["data"]["offsets"]
        }

    def workers(self) -> list[int]:
        """The processes that answer (Linux only)."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text("ascii")
        return [int(pid) for pid in children.split()]


@contextlib.contextmanager
def serving(
    folder: Path, *, workers: int = 2, threads: int = 4, url: str = "", **variables: str
) -> Iterator[Server]:
    """A server for as long as the block lasts, with an app that may read and write every scope.

    Its database is the one at `url`, else one of its own: a copy of one that was made before.
    """
    template = None if url else _template()
    with contextlib.nullcontext(url) if url else own_database(folder, template) as url:
        environment = os.environ | variables | _settings(url)
        secret = template.secret if template else _prepared(environment)
        keys = {"bk_app_code": "live", "bk_app_secret": secret, "bk_username": "zoe"}
        log = folder / "server.log"
        # The socket is made here and inherited: its port cannot be taken by anyone else, and what
        # is asked before the workers are up waits in its queue.
        with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as output:
            port = listener.getsockname()[1]
            options = {
                "bind": f"fd://{listener.fileno()}",
                "workers": workers,
                "threads": threads,
                "graceful-timeout": STOP_SECONDS // 4,
            }
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "-c", "python:jobplatform.gunicorn"),
                    *(f"--{name}={value}" for name, value in options.items()),
                    "jobplatform.wsgi:application",
                ],
                cwd=ROOT,
                env=environment,
                pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield Server(
                port=port,
                headers={"X-Bkapi-Authorization": json.dumps(keys)},
                environment=environment,
                log=log,
                master=process.pid,
            )
        finally:
            _stop(process)


@dataclass(frozen=True)
class Template:
    """A database with all tables and the app, which nobody is connected to."""

    url: str
    secret: str


@functools.cache
def _template() -> Template:
    """The one that databases of servers are copies of: made once, gone with this process."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="joblogs-template-"))
    url = stack.enter_context(own_database(Path(folder)))
    return Template(url, _prepared(os.environ | _settings(url)))


def _settings(url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "jobplatform.settings",
        "SECRET_KEY": "of a server that lives for one test run",
    }


def _prepared(environment: dict[str, str]) -> str:
    """Make the tables and an app that may read and write every scope; its secret."""
    manage(environment, "migrate", "--verbosity", "0")
    rights = ("--all-scopes", "--read", "--write", "--audit")
    return manage(environment, "create_app", "live", *rights).splitlines()[-1]


def manage(environment: dict[str, str], *arguments: str) -> str:
    """What a management command says, which must not fail."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # The session is its own, so this reaches the workers too, and nobody else.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def own_database(folder: Path, template: Template | None = None) -> Iterator[str]:
    """The URL of a database that is there as long as the block lasts: empty, or a copy."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        file = folder / "live.sqlite3"
        if template is not None:
            source = sqlite3.connect(template.url.removeprefix("sqlite:///"))
            with contextlib.closing(source), contextlib.closing(sqlite3.connect(file)) as copy:
                source.backup(copy)
        yield f"sqlite:///{file}"
        return
    name = f"joblogs_live_{secrets.token_hex(4)}"
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        source_name = urlsplit(template.url).path.removeprefix("/")
        create += sql.SQL(" TEMPLATE {}").format(sql.Identifier(source_name))
    _execute(given, create)
    try:
        yield urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
    finally:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        _execute(given, drop.format(sql.Identifier(name)))


def _execute(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
