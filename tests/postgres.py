"""`python -m tests.postgres COMMAND…`: run COMMAND against a PostgreSQL of its own.

The server listens on a free port of the loopback, its data lies in a temporary folder, and both are
gone when COMMAND ends, on Ctrl-C and on SIGTERM too. COMMAND finds it in DATABASE_URL; the exit
code is COMMAND's. Where PostgreSQL is not installed one line says so, and the exit code is 0, or 1
with REQUIRE_POSTGRESQL=1.

PostgreSQL refuses to run as root. Then only the server runs as another user, never Python: that
user need not be able to read Python's folder.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import psycopg

FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql*/bin")
START_SECONDS = 60
STOP_SECONDS = 20
TIDY_SECONDS = 5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def find_binaries() -> Path | None:
    """The folder that holds `initdb` and `postgres`: `pg_config`'s, else the newest usual one."""
    folders: list[Path] = []
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        folders.append(Path(answer.stdout.strip()))
    for pattern in FOLDERS:
        folders += sorted(Path("/").glob(pattern), key=_version, reverse=True)
    if initdb := shutil.which("initdb"):
        folders.append(Path(initdb).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


class Database:
    """A server that can be stopped and started again on the data that it has."""

    def __init__(self, command: list[str], other: dict[str, Any], log: Path, port: int) -> None:
        self._command, self._other, self._log = command, other, log
        self.url = f"postgresql://joblogs@127.0.0.1:{port}/postgres"
        self.owner: int = other.get("user", os.geteuid())
        self.process = self._started()
        self.version = ""

    def _started(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as output:
            return subprocess.Popen(self._command, **self._other, stdout=output, stderr=output)

    def wait(self) -> None:
        """Wait until it answers."""
        self.version = _wait_until_ready(self.url, self.process, self._log)

    def stop_at_once(self) -> None:
        """As if it crashed: sessions are cut off, and the next start recovers from the log."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(STOP_SECONDS)

    def start(self) -> None:
        """Start it again and wait until it answers."""
        self.process = self._started()
        self.wait()


@contextlib.contextmanager
def running_server(binaries: Path, settings: Mapping[str, str] | None = None) -> Iterator[Database]:
    """A server as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="joblogs-postgresql-") as folder:
        data, log = Path(folder, "data"), Path(folder, "log")
        # Away from the terminal, so that Ctrl-C reaches COMMAND and us, not the server before them.
        other: dict[str, Any] = {"cwd": "/", "env": {"LC_ALL": "C"}, "start_new_session": True}
        other["stdin"] = subprocess.DEVNULL
        if os.geteuid() == 0:
            user = _unprivileged()
            shutil.chown(folder, user.pw_uid, user.pw_gid)
            other |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        # A linguistic collation, as most servers have, so that what leans on the order of code
        # points fails here. Nothing is synced: this data need not outlive a power cut.
        arguments = ["-D", str(data), "-U", "joblogs", "-A", "trust", "-E", "UTF8", "--no-sync"]
        arguments += ["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"]
        with log.open("wb") as output:
            initdb: subprocess.Popen[bytes] = subprocess.Popen(
                [binaries / "initdb", *arguments], **other, stdout=output, stderr=output
            )
        with _ended(initdb, signal.SIGTERM):
            failed = initdb.wait() != 0
        if failed:
            sys.exit(f"initdb failed:\n{log.read_text(errors='replace')}")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            **(settings or {}),
        }
        arguments = ["-D", str(data), *(f"--{key}={value}" for key, value in options.items())]
        database = Database([str(binaries / "postgres"), *arguments], other, log, port)
        try:
            database.wait()
            yield database
        finally:
            # SIGINT tells PostgreSQL to end the sessions and shut down.
            _end(database.process, signal.SIGINT)


def run(command: list[str], url: str) -> int:
    """Run `command` with the database's URL; its exit code as a shell would tell it."""
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})
    with _ended(process, signal.SIGTERM):
        try:
            code = process.wait()
        except KeyboardInterrupt:  # a terminal sends it to the command as well: let it tidy up
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TIDY_SECONDS)
            raise
    return code if code >= 0 else 128 - code


def main(command: list[str]) -> int:
    """See the top of this file."""
    if not command:
        sys.stderr.write("usage: python -m tests.postgres COMMAND…\n")
        return 2
    binaries = find_binaries()
    if binaries is None:
        sys.stderr.write("PostgreSQL half SKIPPED: no initdb and postgres found on this machine.\n")
        return int(os.environ.get("REQUIRE_POSTGRESQL") == "1")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        with running_server(binaries) as database:
            code = run(command, database.url)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    sys.stderr.write(f"PostgreSQL half ran on PostgreSQL {database.version}, exit code {code}.\n")
    return code


def _leave(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes], number: signal.Signals) -> Iterator[None]:
    """Whatever happens in the block, `process` does not outlive it: `number` asks it to end."""
    try:
        yield
    finally:
        _end(process, number)


def _end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is not None:
        return
    # A second Ctrl-C must not leave anything behind.
    before = [signal.signal(ignored, signal.SIG_IGN) for ignored in SIGNALS]
    # One with a session of its own goes with its children: initdb starts some.
    leads = os.getpgid(process.pid) == process.pid
    (os.killpg if leads else os.kill)(process.pid, number)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for ignored, handler in zip(SIGNALS, before, strict=True):
        signal.signal(ignored, handler)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with psycopg.connect(url, connect_timeout=5) as connection:
                return connection.info.parameter_status("server_version") or "unknown"
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    sys.exit("PostgreSQL refuses to run as root, and there is no user postgres or nobody.")


def _version(folder: Path) -> list[int]:
    return [int(digits) for digits in re.findall("[0-9]+", str(folder))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
