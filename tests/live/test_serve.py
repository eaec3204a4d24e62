"""The command `serve`: started from any folder, as it is documented."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from jobplatform import gunicorn
from tests.serving import ROOT, manage

MANAGE = str(ROOT / "manage.py")


def settings(folder: Path) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "jobplatform.settings",
        "SECRET_KEY": "of a server that lives for one test",
    }


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database that has its tables, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    manage(settings(folder), "migrate", "--verbosity", "0")
    return folder


@pytest.fixture
def environment(migrated: Path, tmp_path: Path) -> dict[str, str]:
    """A store of its own with its tables."""
    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    return settings(tmp_path)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_it_serves_with_the_documented_configuration_from_any_folder(
    environment: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, MANAGE, "serve", "--bind", f"127.0.0.1:{port}"],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        try:
            lines = []
            for line in process.stderr:
                lines.append(line)
                if "Booting worker" in line:
                    break
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/readyz")
            assert connection.getresponse().status == 200
            connection.close()
        finally:
            process.terminate()
            lines += process.stderr.readlines()
    assert process.returncode == 0
    assert any("Using worker: gthread" in line for line in lines), lines
    assert sum("Booting worker" in line for line in lines) == gunicorn.workers


def test_a_taken_address_and_missing_tables_are_one_line(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = f"127.0.0.1:{listener.getsockname()[1]}"
        done = run(environment, "--bind", taken)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert f"{taken}: Address already in use; choose another with --bind." in done.stderr
    empty = environment | {"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"}
    done = run(empty)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Run: manage.py migrate" in done.stderr


@pytest.mark.parametrize("wrong", ["8000", "localhost", "::1:8000", "127.0.0.1:0", "unix:here"])
def test_what_is_no_address_is_refused(environment: dict[str, str], wrong: str) -> None:
    done = run(environment, "--bind", wrong)
    assert done.returncode == 2
    assert "usage: manage.py serve" in done.stderr


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, MANAGE, "serve", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_database_that_cannot_be_used_is_one_line(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environment["DATABASE_URL"] = f"sqlite:///{tmp_path / 'nowhere' / 'db.sqlite3'}"
    done = subprocess.run(
        [sys.executable, MANAGE, "migrate"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "The database cannot be used: unable to open database file" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_a_command_in_one_line(environment: dict[str, str], tmp_path: Path) -> None:
    with (
        (tmp_path / "said").open("wb") as errors,
        subprocess.Popen(
            [sys.executable, MANAGE, "import_logs", "-"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ) as process,
    ):
        assert process.stdin is not None
        # Longer than a pipe holds: once it is written, the command reads, and waits for more.
        process.stdin.write(b'{"type": "unknown"}\n' * 20_000)
        process.stdin.flush()
        # Nothing but Ctrl-C ends it. One that comes just before a read, or where Python throws
        # exceptions away, is not noticed; a person presses again.
        ended = False
        while not ended:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
                ended = True
    said = (tmp_path / "said").read_text()
    assert process.returncode == 130
    assert "Stopped." in said
    assert "Traceback" not in said
