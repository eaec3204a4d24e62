"""Files of the store are their owner's, whatever the umask."""

from __future__ import annotations

import os
import re
import secrets
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import job, lines, result, script_log, step

ROOT = Path(__file__).resolve().parent.parent


def _run(folder: Path, umask: int, *arguments: str, data: bytes = b"") -> None:
    url = f"sqlite:///{folder / 'db.sqlite3'}"
    own = {"DATABASE_URL": url, "SECRET_KEY": secrets.token_urlsafe(64)}
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | own | {"DJANGO_SETTINGS_MODULE": "jobplatform.settings"},
        umask=umask,
        input=data,
        capture_output=True,
        check=True,
    )


def _modes(folder: Path) -> dict[str, str]:
    return {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in folder.iterdir()}


HOLD = """
import os, sqlite3, django
from django.conf import settings
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE a (b)")
    cursor.execute("INSERT INTO a VALUES (1)")
    print(sorted((n, oct(os.stat(n).st_mode & 0o777)) for n in os.listdir(".")))
"""


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_database_and_what_lies_beside_it_is_its_owners(tmp_path: Path, umask: int) -> None:
    own = {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}", "SECRET_KEY": "x" * 50}
    own |= {"DJANGO_SETTINGS_MODULE": "jobplatform.settings", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", HOLD],
        cwd=tmp_path,
        env=os.environ | own,
        umask=umask,
        capture_output=True,
        text=True,
        check=True,
    )
    names = ("db.sqlite3", "db.sqlite3-shm", "db.sqlite3-wal")
    assert done.stdout.strip() == str([(name, "0o600") for name in names])


def test_exports_and_locks_are_their_owners_unless_somebody_says_otherwise(
    tmp_path: Path,
) -> None:
    _run(tmp_path, 0, "migrate")
    _run(tmp_path, 0, "maintain_logs")
    out = tmp_path / "out"
    out.mkdir()
    (out / "there.txt").touch(0o640)
    os.chmod(out / "there.txt", 0o640)
    _run(tmp_path, 0, "import_logs", "-", data=lines(job(), step(), result(), script_log("x\n")))
    for name, options in (
        ("new.txt", ()),
        ("shared.txt", ("--mode", "644")),
        ("there.txt", ("--force",)),
    ):
        export = ("export_logs", "--format", "txt", "--output", str(out / name))
        _run(tmp_path, 0, *export, *options)
    assert _modes(out) == {"new.txt": "0o600", "shared.txt": "0o644", "there.txt": "0o640"}
    beside = {file.name: file for file in tmp_path.iterdir() if file.is_file()}
    assert {oct(stat.S_IMODE(file.stat().st_mode)) for file in beside.values()} == {"0o600"}
    assert any(name.endswith(".lock") for name in beside)


def test_the_documented_commands_run_as_the_stores_own_user() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    as_root = re.findall(r"^# .*manage\.py.*$", text, flags=re.MULTILINE)
    assert as_root
    assert all("runuser -u joblogs -- " in line for line in as_root)
    assert "install -d -o joblogs -g joblogs -m 0700 /var/lib/joblogs" in text
