"""create_app, import_logs and demo as people run them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from joblogs.management.commands import create_app
from joblogs.management.commands.demo import ARCHIVE
from joblogs.models import App, AppGrant, HostResult, JobInstance, LogChunk, Scope
from tests.builders import BATCH, job, lines, result, script_log, step

pytestmark = pytest.mark.django_db

RECORDS = lines(job(), step(), result(), script_log("hello\n"))


def _run(*arguments: Any) -> tuple[str, str, int]:
    """Standard output, standard error and exit code of a command."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*map(str, arguments), stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue() + str(error), error.returncode
    return out.getvalue(), err.getvalue(), 0


def test_a_new_apps_secret_is_alone_on_standard_output_and_stored_as_a_digest() -> None:
    out, err, code = _run("create_app", "ci", "--scope", "biz:7", "--write")
    (secret,) = out.splitlines()
    assert (code, len(secret) >= 43, secret in err) == (0, True, False)
    app = App.objects.get()
    assert bytes(app.secret_sha256) == hashlib.sha256(secret.encode()).digest()
    grant = AppGrant.objects.get()
    assert (str(grant.scope), grant.read, grant.write) == ("biz:7", False, True)


def test_what_an_app_may_do_is_not_said_in_the_colour_of_errors() -> None:
    out, err = io.StringIO(), io.StringIO()
    err.isatty = lambda: True  # type: ignore[method-assign]
    for _ in range(2):
        command = create_app.Command(stdout=out, stderr=err, force_color=True)
        call_command(command, "ci", "--scope", "biz:7")
    assert [line.split()[:2] for line in err.getvalue().splitlines()] == [
        ["ci", "may"],
        ["Its", "secret,"],
        ["ci", "may"],
        ["ci", "keeps"],
    ]


def test_without_a_flag_an_app_may_read() -> None:
    _run("create_app", "ci", "--scope", "biz:7", "--scope", "biz_set:9000001")
    assert set(AppGrant.objects.values_list("read", "write")) == {(True, False)}
    assert Scope.objects.count() == 2


def test_extending_an_app_prints_no_secret_unless_it_is_rotated() -> None:
    first = _run("create_app", "ci", "--scope", "biz:7")[0]
    out, err, _ = _run("create_app", "ci", "--all-scopes", "--write")
    assert (out, "keeps its secret" in err) == ("", True)
    assert AppGrant.objects.filter(scope=None, read=False, write=True).exists()
    rotated = _run("create_app", "ci", "--rotate")[0]
    assert rotated
    assert rotated != first


def test_an_app_that_is_not_there_is_not_made_by_rotating_it() -> None:
    out, err, code = _run("create_app", "cl", "--scope", "biz:7", "--rotate")
    assert (out, code, "there is no such app" in err) == ("", 1, True)
    assert (App.objects.count(), Scope.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ["two words", "--scope", "biz:7"],
        ["ci", "--scope", "7"],
        ["ci", "--scope", "shop:7"],
        ["ci", "--read"],
        ["ci", "--token", "t", "--rotate"],
        ["ci", "--token", "t", "--name", "n"],
        ["ci", "--token", "t", "--scope", "biz:7", "--scope", "biz:8"],
        ["ci", "--token", "t", "--expires", "0"],
        ["ci", "--token", ""],
        ["ci", "--token", "t", "--revoke", "t"],
        ["ci", "--revoke", "t", "--read"],
        ["ci", "--expires", "3"],
    ],
)
def test_wrong_arguments_exit_with_2_and_make_nothing(arguments: list[str]) -> None:
    try:
        code = _run("create_app", *arguments)[2]
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    assert code in (1, 2)
    assert App.objects.count() == 0


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_files_are_read_plain_and_packed_whatever_their_name(tmp_path: Path, pack: Any) -> None:
    file = tmp_path / "records"
    file.write_bytes(pack(RECORDS))
    out, _, code = _run("import_logs", file)
    assert (code, "Accepted 4 records" in out) == (0, True)
    assert "4 already stored" in _run("import_logs", file)[0]


def test_standard_input_is_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(gzip.compress(RECORDS))))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert "Accepted 4 records" in _run("import_logs", "-")[0]


def test_refused_lines_go_to_standard_error_and_the_exit_code_is_1(tmp_path: Path) -> None:
    file = tmp_path / "records"
    file.write_bytes(RECORDS + b"\nnonsense\n" + lines(script_log("x", offset=99)))
    out, err, code = _run("import_logs", file)
    assert (code, "2 refused" in out) == (1, True)
    assert "records:5: invalid: " in err
    assert "records:6: gap: " in err
    assert HostResult.objects.get().received_size == 6


def test_a_missing_file_is_said_and_the_others_go_in(tmp_path: Path) -> None:
    file = tmp_path / "records"
    file.write_bytes(RECORDS)
    _, err, code = _run("import_logs", tmp_path / "none", file)
    assert (code, "none: No such file" in err) == (1, True)
    assert JobInstance.objects.count() == 1


def test_a_dry_run_says_what_would_come_and_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "records"
    file.write_bytes(RECORDS)
    assert "Would have accepted 4 records" in _run("import_logs", "--dry-run", file)[0]
    assert (JobInstance.objects.count(), LogChunk.objects.count()) == (0, 0)
    assert "Accepted 4 records" in _run("import_logs", file)[0]


def test_an_archive_cut_in_the_middle_of_a_line_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = zstd.decompress(ARCHIVE.read_bytes())
    records = whole.count(b"\n") - 1
    cut = tmp_path / "cut"
    cut.write_bytes(whole[: len(whole) // 2])
    out, err, code = _run("import_logs", cut)
    assert (code, "Input data was truncated" in err) == (1, True)
    kept, refused = int(out.split()[1]), int(out.partition(" refused")[0].split()[-1])
    assert 0 < kept < records
    # The line itself, and what says of the job that it was at that something has finished.
    assert kept + refused == cut.read_bytes().count(b"\n")
    assert (
        f"Accepted {records - kept:,} records, {kept:,} already" in _run("import_logs", ARCHIVE)[0]
    )
    assert f"Accepted 0 records, {records:,} already" in _run("import_logs", ARCHIVE)[0]


def test_a_packed_archive_that_is_cut_applies_what_is_whole(tmp_path: Path) -> None:
    cut = tmp_path / "cut.zst"
    cut.write_bytes(ARCHIVE.read_bytes()[:-1000])
    _, err, code = _run("import_logs", cut)
    assert (code, "the zstd data is cut" in err) == (1, True)
    assert JobInstance.objects.count() > 0


COMMANDS = [
    "create_app ci --scope biz:7",
    "export_logs --format txt",
    "import_logs /dev/null",
    "maintain_logs --dry-run",
    "redact_logs --dry-run",
    "verify_logs",
    "clearsessions",
    "changepassword zoe",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_where_migrations_are_missing_every_command_says_what_to_run(
    tmp_path: Path, command: str
) -> None:
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    done = subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "jobplatform.settings"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    said = done.stderr.splitlines()
    assert done.returncode == 1
    assert said[-1].endswith("Migrations are missing in this database. Run: manage.py migrate")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("program", ["manage.py", "-m jobplatform"])
def test_ctrl_c_before_django_is_loaded_ends_a_command_quietly(
    tmp_path: Path, program: str
) -> None:
    # Found before the real one, it is the moment at which a person presses Ctrl-C.
    (tmp_path / "django.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    done = subprocess.run(
        [sys.executable, *program.split(), "maintain_logs"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n")


def test_the_demo_prints_a_curl_and_a_login_that_work() -> None:
    out, _, code = _run("demo", "--no-serve")
    assert code == 0
    headers = dict(
        line.split("-H '", 1)[1].rsplit("'", 1)[0].split(": ", 1)
        for line in out.splitlines()
        if "-H '" in line
    )
    body = out.split("-d '", 1)[1].split("'", 1)[0]
    client = Client()
    response = client.post(BATCH, body, content_type=headers.pop("Content-Type"), headers=headers)
    logs = response.json()["data"]["script_task_logs"]
    assert [log["bk_host_id"] for log in logs] == json.loads(body)["host_id_list"]
    assert "INFO  done in" in logs[0]["log_content"]
    assert "No space left on device" in logs[1]["log_content"]
    password = out.split("password ", 1)[1].split()[0]
    assert client.login(username="demo", password=password)
    step = out.split("Pages", 1)[1].split()[1].removeprefix("http://127.0.0.1:8000")
    assert b"4 failed in 2 ways" in client.get(step).content
    assert "no longer work" not in out
    again = _run("demo", "--no-serve")[0]
    assert "0 records loaded" in again
    assert "The password and the secret of an earlier demo no longer work." in again
    assert not Client().login(username="demo", password=password)
    assert get_user_model().objects.count() == 1
