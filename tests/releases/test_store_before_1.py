"""A store that a version before 1.0 made is recognised, whoever meets it, and left as it is."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

SENTENCE = "made by a version before 1.0: export it with that version, see CHANGELOG"
OLD_TABLES = """
    CREATE TABLE django_migrations (id integer PRIMARY KEY AUTOINCREMENT,
        app varchar(255) NOT NULL, name varchar(255) NOT NULL, applied datetime NOT NULL);
    INSERT INTO django_migrations (app, name, applied)
        VALUES ('joblogs', '0001_initial', '2026-01-01 00:00:00');
    CREATE TABLE joblogs_app (id integer PRIMARY KEY, app_code varchar(64));
"""


@pytest.fixture
def older() -> Iterator[None]:
    recorder = MigrationRecorder(connection)
    recorder.record_applied("joblogs", "0001_initial")
    yield
    recorder.record_unapplied("joblogs", "0001_initial")


@pytest.fixture
def other_tables(older: None) -> Iterator[None]:
    """A table is not what this code expects."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE joblogs_failedlogins RENAME TO joblogs_elsewhere")
        yield
        cursor.execute("ALTER TABLE joblogs_elsewhere RENAME TO joblogs_failedlogins")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("older")
def test_it_is_not_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, f"not ready: {SENTENCE}\n".encode())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("other_tables")
@pytest.mark.parametrize(
    ("language", "text"), [("en", SENTENCE), ("zh-hans", "此存储由 1.0 之前的版本创建")]
)
def test_a_page_that_fails_says_why(client: Client, language: str, text: str) -> None:
    said = {"username": "zoe", "password": "no"}
    answer = client.post("/admin/login/", said, headers={"accept-language": language})
    assert (answer.status_code, text in answer.content.decode()) == (503, True)


@pytest.mark.parametrize(
    "command",
    [
        *("migrate", "demo --no-serve", "serve", "create_app ci --scope biz:7", "verify_logs"),
        *("export_logs --format txt", "import_logs /dev/null", "changepassword zoe"),
    ],
)
def test_every_command_says_it_and_changes_no_table(tmp_path: Path, command: str) -> None:
    path = tmp_path / "older.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(OLD_TABLES)
    url = f"sqlite:///{path}"
    done = subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "jobplatform.settings"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert done.stderr.splitlines()[-1].endswith(f"This store was {SENTENCE}")
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'joblogs%'")
        assert rows.fetchall() == [("joblogs_app",)]
